package store

import (
	"context"
	"time"
)

// Forever is a retention that never ends.
const Forever time.Duration = -1

// Retention says how long an account's messages are kept; zero: nothing is set.
type Retention struct {
	Set time.Duration // by an administrator, instead of the host's setting; Forever: never removed
	Own time.Duration // by the person
}

// Effective gives how long the messages are kept, if the host keeps messages for general; 0 is for ever in both. An
// administrator's setting for the account counts, whether longer or shorter; a person can only shorten.
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

// Retentions keeps how long the messages of accounts are kept.
type Retentions interface {
	// Retention gives an account's retention; zero if there is no such account.
	Retention(ctx context.Context, host, name string) (Retention, error)
	// Retentions gives every account, also those without a setting, in order of Name.
	Retentions(ctx context.Context, host, after string, limit int) ([]AccountRetention, error)
	// SetRetention changes a retention in a transaction; f may be called again. ErrNotFound if there is no such
	// account.
	SetRetention(ctx context.Context, host, name string, f func(r *Retention)) error
}
