package store

import (
	"context"
	"time"
)

// Forever is a retention that never ends.
const Forever time.Duration = -1

// Retention is what has been said about how long an account's messages are kept; zero: nothing.
type Retention struct {
	Set time.Duration // by an administrator, in place of what holds for the host; Forever: they are never removed
	Own time.Duration // by the person
}

// Effective is how long the messages are kept where the host's are kept for general (0: for ever); 0: for ever. What an
// administrator has said for this account holds, be it more or less; a person can only have less than the host says.
func (r Retention) Effective(general time.Duration) time.Duration {
	switch {
	case r.Set == Forever:
		return 0
	case r.Set > 0:
		return r.Set
	case r.Own > 0 && (general <= 0 || r.Own < general):
		return r.Own
	}
	return max(general, 0)
}

// AccountRetention is an account with its Retention.
type AccountRetention struct {
	Name string
	Retention
}

type Retentions interface {
	Retention(ctx context.Context, host, name string) (Retention, error) // zero if there is no such account
	// Retentions gives every account, also those about which nothing has been said, in order of Name.
	Retentions(ctx context.Context, host, after string, limit int) ([]AccountRetention, error)
	// SetRetention changes what has been said in a transaction: f may be called again. ErrNotFound if there is no such account.
	SetRetention(ctx context.Context, host, name string, f func(r *Retention)) error
}
