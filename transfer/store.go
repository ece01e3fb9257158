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

	AddAppPassword(ctx context.Context, host string, owner string, p store.AppPassword, max int) error
	AllPrivate(ctx context.Context, host string, user string) ([][]byte, error)
	AppPasswords(ctx context.Context, host string, owner string) ([]store.AppPassword, error)
	Blocked(ctx context.Context, host string, user string) ([]string, error)
	CreateUser(ctx context.Context, u store.User) error
	Digest(ctx context.Context, host string, owner string) (store.Digest, error)
	Displayed(ctx context.Context, host string, user string) ([]store.Displayed, error)
	FindArchived(ctx context.Context, host string, owner string, with string, originID string, incoming bool) (store.Archived, error)
	ForgetIndex(ctx context.Context, host string, owner string) error
	Nodes(ctx context.Context, host string, owner string, after string, limit int) ([]store.Node, error)
	Person(ctx context.Context, host string, name string) (store.Person, error)
	ProfileFields(ctx context.Context, host string) ([]store.ProfileField, error)
	ReadArchive(ctx context.Context, host string, owner string, p store.Page) (es []store.Archived, complete bool, total int, err error)
	Roster(ctx context.Context, host string, user string) ([]store.Contact, int64, error)
	SetDigest(ctx context.Context, host string, d store.Digest) error
	SetDisabled(ctx context.Context, host string, name string, disabled bool) error
	SetDisplayed(ctx context.Context, host string, user string, max int, ds ...store.Displayed) error
	SetFullName(ctx context.Context, host string, name string, full string) error
	SetKeys(ctx context.Context, host string, name string, keys []byte) error
	SetLastSeen(ctx context.Context, host string, name string, at time.Time, status string) error
	SetPrivate(ctx context.Context, host string, user string, space string, local string, data []byte, max int) error
	UpdateContact(ctx context.Context, host string, user string, jid string, max int, f func(c *store.Contact) (remove bool, err error)) (store.Contact, error)
	UpdatePerson(ctx context.Context, host string, name string, f func(p *store.Person) error) (was store.Person, is store.Person, err error)
	Users(ctx context.Context, host string, after string, limit int) ([]store.User, error)
}
