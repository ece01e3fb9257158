package store

import (
	"context"
	"time"
)

// PushSubscription is where a browser is woken (RFC 8030), and with which keys (RFC 8291). It belongs to the session of
// the browser, and ends with it.
type PushSubscription struct {
	Owner    string
	Session  string // the hash of the browser's session
	Endpoint string // a URL of the browser's maker
	Key      string // p256dh: the browser's public key, in base64url
	Auth     string // a secret of the browser, in base64url
}

// PushSubscriptions keeps where browsers are woken: at most one place for each session.
type PushSubscriptions interface {
	// SetPushSubscription keeps a session's subscription, in place of the one it had, and of any other session that had
	// the same endpoint: one browser is woken for one person. ErrNotFound if there is no such session.
	SetPushSubscription(ctx context.Context, host string, p PushSubscription) error
	// DeletePushSubscription removes a session's subscription if it has this endpoint, or any for ""; ErrNotFound if
	// there is none.
	DeletePushSubscription(ctx context.Context, host, owner, session, endpoint string) error
	// PushSubscriptionsOf gives the subscriptions of an owner's sessions that have not expired at a moment and were
	// used after another.
	PushSubscriptionsOf(ctx context.Context, host, owner string, at, used time.Time) ([]PushSubscription, error)
	// PushSubscribers gives the owners of subscriptions.
	PushSubscribers(ctx context.Context, host string) ([]string, error)
}
