package muc

import (
	"context"
	"time"

	"parley/wire"
)

// How busy a room is (XEP-0502): told of rooms that last, are listed, and that everyone may enter.

const (
	fieldActivity = "{urn:xmpp:muc-activity}message-activity"
	activitySpan  = 24 * time.Hour
	activityAge   = time.Minute // a value is used for so long before it is counted anew
	nsCorrect     = "urn:xmpp:message-correct:0"
)

type activity struct {
	perHour float64
	at      time.Time
}

// busy gives messages per hour. It counts what the room keeps for newcomers: messages cost nothing more for it.
func (r *Room) busy(ctx context.Context, c RoomConfig) (perHour float64, ok bool) {
	if r.group != "" || !c.Persistent || !c.Public || c.MembersOnly || c.Password != "" || !c.Archive {
		return 0, false
	}
	if a := r.rate.Load(); a != nil && time.Since(a.at) < activityAge {
		return a.perHour, true
	}
	err := r.ask(ctx, func(_ context.Context, r *Room) error {
		r.rate.Store(&activity{perHour: r.perHour(time.Now()), at: time.Now()})
		return nil
	})
	a := r.rate.Load()
	return a.value(), err == nil && a != nil
}

func (a *activity) value() float64 {
	if a == nil {
		return 0
	}
	return a.perHour
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
