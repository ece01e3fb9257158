package puppet

import (
	"context"
	"time"

	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Rooms acts in rooms for people on pages (admin.Rooms). It uses a session that is unavailable everywhere, and that
// enters no room.
type Rooms struct {
	// Store keeps people's bookmarks.
	Store Store
	// Host gives a hosted domain, and Service the rooms at a domain; nil if there is none.
	Host    func(domain string) *server.Host
	Service func(domain string) *muc.Service
	// Name gives the name that a person shows.
	Name func(ctx context.Context, account jid.JID) (string, error)
	// References gives the references (XEP-0372) to people whom a text mentions, for clients that notify only by those.
	References func(ctx context.Context, account, room jid.JID, text string) []*wire.Element
}

// Store is what Rooms asks of the store.
type Store interface {
	Bookmarks(ctx context.Context, host, user string) ([]store.Bookmark, error)
}

const roomTime = 10 * time.Second // for everything

// in acts in a room with a session of an account, and names under which the person may appear there.
func (r Rooms) in(
	ctx context.Context, account, room jid.JID,
	do func(ctx context.Context, s *muc.Service, x *Session, nicks []string) error,
) error {
	ctx, cancel := context.WithTimeout(ctx, roomTime)
	defer cancel()
	shown, err := r.Name(ctx, account)
	if err != nil {
		return err
	}
	h, s := r.Host(account.Domain()), r.Service(room.Domain())
	if h == nil || s == nil {
		return server.ItemNotFound
	}
	x, err := Bind(ctx, h, account.Local(), "web")
	if err != nil {
		return err
	}
	defer x.Leave(context.WithoutCancel(ctx))
	nicks := []string{r.nick(ctx, account, room), shown, account.Name(), account.Name() + " (web)"}
	return do(ctx, s, x, nicks)
}

// say sends a message to a room.
func (r Rooms) say(ctx context.Context, account, room jid.JID, es ...*wire.Element) error {
	return r.in(ctx, account, room, func(ctx context.Context, s *muc.Service, x *Session, nicks []string) error {
		st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", ID: x.Host.NewID(), To: room}
		_, _, err := s.Speak(ctx, x.JID, nicks, st.Add(es...))
		return err
	})
}

// Say sends a message to a room.
func (r Rooms) Say(ctx context.Context, account, room jid.JID, text string) error {
	es := []*wire.Element{wire.T(wire.NSClient, "body", text)}
	return r.say(ctx, account, room, append(es, r.References(ctx, account, room, text)...)...)
}

// Retract retracts a message of the account (XEP-0424).
func (r Rooms) Retract(ctx context.Context, account, room jid.JID, id string) error {
	return r.say(ctx, account, room, wire.E(wire.NSRetract, "retract").Set("id", id), wire.E(wire.NSHints, "store"))
}

// Moderate retracts somebody else's message (XEP-0425).
func (r Rooms) Moderate(ctx context.Context, account, room jid.JID, id, reason string) error {
	return r.in(ctx, account, room, func(ctx context.Context, s *muc.Service, x *Session, nicks []string) error {
		return s.Moderate(ctx, x.JID, room, id, reason, nicks...)
	})
}

// Kick removes all occupants of a person from a room (XEP-0045, section 8.2).
func (r Rooms) Kick(ctx context.Context, account, room, who jid.JID, reason string) error {
	return r.in(ctx, account, room, func(ctx context.Context, s *muc.Service, x *Session, nicks []string) error {
		return s.Kick(ctx, x.JID, room, who, reason, nicks...)
	})
}

// nick gives the nickname in the person's bookmark of the room.
func (r Rooms) nick(ctx context.Context, account, room jid.JID) string {
	bs, err := r.Store.Bookmarks(ctx, account.Domain(), account.Local())
	if err != nil {
		return ""
	}
	for _, b := range bs {
		if b.Room == room.String() {
			return b.Nick
		}
	}
	return ""
}
