package people

import (
	"context"
	"time"

	"parley/store"
)

// Store is the part of the store that package people uses.
type Store interface {
	store.APITokens
	store.Actions
	store.Digests
	store.Factors
	store.Invitations
	store.Links
	store.People
	store.ProfileFields
	store.Quiet
	store.Reports
	store.Retentions

	// AddMail puts a mail into the outbox.
	AddMail(ctx context.Context, m store.Mail) error
	// AuditEntries gives the chosen entries, the newest first.
	AuditEntries(ctx context.Context, host string, f store.AuditFilter) ([]store.AuditEntry, error)
	// DeleteTokens removes an installation's tokens or, with "", those of the whole account.
	DeleteTokens(ctx context.Context, host string, owner string, client string) error
	// DeleteUser removes an account with all that is its own, and its address from what others own, on every host:
	// affiliations, memberships, subscriptions.
	DeleteUser(ctx context.Context, host string, name string) error
	// DeleteWebSession ends one session of an owner.
	DeleteWebSession(ctx context.Context, host string, owner string, hash string) error
	// DeleteWebSessions ends all sessions of an owner except the one with the hash but ("" for none).
	DeleteWebSessions(ctx context.Context, host string, owner string, but string) error
	// DueMails gives waiting mails that are due at a moment, the longest overdue first.
	DueMails(ctx context.Context, host string, at time.Time, limit int) ([]store.Mail, error)
	// Follow gives how a person follows a theme, and since when.
	Follow(ctx context.Context, host string, theme string, user string) (state string, since time.Time, err error)
	// Former gives the tombstone of a name.
	Former(ctx context.Context, host string, name string) (store.Former, error)
	// FreeName makes a name available at once, as if its last account had been deleted long ago.
	FreeName(ctx context.Context, host string, name string) error
	// Holders gives the accounts of a host that have an address in their contact list, or a subscription request from
	// it.
	Holders(ctx context.Context, host string, jid string) ([]string, error)
	// MailsOf gives the mails of an invitation, the newest first.
	MailsOf(ctx context.Context, host string, invitation string) ([]store.Mail, error)
	// ReadArchive gives a page of an account's archive in order of time, whether nothing follows in that direction, and
	// with Count how many entries the filters choose without After and Before.
	ReadArchive(ctx context.Context, host string, owner string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	// ReadRoom gives a page of a room's archive, as ReadArchive does.
	ReadRoom(ctx context.Context, host string, room string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	// SetKeys sets the keys of a new password and removes the account's tokens and web sessions.
	SetKeys(ctx context.Context, host string, name string, keys []byte) error
	// SetMail writes state, due, error and done.
	SetMail(ctx context.Context, m store.Mail) error
	// UpdateContact changes one contact in a transaction.
	UpdateContact(ctx context.Context, host string, user string, jid string, max int,
		f func(c *store.Contact) (remove bool, err error)) (store.Contact, error)
}
