package people

import (
	"context"
	"time"

	"parley/store"
)

// Store is what the rules for people ask of the store.
type Store interface {
	store.APITokens
	store.Digests
	store.Factors
	store.Invitations
	store.People
	store.ProfileFields
	store.Quiet
	store.Reports
	store.Retentions

	AddMail(ctx context.Context, m store.Mail) error
	AuditEntries(ctx context.Context, host string, f store.AuditFilter) ([]store.AuditEntry, error)
	DeleteTokens(ctx context.Context, host string, owner string, client string) error
	DeleteUser(ctx context.Context, host string, name string) error
	DeleteWebSession(ctx context.Context, host string, owner string, hash string) error
	DeleteWebSessions(ctx context.Context, host string, owner string, but string) error
	DueMails(ctx context.Context, host string, at time.Time, limit int) ([]store.Mail, error)
	Follow(ctx context.Context, host string, theme string, user string) (state string, since time.Time, err error)
	Former(ctx context.Context, host string, name string) (store.Former, error)
	FreeName(ctx context.Context, host string, name string) error
	Holders(ctx context.Context, host string, jid string) ([]string, error)
	MailsOf(ctx context.Context, host string, invitation string) ([]store.Mail, error)
	ReadArchive(ctx context.Context, host string, owner string, p store.Page) (es []store.Archived, complete bool, total int, err error)
	SetKeys(ctx context.Context, host string, name string, keys []byte) error
	SetMail(ctx context.Context, m store.Mail) error
	UpdateContact(ctx context.Context, host string, user string, jid string, max int, f func(c *store.Contact) (remove bool, err error)) (store.Contact, error)
}
