// Package several joins conversations of several people (muc.Company) with the accounts of a host: who may be in one,
// and the bookmarks by which the clients of its people enter it.
package several

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/feature/bookmarks"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/internal/limit"
	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Config is what a Company needs.
type Config struct {
	Host      *server.Host
	Store     Store
	Bookmarks *bookmarks.Bookmarks
	// On says whether people of the organization may begin conversations of several people.
	On func() bool
	// Words has the texts that rooms say, and Lang their language.
	Words *i18n.Catalogue
	Lang  func() string
	// Told is called after a change is kept. May be nil.
	Told func(ctx context.Context, c muc.SeveralChange)
}

// Store is what a Company asks of the store.
type Store interface {
	Blocked(ctx context.Context, host, user string) ([]string, error)
	Bookmarks(ctx context.Context, host, user string) ([]store.Bookmark, error)
	DeleteBookmarks(ctx context.Context, host, user string, rooms ...string) error
	FullNames(ctx context.Context, host string, names []string) (map[string]string, error)
	SetBookmarks(ctx context.Context, host, user string, max int, bs ...store.Bookmark) error
	User(ctx context.Context, host, name string) (store.User, error)
}

// pace and burst are how many people somebody may bring together, a second and at once: enough for who begins ten
// conversations, too few for a nuisance.
const (
	pace  = 1.0 / 30
	burst = 80
)

// Company is the muc.Company of a host. It is safe from any goroutine.
type Company struct {
	cfg  Config
	pace *limit.Keyed[string]
}

// New makes the Company of a host.
func New(c Config) *Company {
	return &Company{cfg: c, pace: limit.New[string](pace, burst, limit.Most)}
}

var (
	errOff  = fault.New(fault.Forbidden, "", "Your organization has switched off conversations of several people")
	errFast = fault.New(fault.Busy, "", "You have brought many people together lately. Wait a little")
)

// Converses lets in the people of the host whose account is enabled, unless the organization does not want it.
func (c *Company) Converses(ctx context.Context, who jid.JID) error {
	if !c.cfg.On() {
		return errOff
	}
	return c.serves(ctx, who)
}

// Joins refuses people of other servers, accounts that cannot sign in, and those of two people of whom one blocks the
// other (XEP-0191).
func (c *Company) Joins(ctx context.Context, by, who jid.JID) error {
	if err := c.serves(ctx, who); err != nil {
		return err
	}
	if !c.pace.Allow(by.Local(), time.Now()) {
		return errFast
	}
	for _, pair := range [][2]jid.JID{{by, who}, {who, by}} {
		blocked, err := c.cfg.Store.Blocked(ctx, c.cfg.Host.Domain, pair[0].Local())
		if err != nil {
			return err
		}
		if slices.Contains(blocked, pair[1].String()) || slices.Contains(blocked, pair[1].Domain()) {
			return fault.New(fault.NotAllowed, "people", "{{.Name}} cannot be added by you", "Name", who.Name())
		}
	}
	return nil
}

// serves returns a refusal unless an address is that of an enabled account of the host.
func (c *Company) serves(ctx context.Context, who jid.JID) error {
	if who.Domain() != c.cfg.Host.Domain || who.Local() == "" {
		return fault.New(fault.NotAllowed, "people", "{{.Name}} does not belong to your organization", "Name",
			who.String())
	}
	u, err := c.cfg.Store.User(ctx, c.cfg.Host.Domain, who.Local())
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Disabled {
		return fault.New(fault.NotFound, "people", "There is no account of {{.Name}}", "Name", who.Name())
	}
	return err
}

