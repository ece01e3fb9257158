package node

import (
	"context"
	"errors"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/wire"
	"parley/wire/jid"
)

// webRooms acts in rooms for people on pages. It uses a session that is unavailable everywhere else: it enters the
// room, acts, and leaves. So the room's rules apply, and others see the action as if it came from an app.
type webRooms struct{ n *Node }

const roomTime = 10 * time.Second // for everything

// in acts with a session of an account that is in the room meanwhile.
func (w webRooms) in(ctx context.Context, account, room jid.JID, do func(ctx context.Context, x *actor) error) error {
	ctx, cancel := context.WithTimeout(ctx, roomTime)
	defer cancel()
	u, err := w.n.people[account.Domain()].Get(ctx, account.Local())
	if err != nil {
		return err
	}
	x, err := w.n.hidden(ctx, account, "web")
	if err != nil {
		return err
	}
	defer x.leave(context.WithoutCancel(ctx))
	for i, nick := range []string{w.nick(ctx, account, room), u.Display(), account.Name(), account.Name() + " (web)"} {
		if nick == "" {
			continue
		}
		if err = x.joinAs(ctx, room, nick); err == nil {
			break
		}
		if i == 3 || !strings.Contains(err.Error(), "conflict") {
			return err
		}
	}
	return do(ctx, x)
}

func (w webRooms) Say(ctx context.Context, account, room jid.JID, text string) error {
	return w.in(ctx, account, room, func(ctx context.Context, x *actor) error {
		return x.say(ctx, room, text, w.n.references(ctx, account, room, text)...)
	})
}

// references gives the references (XEP-0372) to people whom a text mentions, for clients that notify only by those.
func (n *Node) references(ctx context.Context, account, room jid.JID, text string) []*wire.Element {
	for _, h := range n.hosts {
		if h.Domain != account.Domain() {
			continue
		}
		es, err := h.rooms.References(ctx, room, account, text)
		if err != nil { // the message is sent without them
			n.Log.Error("cannot find the people whom a message mentions", "room", room.String(), "err", err)
		}
		return es
	}
	return nil
}

// Retract retracts a message of the account (XEP-0424).
func (w webRooms) Retract(ctx context.Context, account, room jid.JID, id string) error {
	return w.in(ctx, account, room, func(ctx context.Context, x *actor) error {
		st := &wire.Stanza{Kind: wire.Message, Type: "groupchat", ID: x.s.Host.NewID(), To: room}
		st.Add(wire.E(wire.NSRetract, "retract").Set("id", id)).Add(wire.E(wire.NSHints, "store"))
		x.send(ctx, st)
		return x.wait(ctx, func(got *wire.Stanza) bool { return got.Kind == wire.Message && got.ID == st.ID })
	})
}

// Moderate retracts somebody else's message (XEP-0425).
func (w webRooms) Moderate(ctx context.Context, account, room jid.JID, id, reason string) error {
	q := wire.E(wire.NSModerate, "moderate", wire.E(wire.NSRetract, "retract")).Set("id", id)
	if reason != "" {
		q.Add(wire.T(wire.NSModerate, "reason", reason))
	}
	return w.in(ctx, account, room, func(ctx context.Context, x *actor) error { return x.ask(ctx, room, q) })
}

// Kick removes all occupants of a person from a room (XEP-0045, section 8.2).
func (w webRooms) Kick(ctx context.Context, account, room, who jid.JID, reason string) error {
	return w.in(ctx, account, room, func(ctx context.Context, x *actor) error {
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
func (w webRooms) nick(ctx context.Context, account, room jid.JID) string {
	bs, err := w.n.Store.Bookmarks(ctx, account.Domain(), account.Local())
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

// ask sends a request that changes something, and waits for the answer.
func (a *actor) ask(ctx context.Context, to jid.JID, q *wire.Element) error {
	_, err := a.query(ctx, "set", to, q)
	return err
}

func (a *actor) query(ctx context.Context, typ string, to jid.JID, q *wire.Element) (answer *wire.Stanza, err error) {
	st := &wire.Stanza{Kind: wire.IQ, Type: typ, ID: a.s.Host.NewID(), To: to}
	a.send(ctx, st.Add(q))
	for {
		select {
		case got := <-a.got:
			switch {
			case got.Kind != wire.IQ || got.ID != st.ID:
			case got.Type == "error":
				return nil, refused(got)
			default:
				return got, nil
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// refused says in words why a room refused a request.
func refused(got *wire.Stanza) error {
	e := got.Element(wire.NSClient, "error")
	text := e.ChildText("urn:ietf:params:xml:ns:xmpp-stanzas", "text")
	kind := fault.Invalid
	for _, c := range e.Elements() {
		switch c.Name.Local {
		case "forbidden", "not-authorized":
			kind = fault.Forbidden
		case "not-allowed":
			kind = fault.NotAllowed
		case "item-not-found":
			kind = fault.NotFound
		}
		if text == "" && c.Name.Space == "urn:ietf:params:xml:ns:xmpp-stanzas" {
			text = c.Name.Local
		}
	}
	if text == "" {
		return errors.New("the room has refused it without a reason")
	}
	return fault.New(kind, "", text)
}

// occupants gives the nicknames under which a person is in a room.
func (a *actor) occupants(ctx context.Context, room, who jid.JID) (nicks []string, err error) {
	for _, role := range []string{"moderator", "participant", "visitor"} {
		got, err := a.query(ctx, "get", room,
			wire.E(wire.NSMUCAdmin, "query", wire.E(wire.NSMUCAdmin, "item").Set("role", role)))
		if err != nil {
			return nil, err
		}
		for _, it := range got.Element(wire.NSMUCAdmin, "query").Elements() {
			if j, err := jid.Parse(it.Attr("jid")); err == nil && j.Bare() == who {
				nicks = append(nicks, it.Attr("nick"))
			}
		}
	}
	return nicks, nil
}
