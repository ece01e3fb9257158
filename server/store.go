package server

import (
	"context"

	"parley/store"
)

// Store is what the hall asks of the store.
type Store interface {
	store.Committer

	NodeRoles(ctx context.Context, host string, owner string, jid string) ([]store.NodeRole, error)
	Roster(ctx context.Context, host string, user string) ([]store.Contact, int64, error)
	SubscriptionsOf(ctx context.Context, host string, owner string, jid string) ([]store.NodeSubscription, error)
	User(ctx context.Context, host string, name string) (store.User, error)
}
