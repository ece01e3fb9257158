package transfer

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	rules "parley/people"
	"parley/server"
	"parley/settings"
	"parley/store"
	"parley/wire"
)

// quiet writes the person's quiet hours.
func (o *out) quiet(h *server.Host, name string, to *wire.Element) {
	q, err := o.st.QuietHours(o.ctx, h.Domain, name)
	if errors.Is(err, store.ErrNotFound) || o.fail(err) {
		return
	}
	to.Add(wire.E(nsAccount, "quiet-hours").Set("on", strconv.FormatBool(q.On)).
		Set("from", settings.FormatClock(q.From)).Set("to", settings.FormatClock(q.To)).
		Set("days", strings.Join(settings.DaysOf(q.Days), " ")).Set("time-zone", q.Zone).
		Set("paused-until", stamp(q.Until)))
}

// quiet imports quiet hours.
func (u *incoming) quiet(e *wire.Element) error {
	days, on, zone := strings.Fields(e.Attr("days")), e.Attr("on") == "true", e.Attr("time-zone")
	from, to := e.Attr("from"), e.Attr("to")
	c := rules.QuietChange{On: &on, From: &from, To: &to, Days: &days, Zone: &zone}
	if len(days) > len(rules.QuietDays) || slices.Contains([]string{from, to, zone}, "") {
		return errValue
	}
	var q store.QuietHours
	if err := c.Apply(&q, u.h.Clock.Now()); err != nil {
		return errValue
	}
	// a pause that is over is left out
	if t, err := time.Parse(timeFormat, e.Attr("paused-until")); err == nil && t.After(u.h.Clock.Now()) {
		if err := (&rules.QuietChange{Until: &t}).Apply(&q, u.h.Clock.Now()); err != nil {
			return errValue
		}
	}
	return u.Store.SetQuietHours(u.ctx, u.h.Domain, u.name, q)
}
