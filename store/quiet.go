package store

import (
	"context"
	"time"
)

// QuietHours are the hours in which a person's phones get no notifications.
type QuietHours struct {
	On       bool // the hours apply; a pause applies without them
	From, To int  // minutes after midnight in the person's time zone; To is on the next day unless it is after From
	Days     Days // days on which the hours begin
	Zone     string
	Until    time.Time // a pause: no notifications before it; zero: none
}

// Days is a set of days of the week: bit 0 is Sunday.
type Days uint8

// Has says whether a day is in the set.
func (d Days) Has(day time.Weekday) bool { return d&(1<<day) != 0 }

// EveryDay is the set of all days.
const EveryDay Days = 1<<7 - 1

// Quiet keeps people's quiet hours.
type Quiet interface {
	// QuietHours gives a person's quiet hours; ErrNotFound if the person has none.
	QuietHours(ctx context.Context, host, owner string) (QuietHours, error)
	// SetQuietHours writes a person's quiet hours; ErrNotFound if there is no such account.
	SetQuietHours(ctx context.Context, host, owner string, q QuietHours) error
}
