package api

import (
	"context"
	"time"

	"parley/messages"
	"parley/store"
)

// Store is what the API asks of the store by itself; changes are acts of other packages.
type Store interface {
	messages.Store

	APIToken(ctx context.Context, host string, hash string, at time.Time) (store.APIToken, error)
	APITokensOf(ctx context.Context, host string, owner string) ([]store.APIToken, error)
	AuditEntries(ctx context.Context, host string, f store.AuditFilter) ([]store.AuditEntry, error)
	CountMails(ctx context.Context, host string) (map[string]int, error)
	CountUsers(ctx context.Context, host string) (int, error)
	InvitationEvents(ctx context.Context, host string, id string) ([]store.InvitationEvent, error)
	Invitations(ctx context.Context, host string, f store.InvitationFilter) ([]store.Invitation, int, error)
	People(ctx context.Context, host string, f store.PeopleFilter) ([]store.Person, int, error)
	Person(ctx context.Context, host string, name string) (store.Person, error)
	SearchMessages(ctx context.Context, f store.Find) (fs []store.Found, complete bool, err error)
	UseAPIToken(ctx context.Context, host string, hash string, at time.Time) error
}
