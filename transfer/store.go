package transfer

import (
	"context"
	"time"

	"parley/store"
)

// Store is what accounts in files ask of the store.
type Store interface {
	store.Committer
	store.Offline
	store.Quiet
	store.Retentions

	// AddAppPassword keeps an app password.
	AddAppPassword(ctx context.Context, host string, owner string, p store.AppPassword, max int) error
	// AllPrivate gives every element of an account, in order of namespace and name.
	AllPrivate(ctx context.Context, host string, user string) ([][]byte, error)
	// AppPasswords gives a person's app passwords in order of creation.
	AppPasswords(ctx context.Context, host string, owner string) ([]store.AppPassword, error)
	// Blocked gives the addresses that an account blocks, in order.
	Blocked(ctx context.Context, host string, user string) ([]string, error)
	// CreateUser makes an account.
	CreateUser(ctx context.Context, u store.User) error
	// Digest gives a person's digest.
	Digest(ctx context.Context, host string, owner string) (store.Digest, error)
	// Displayed gives how far an account has read each conversation, in order of Chat.
	Displayed(ctx context.Context, host string, user string) ([]store.Displayed, error)
	// FindArchived gives the newest entry with this id attribute, other side (bare) and direction.
	FindArchived(ctx context.Context, host string, owner string, with string, originID string,
		incoming bool) (store.Archived, error)
	// ForgetIndex makes the index of an account's or room's messages, and an account's list of conversations, be built
	// anew: messages were added among older ones.
	ForgetIndex(ctx context.Context, host string, owner string) error
	// Nodes gives an owner's nodes in order of name, at most limit, beginning behind after.
	Nodes(ctx context.Context, host string, owner string, after string, limit int) ([]store.Node, error)
	// Person gives a person by account name.
	Person(ctx context.Context, host string, name string) (store.Person, error)
	// ProfileFields gives all fields of a host in their order.
	ProfileFields(ctx context.Context, host string) ([]store.ProfileField, error)
	// ReadArchive gives a page of an account's archive in order of time, whether nothing follows in that direction, and
	// with Count how many entries the filters choose without After and Before.
	ReadArchive(ctx context.Context, host string, owner string,
		p store.Page) (es []store.Archived, complete bool, total int, err error)
	// Roster gives all contacts, also those not InRoster, and the current version (0: never changed).
	Roster(ctx context.Context, host string, user string) ([]store.Contact, int64, error)
	// SaveMessage keeps a message that somebody has saved for later.
	SaveMessage(ctx context.Context, m store.SavedMessage, max int) error
	// SavedMessages gives what an account has saved, the last first, at most limit.
	SavedMessages(ctx context.Context, host, owner string, before store.ID, limit int) ([]store.SavedMessage, error)
	// SetDigest writes Every and Due of a person's digest.
	SetDigest(ctx context.Context, host string, d store.Digest) error
	// SetDisabled disables or enables an account.
	SetDisabled(ctx context.Context, host string, name string, disabled bool) error
	// SetDisplayed keeps how far an account has read.
	SetDisplayed(ctx context.Context, host string, user string, max int, ds ...store.Displayed) error
	// SetFullName sets an account's full name.
	SetFullName(ctx context.Context, host string, name string, full string) error
	// SetKeys sets the keys of a new password and removes the account's tokens and web sessions.
	SetKeys(ctx context.Context, host string, name string, keys []byte) error
	// Drafts gives an account's drafts, the newest first.
	Drafts(ctx context.Context, host, owner string) ([]store.Draft, error)
	// Scheduled gives all messages of an account that are sent later, the first first.
	Scheduled(ctx context.Context, host, owner string) ([]store.Scheduled, error)
	// SetLastSeen notes when an account was last online, and its last status text (XEP-0012).
	SetLastSeen(ctx context.Context, host string, name string, at time.Time, status string) error
	// SetPrivate keeps an element.
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
	// Tasks gives tasks, the newest first, at most f.Max.
	Tasks(ctx context.Context, f store.TaskFilter) ([]store.Task, error)
	// UpdateContact changes one contact in a transaction.
	UpdateContact(ctx context.Context, host string, user string, jid string, max int,
		f func(c *store.Contact) (remove bool, err error)) (store.Contact, error)
	// UpdatePerson changes a person in a transaction.
	UpdatePerson(ctx context.Context, host string, name string,
		f func(p *store.Person) error) (was store.Person, is store.Person, err error)
	// Users gives accounts in order of Name, at most limit, beginning behind after.
	Users(ctx context.Context, host string, after string, limit int) ([]store.User, error)
}
