package store

import (
	"context"
	"time"
)

// QuietHours is when a person's phones are left alone.
type QuietHours struct {
	On       bool // the hours hold; a pause holds without them
	From, To int  // minutes after midnight, by the clock on the person's wall; To is on the next day where it is not after From
	Days     Days // on which they begin
	Zone     string
	Until    time.Time // a pause: nothing is pushed before; zero: there is none
}

// Days are days of the week: bit 0 is Sunday's.
type Days uint8

// Has says whether a day is among them.
func (d Days) Has(day time.Weekday) bool { return d&(1<<day) != 0 }

// EveryDay is all of them.
const EveryDay Days = 1<<7 - 1

// Quiet keeps the hours in which people are left alone.
type Quiet interface {
	// QuietHours gives a person's; ErrNotFound if the person has chosen none.
	QuietHours(ctx context.Context, host, owner string) (QuietHours, error)
	// SetQuietHours keeps a person's; an account that is no more keeps none: ErrNotFound.
	SetQuietHours(ctx context.Context, host, owner string, q QuietHours) error
}
