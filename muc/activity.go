package muc

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"parley/wire"
	"parley/wire/form"
)

// How busy a room is (XEP-0502): published only for rooms that are permanent and listed, and that everyone may enter.

const (
	fieldActivity = "{urn:xmpp:muc-activity}message-activity"
	activitySpan  = 24 * time.Hour
	activityAge   = time.Minute // how long a value is used before it is counted again
	nsCorrect     = "urn:xmpp:message-correct:0"
)

// activity is how busy a room was when that was counted last.
type activity struct {
	perHour float64
	at      time.Time
}

// busy tells it of free rooms. It counts what the room keeps for newcomers: messages cost nothing more for it.
func busy(r *Room) Hooks {
	if _, ok := r.keeper.(*free); !ok {
		return Hooks{}
	}
	var last atomic.Pointer[activity]
	return Hooks{Info: func(ctx context.Context, f *form.Form, c RoomConfig, _ string) {
		if !c.Persistent || !c.Public || c.MembersOnly || c.Password != "" || !c.Archive {
			return
		}
		if a := last.Load(); a == nil || time.Since(a.at) >= activityAge {
			err := r.ask(ctx, func(_ context.Context, r *Room) error {
				last.Store(&activity{perHour: r.perHour(r.s.host.Clock.Now()), at: time.Now()})
				return nil
			})
			if err != nil {
				return
			}
		}
		perHour := strconv.FormatFloat(last.Load().perHour, 'f', 2, 64)
		f.Add(fieldActivity, form.TextSingle, "Messages per hour", perHour)
	}}
}

// perHour counts the last day's messages, or of a busier room those of the time that it has in memory.
func (r *Room) perHour(now time.Time) float64 {
	n, span := 0, activitySpan
	for i := range r.recent {
		p := &r.recent[i]
		if now.Sub(p.at) < activitySpan && p.st.Has(wire.NSClient, "body") && !p.st.Has(nsCorrect, "replace") {
			n++
		}
	}
	if len(r.recent) == r.s.cfg.HistoryMax {
		span = min(span, max(now.Sub(r.recent[0].at), time.Minute))
	}
	return float64(n) / span.Hours()
}
