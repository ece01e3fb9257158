package people

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/internal/fault"
	"parley/settings"
	"parley/store"
)

// QuietChange is a change of a person's quiet hours; nil: unchanged.
type QuietChange struct {
	On       *bool
	From, To *string    // "22:00"
	Days     *[]string  // of QuietDays
	Zone     *string    // "Europe/Paris"
	Until    *time.Time // of a pause; zero: it ends
}

// QuietDays are the names of the days of the week, from Monday.
var QuietDays = settings.DayNames

// maxPause is how long notifications can be paused at once.
const maxPause = 366 * 24 * time.Hour

// Quiet gives a person's quiet hours, or the organization's if the person has chosen none.
func (p *People) Quiet(ctx context.Context, name string) (store.QuietHours, error) {
	q, err := p.st.QuietHours(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) {
		q, err = p.Policy().Quiet, nil
	}
	if !q.Until.After(p.h.IDs.Now()) {
		q.Until = time.Time{}
	}
	return q, err
}

// ChosenQuiet says whether a person has chosen quiet hours, and so a time zone.
func (p *People) ChosenQuiet(ctx context.Context, name string) (bool, error) {
	_, err := p.st.QuietHours(ctx, p.h.Domain, name)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// SetQuiet changes a person's quiet hours; only they may do this.
func (p *People) SetQuiet(ctx context.Context, by Actor, name string, c QuietChange) (q store.QuietHours, err error) {
	if by.Name != name || name == "" {
		return store.QuietHours{}, fault.ErrRole
	}
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		was, err := p.Quiet(ctx, name)
		if err != nil {
			return err
		}
		q = was
		if err := c.Apply(&q, p.h.IDs.Now()); err != nil || q == was {
			q = was
			return err
		}
		err = p.st.SetQuietHours(ctx, p.h.Domain, name, q)
		if errors.Is(err, store.ErrNotFound) {
			return p.noAccount(name)
		}
		if err != nil {
			return err
		}
		a.Note(acts.PersonQuietHours, name+"@"+p.h.Domain, nil) // nobody else needs to know when somebody sleeps
		a.Changed(changes.Own, name)
		return nil
	})
	return q, err
}

// Apply changes quiet hours; an error if the change is not valid.
func (c *QuietChange) Apply(q *store.QuietHours, now time.Time) error {
	if c.On != nil {
		q.On = *c.On
	}
	for _, x := range []struct {
		field string
		from  *string
		to    *int
	}{{"from", c.From, &q.From}, {"to", c.To, &q.To}} {
		if x.from == nil {
			continue
		}
		m, ok := settings.ParseClock(*x.from)
		if !ok {
			return fault.New(fault.Invalid, x.field, "Enter a time from 00:00 to 23:59, like 22:00")
		}
		*x.to = m
	}
	if c.Days != nil {
		days, ok := settings.ParseDays(*c.Days)
		if !ok {
			return fault.New(fault.Invalid, "days", "Choose from these days: {{.Known}}", "Known",
				strings.Join(QuietDays, ", "))
		}
		q.Days = days
	}
	if q.On && q.Days == 0 {
		return fault.New(fault.Invalid, "days", "Choose at least one day")
	}
	if c.Zone != nil {
		q.Zone = strings.TrimSpace(*c.Zone)
		if _, ok := settings.Zone(q.Zone); !ok {
			return fault.New(fault.Invalid, "time_zone", "There is no such time zone: give its name, like Europe/Paris")
		}
	}
	if c.Until != nil {
		if q.Until = c.Until.UTC().Truncate(time.Microsecond); c.Until.IsZero() {
			q.Until = time.Time{}
		} else if !q.Until.After(now) {
			return fault.New(fault.Invalid, "paused_until", "This time has passed")
		} else if q.Until.Sub(now) > maxPause {
			return fault.New(fault.Invalid, "paused_until", "Notifications are paused for a year at most")
		}
	}
	return nil
}

// PauseTime reads the end of a pause (RFC 3339); "" is none.
func PauseTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fault.New(fault.Invalid, "paused_until", "Enter a time like 2027-01-31T15:00:00Z")
	}
	return t, nil
}

// Now gives the time by the clock that quiet hours use.
func (p *People) Now() time.Time { return p.h.IDs.Now() }

// ServerZone gives the name of the machine's time zone, or UTC if it is not known.
var ServerZone = sync.OnceValue(func() string {
	name := os.Getenv("TZ")
	if name == "" {
		if at, err := os.Readlink("/etc/localtime"); err == nil {
			_, name, _ = strings.Cut(at, "zoneinfo/")
		}
	}
	if _, ok := settings.Zone(strings.TrimPrefix(name, ":")); !ok {
		return "UTC"
	}
	return strings.TrimPrefix(name, ":")
})

// covers says whether a moment is within quiet hours. They begin and end once, even if the clock is set forward or back
// meanwhile: from the moment that the clock shows From until the moment that it shows To.
func covers(q store.QuietHours, in *time.Location, at time.Time) bool {
	if at.Before(q.Until) {
		return true
	}
	if !q.On {
		return false
	}
	today := at.In(in)
	for back := range 2 { // those of today, and yesterday's that go on past midnight
		y, m, d := today.Date()
		if begun := time.Date(y, m, d-back, 12, 0, 0, 0, in); !q.Days.Has(begun.Weekday()) {
			continue
		}
		over := 0
		if q.To <= q.From {
			over = 1
		}
		from, to := time.Date(y, m, d-back, 0, q.From, 0, 0, in), time.Date(y, m, d-back+over, 0, q.To, 0, 0, in)
		if !at.Before(from) && at.Before(to) {
			return true
		}
	}
	return false
}

// IsQuiet says whether a person must not be disturbed at a moment. It reads the store at most once a minute for each
// person.
func (p *People) IsQuiet(ctx context.Context, name string, at time.Time) (bool, error) {
	k, ok := p.quiet.Get(name)
	if !ok || time.Since(k.read) > quietFor {
		drops := p.quiet.Drops()
		q, err := p.st.QuietHours(ctx, p.h.Domain, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
		k = &quietKnown{q: q, in: time.UTC, chosen: err == nil, read: time.Now()}
		if l, ok := settings.Zone(q.Zone); ok {
			k.in = l
		}
		p.quiet.PutUnless(name, k, drops)
	}
	if k.chosen {
		return covers(k.q, k.in, at), nil
	}
	q := p.Policy().Quiet
	if !q.On {
		return false, nil
	}
	in, ok := settings.Zone(q.Zone)
	if !ok {
		in = time.UTC
	}
	return covers(q, in, at), nil
}

// quietKnown caches a person's quiet hours.
type quietKnown struct {
	q      store.QuietHours
	in     *time.Location
	chosen bool // the person's own; otherwise the organization's
	read   time.Time
}

// quietFor is how long quiet hours are cached: another node may have changed them.
const quietFor = time.Minute
