package puppet

import (
	"context"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Rooms acts in rooms for people on pages (admin.Rooms). It uses a session that is unavailable everywhere else: it
// enters the room, acts, and leaves.
type Rooms struct {
	// Store keeps people's bookmarks.
	Store Store
	// Host gives a hosted domain; nil if there is none.
	Host func(domain string) *server.Host
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

// in acts with a session of an account that is in the room meanwhile.
func (r Rooms) in(ctx context.Context, account, room jid.JID, do func(ctx context.Context, x *Session) error) error {
	ctx, cancel := context.WithTimeout(ctx, roomTime)
	defer cancel()
	shown, err := r.Name(ctx, account)
	if err != nil {
		return err
	}
	h := r.Host(account.Domain())
	if h == nil {
		return server.ItemNotFound
	}
	x, err := Bind(ctx, h, account.Local(), "web")
	if err != nil {
		return err
	}
	defer x.Leave(context.WithoutCancel(ctx))
	for i, nick := range []string{r.nick(ctx, account, room), shown, account.Name(), account.Name() + " (web)"} {
		if nick == "" {
			continue
		}
		if err = x.Join(ctx, room, nick); err == nil {
			break
		}
		if i == 3 || !strings.Contains(err.Error(), "conflict") {
			return err
		}
	}
	return do(ctx, x)
}

// Say sends a message to a room.
func (r Rooms) Say(ctx context.Context, account, room jid.JID, text string) error {
	return r.in(ctx, account, room, func(ctx context.Context, x *Session) error {
		return x.Say(ctx, room, text, r.References(ctx, account, room, text)...)
	})
}

// Retract retracts a message of the account (XEP-0424).
func (r Rooms) Retract(ctx context.Context, account, room jid.JID, id string) error {
	return r.in(ctx, account, room, func(ctx context.Context, x *Session) error {
		st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", ID: x.Host.NewID(), To: room}
		st.Add(wire.E(wire.NSRetract, "retract").Set("id", id)).Add(wire.E(wire.NSHints, "store"))
		x.Write(ctx, st)
		return x.wait(ctx, func(got *wire.Stanza) bool { return got.Kind == wire.Message && got.ID == st.ID })
	})
}

// Moderate retracts somebody else's message (XEP-0425).
func (r Rooms) Moderate(ctx context.Context, account, room jid.JID, id, reason string) error {
	q := wire.E(wire.NSModerate, "moderate", wire.E(wire.NSRetract, "retract")).Set("id", id)
	if reason != "" {
		q.Add(wire.T(wire.NSModerate, "reason", reason))
	}
	return r.in(ctx, account, room, func(ctx context.Context, x *Session) error { return x.ask(ctx, room, q) })
}

// Kick removes all occupants of a person from a room (XEP-0045, section 8.2).
func (r Rooms) Kick(ctx context.Context, account, room, who jid.JID, reason string) error {
	return r.in(ctx, account, room, func(ctx context.Context, x *Session) error {
		nicks, err := x.occupants(ctx, room, who)
		if err != nil {
			return err
		}
		if len(nicks) == 0 {
			return fault.New(fault.NotFound, "", "{{.Name}} is not in the room now", "Name", who.String())
		}
		for _, nick := range nicks {
			it := wire.E(wire.NSMUCAdmin, "item").Set("nick", nick).Set("role", "none")
			if reason != "" {
				it.Add(wire.T(wire.NSMUCAdmin, "reason", reason))
			}
			if err := x.ask(ctx, room, wire.E(wire.NSMUCAdmin, "query", it)); err != nil {
				return err
			}
		}
		return nil
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
