package node

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

// ears wakes people's phones for messages in rooms while their clients are gone. Rooms hand over each message and go
// on. It costs nothing if nobody there has push on, and otherwise runs beside the rooms.
type ears struct {
	n *Node
	h *host

	wake chan struct{} // of size 1

	mu      sync.Mutex
	waiting map[jid.JID][]groups.Heard
}

// maxHeard is how many messages of one room can wait: an app that is woken for the latest one fetches them all.
const maxHeard = 50

func newEars(n *Node, h *host) *ears {
	return &ears{n: n, h: h, wake: make(chan struct{}, 1), waiting: make(map[jid.JID][]groups.Heard)}
}

// hear takes a message from a room (groups.Config.Heard).
func (e *ears) hear(m groups.Heard) {
	if !e.n.alerts[e.h.Domain].Any() {
		return
	}
	e.mu.Lock()
	ms := append(e.waiting[m.Room], m)
	e.waiting[m.Room] = ms[max(0, len(ms)-maxHeard):]
	e.mu.Unlock()
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

func (e *ears) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		}
		e.mu.Lock()
		all := e.waiting
		e.waiting = make(map[jid.JID][]groups.Heard)
		e.mu.Unlock()
		for _, ms := range all {
			if err := e.tell(ctx, ms); err != nil && ctx.Err() == nil {
				e.n.Log.Error("cannot push messages of a room", "room", ms[0].Room.String(), "err", err)
			}
		}
	}
}

// tell wakes the people who want to know of a room's messages.
func (e *ears) tell(ctx context.Context, ms []groups.Heard) error {
	alerts, room := e.n.alerts[e.h.Domain], ms[0].Room
	who, err := e.h.rooms.PeopleOf(ctx, ms[0])
	if err != nil {
		return ignoreGone(err)
	}
	who = slices.DeleteFunc(who, func(j jid.JID) bool { return j.Domain() != e.h.Domain || !alerts.On(j.Local()) })
	slices.SortFunc(who, func(a, b jid.JID) int { return strings.Compare(a.Local(), b.Local()) })
	for _, j := range who {
		w, enters, err := e.n.wish(ctx, e.h.Host, j.Local(), room)
		if err != nil {
			return err
		}
		for _, m := range ms {
			if !w.All || !enters || m.By == j.String() || slices.Contains(m.Mentioned, j) {
				continue
			}
			if err := alerts.Heard(ctx, j.Local(), room, m.ID); err != nil {
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
func (n *Node) wish(ctx context.Context, h *server.Host, account string,
	room jid.JID) (w push.Wish, enters bool, err error) {
	s, err := n.bookmarks[h.Domain].SettingOf(ctx, account, room)
	if err != nil || s.Level == bookmarks.Never {
		return push.Wish{}, s.Enters, err
	}
	w = push.Wish{Mentions: true, Nick: s.Nick}
	switch s.Level {
	case bookmarks.Always:
		w.All = true
	case bookmarks.Unset:
		w.All = true
		for _, x := range n.hosts {
			if x.Domain == h.Domain && room.Domain() == n.Org.RoomDomain(h.Domain) {
				w.All = x.rooms.ForMembers(room)
			}
		}
	}
	return w, s.Enters, nil
}

// silent gives push.Config.Silent: it goes by people's quiet hours and by their clients' presence.
func (n *Node) silent(h *server.Host,
	p *people.People) func(ctx context.Context, account string, at time.Time) (bool, error) {
	return func(ctx context.Context, account string, at time.Time) (bool, error) {
		if undisturbed(h, account) {
			return true, nil
		}
		return p.IsQuiet(ctx, account, at)
	}
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
func (n *Node) tellOfTheme(ctx context.Context, e org.Event) {
	alerts, h := n.alerts[e.Host], n.Router.Host(e.Host)
	if alerts == nil || h == nil || !alerts.Any() {
		return
	}
	main := n.Org.RoomJID(e.Host, e.Group.Room)
	for _, account := range e.Joined {
		if !alerts.On(account) || account == e.Actor.Local() && e.Actor.Domain() == e.Host {
			continue
		}
		w, enters, err := n.wish(ctx, h, account, main)
		if err == nil && w.Mentions && (e.Theme.Restricted || !w.All || !enters) {
			err = alerts.Heard(ctx, account, e.Rooms[0], store.ID(0))
		}
		if err != nil && ctx.Err() == nil {
			n.Log.Error("cannot push a new theme", "account", account, "err", err)
		}
	}
}
