// Package clock says which clock a server goes by.
package clock

import "time"

// Clock gives the time of day. Whatever is kept, shown or sent, or compared with what was kept or sent, is asked of it:
// when a message was written, until when a token is valid, what has become old enough to go, whether a certificate is
// still good, what is due. It may be wrong, differ from another server's, and jump in both directions. It has to be
// safe from any goroutine.
//
// How long something takes within the process is not asked of it: timeouts, deadlines of connections, rates, and how
// long a value is remembered come from time.Now and timers, which do not jump.
//
// The nil Clock is the machine's clock. A node hands its own to everything that it is built of (node.WithClock), so two
// nodes of one process may have different ones.
type Clock func() time.Time

// Now gives the time of day.
func (c Clock) Now() time.Time {
	if c == nil {
		return time.Now()
	}
	return c()
}
