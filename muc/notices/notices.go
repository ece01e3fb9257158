// Package notices tells people of what happens in rooms while their clients are not there: it wakes phones, notes
// mentions and pushes bookmarks.
package notices

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/feature/bookmarks"
	"parley/feature/push"
	"parley/internal/fault"
	"parley/muc/groups"
	"parley/org"
	"parley/people"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config is what Notices needs.
type Config struct {
	Host   *server.Host
	Store  Store
	Org    *org.Org
	People *people.People
	// MaxBookmarks is how many bookmarks an account may have.
	MaxBookmarks int
}

// Store is what Notices asks of the store.
type Store interface {
	AddMentions(ctx context.Context, host, room string, id store.ID, users ...string) error
	Bookmarks(ctx context.Context, host, user string) ([]store.Bookmark, error)
	Follow(ctx context.Context, host, theme, user string) (state string, since time.Time, err error)
	SetBookmarks(ctx context.Context, host, user string, max int, bs ...store.Bookmark) error
}

// Alerts wakes what people have beside them while their clients are not there: phones (feature/push), browsers
// (feature/webpush).
type Alerts interface {
	// Any says whether somebody of the host has asked for it, and On whether an account has. They cost nothing.
	Any() bool
	On(account string) bool
	// Heard tells an account of a message in a room (0: of the room itself), once it is known that the person wants it.
	Heard(ctx context.Context, account string, room jid.JID, id store.ID) error
	// Mention tells an account that a message in a room mentions it, if the person wants that.
	Mention(ctx context.Context, account string, room jid.JID, id store.ID) error
}

// Notices tells the people of one host. Rooms hand over each message and go on. It costs nothing if nobody there has
// push on, and otherwise runs beside the rooms. What it needs to tell them is set before the host serves.
type Notices struct {
	Bookmarks *bookmarks.Bookmarks
	Alerts    []Alerts
	Rooms     *groups.Service

	cfg  Config
	wake chan struct{} // of size 1

	mu      sync.Mutex
	waiting map[jid.JID][]groups.Heard
}

// maxHeard is how many messages of one room can wait: an app that is woken for the latest one fetches them all.
const maxHeard = 50

// New makes the notices of a host; its fields are set later.
func New(c Config) *Notices {
	return &Notices{cfg: c, wake: make(chan struct{}, 1), waiting: make(map[jid.JID][]groups.Heard)}
}

// any says whether somebody of the host wants to be told.
func (n *Notices) any() bool { return slices.ContainsFunc(n.Alerts, Alerts.Any) }

// on says whether an account wants to be told.
func (n *Notices) on(account string) bool {
	return slices.ContainsFunc(n.Alerts, func(a Alerts) bool { return a.On(account) })
}

// heard tells an account of a message in a room.
func (n *Notices) heard(ctx context.Context, account string, room jid.JID, id store.ID) error {
	for _, a := range n.Alerts {
		if err := a.Heard(ctx, account, room, id); err != nil {
			return err
		}
	}
	return nil
}

// Heard takes a message from a room (groups.Config.Heard).
func (n *Notices) Heard(m groups.Heard) {
	if !n.any() {
		return
	}
	n.mu.Lock()
	ms := append(n.waiting[m.Room], m)
	n.waiting[m.Room] = ms[max(0, len(ms)-maxHeard):]
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// Run wakes phones for the messages that rooms have handed over, until ctx ends.
func (n *Notices) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.wake:
		}
		n.mu.Lock()
		all := n.waiting
		n.waiting = make(map[jid.JID][]groups.Heard)
		n.mu.Unlock()
		for _, ms := range all {
			if err := n.tell(ctx, ms); err != nil && ctx.Err() == nil {
				n.cfg.Host.Log.Error("cannot push messages of a room", "room", ms[0].Room.String(), "err", err)
			}
		}
	}
}

// tell wakes the people who want to know of a room's messages.
func (n *Notices) tell(ctx context.Context, ms []groups.Heard) error {
	room := ms[0].Room
	who, err := n.Rooms.PeopleOf(ctx, ms[0])
	if err != nil {
		return ignoreGone(err)
	}
	who = slices.DeleteFunc(who, func(j jid.JID) bool {
		return j.Domain() != n.cfg.Host.Domain || !n.on(j.Local())
	})
	slices.SortFunc(who, func(a, b jid.JID) int { return strings.Compare(a.Local(), b.Local()) })
	for _, j := range who {
		w, enters, err := n.wish(ctx, j.Local(), room)
		if err != nil {
			return err
		}
		for _, m := range ms {
			if !w.All || !enters || m.By == j.String() || slices.Contains(m.Mentioned, j) {
				continue
			}
			if err := n.heard(ctx, j.Local(), room, m.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// ignoreGone drops the error that a group is gone: there is nobody to tell.
func ignoreGone(err error) error {
	if fault.Of(err) != nil {
		return nil
	}
	return err
}

// wish gives what a person wants to be notified of in a room, and whether their clients enter it by themselves. Without
// a choice they are notified of everything in a room for members only, and of mentions elsewhere (XEP-0492, section 3).
func (n *Notices) wish(ctx context.Context, account string, room jid.JID) (w push.Wish, enters bool, err error) {
	s, err := n.Bookmarks.SettingOf(ctx, account, room)
	if err != nil || s.Level == bookmarks.Never {
		return push.Wish{}, s.Enters, err
	}
	w = push.Wish{Mentions: true, Nick: s.Nick}
	switch s.Level {
	case bookmarks.Always:
		w.All = true
	case bookmarks.Unset:
		w.All = true
		if n.Rooms != nil && room.Domain() == n.cfg.Org.RoomDomain(n.cfg.Host.Domain) {
			w.All = n.Rooms.ForMembers(room)
		}
	}
	return w, s.Enters, nil
}

// Wish gives what a person wants to be notified of in a room (push.Config.Wish).
func (n *Notices) Wish(ctx context.Context, account string, room jid.JID) (push.Wish, error) {
	w, _, err := n.wish(ctx, account, room)
	return w, err
}

// Silent says whether a person is not to be disturbed at a time, by their quiet hours and by their clients' presence
// (push.Config.Silent).
func (n *Notices) Silent(ctx context.Context, account string, at time.Time) (bool, error) {
	if undisturbed(n.cfg.Host, account) {
		return true, nil
	}
	return n.cfg.People.IsQuiet(ctx, account, at)
}

// undisturbed says whether one of a person's clients shows "do not disturb" (RFC 6121, section 4.7.2.1).
func undisturbed(h *server.Host, account string) bool {
	for _, s := range h.Account(account).Sessions() {
		pr, _ := s.Presence()
		if pr != nil && pr.Element(wire.NSClient, "show").Text() == "dnd" {
			return true
		}
	}
	return false
}

// tellOfTheme wakes the phones of people who follow a new theme, except those whom its announcement in the group's room
// wakes.
func (n *Notices) tellOfTheme(ctx context.Context, e org.Event) {
	if !n.any() {
		return
	}
	main := n.cfg.Org.RoomJID(e.Host, e.Group.Room)
	for _, account := range e.Joined {
		if !n.on(account) || account == e.Actor.Local() && e.Actor.Domain() == e.Host {
			continue
		}
		w, enters, err := n.wish(ctx, account, main)
		if err == nil && w.Mentions && (e.Theme.Restricted || !w.All || !enters) {
			err = n.heard(ctx, account, e.Rooms[0], store.ID(0))
		}
		if err != nil && ctx.Err() == nil {
			n.cfg.Host.Log.Error("cannot push a new theme", "account", account, "err", err)
		}
	}
}