// Changed writes the bookmarks of a conversation: clients enter it by themselves, under the name that its people gave
// it, or else under the names of the others. It takes away those of people who have left.
func (c *Company) Changed(ctx context.Context, ch muc.SeveralChange) (after func(context.Context), err error) {
	names, err := c.names(ctx, ch.People)
	if err != nil {
		return nil, err
	}
	host, room := c.cfg.Host.Domain, ch.Room.String()
	for _, j := range ch.People {
		b, err := c.bookmark(ctx, j.Local(), room)
		if err != nil {
			return nil, err
		}
		b.Name = Title(ch.Title, ch.People, j, names)
		if err := c.cfg.Store.SetBookmarks(ctx, host, j.Local(), 0, b); err != nil {
			return nil, err
		}
	}
	for _, j := range ch.Left {
		if err := c.cfg.Store.DeleteBookmarks(ctx, host, j.Local(), room); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) { c.tell(ctx, ch) }, nil
}

// bookmark gives an account's bookmark of a room, with which clients enter it if it is new.
func (c *Company) bookmark(ctx context.Context, account, room string) (store.Bookmark, error) {
	bs, err := c.cfg.Store.Bookmarks(ctx, c.cfg.Host.Domain, account)
	if err != nil {
		return store.Bookmark{}, err
	}
	for _, b := range bs {
		if b.Room == room {
			return b, nil
		}
	}
	return store.Bookmark{Room: room, Autojoin: true, Updated: c.cfg.Host.Clock.Now().UTC()}, nil
}

// names gives the full names of people, by localpart.
func (c *Company) names(ctx context.Context, people []jid.JID) (map[string]string, error) {
	locals := make([]string, len(people))
	for i, j := range people {
		locals[i] = j.Local()
	}
	return c.cfg.Store.FullNames(ctx, c.cfg.Host.Domain, locals)
}

// Title gives the name under which somebody sees a conversation: the one that its people gave it, or the names of the
// others.
func Title(given string, people []jid.JID, who jid.JID, names map[string]string) string {
	if given != "" {
		return given
	}
	return list(slices.DeleteFunc(slices.Clone(people), func(j jid.JID) bool { return j == who }), names)
}

// list gives the names of people, in order.
func list(people []jid.JID, names map[string]string) string {
	all := make([]string, len(people))
	for i, j := range people {
		all[i] = nameOf(j, names)
	}
	slices.SortFunc(all, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return strings.Join(all, ", ")
}

func nameOf(j jid.JID, names map[string]string) string { return cmp.Or(names[j.Local()], j.Name()) }

// Says gives what the room says of a change, in the organization's language.
func (c *Company) Says(ctx context.Context, ch muc.SeveralChange) (string, error) {
	names, err := c.names(ctx, append(slices.Clone(ch.Added), ch.By))
	if err != nil {
		return "", err
	}
	words, by := c.cfg.Words.Lang(c.cfg.Lang()), nameOf(ch.By, names)
	switch {
	case len(ch.Added) > 0:
		return words.T("{{.Name}} added {{.People}}", "Name", by, "People", list(ch.Added, names)), nil
	case len(ch.Left) > 0:
		return words.T("{{.Name}} has left the conversation", "Name", by), nil
	case ch.Named && ch.Title != "":
		return words.T("{{.Name}} named this conversation {{.Title}}", "Name", by, "Title", ch.Title), nil
	case ch.Named:
		return words.T("{{.Name}} took the name of this conversation away", "Name", by), nil
	}
	return "", nil
}

// tell has clients of the people learn of their bookmarks.
func (c *Company) tell(ctx context.Context, ch muc.SeveralChange) {
	failed := func(j jid.JID, err error) {
		if err != nil {
			c.cfg.Host.Log.Error("cannot tell of a bookmark", "account", j.Local(), "err", err)
		}
	}
	for _, j := range ch.People {
		failed(j, c.cfg.Bookmarks.Added(ctx, j.Local(), []jid.JID{ch.Room}))
	}
	for _, j := range ch.Left {
		failed(j, c.cfg.Bookmarks.Removed(ctx, j.Local(), []jid.JID{ch.Room}))
	}
	if c.cfg.Told != nil {
		c.cfg.Told(ctx, ch)
	}
}
