package server

import (
	"context"

	"parley/store"
)

// Store is the part of the store that this package needs.
type Store interface {
	store.Committer

	// NodeRoles returns the addresses that have a role at a node of an owner's, and the roles.
	NodeRoles(ctx context.Context, host string, owner string, jid string) ([]store.NodeRole, error)
	// Roster returns an account's roster and its version.
	Roster(ctx context.Context, host string, user string) ([]store.Contact, int64, error)
	// SubscriptionsOf returns the subscriptions of one address to an owner's nodes.
	SubscriptionsOf(ctx context.Context, host string, owner string, jid string) ([]store.NodeSubscription, error)
	// User returns an account, or store.ErrNotFound.
	User(ctx context.Context, host string, name string) (store.User, error)
}
