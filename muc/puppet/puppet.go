// Package puppet has sessions without a connection, which the server moves itself. They act in rooms like clients, so
// the rooms' rules apply, and others see what they do as if it came from an app.
package puppet

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Session is a session of an account without a connection. It is for one goroutine.
type Session struct {
	*server.Session
	got chan *wire.Stanza
}

// Bind makes a session of an account of h, which has sent no presence: no contact sees it. transport is what lists of
// sessions call its way here. The caller calls Leave at the end.
func Bind(ctx context.Context, h *server.Host, account, transport string) (*Session, error) {
	x := &Session{got: make(chan *wire.Stanza, 256)}
	s, err := h.Bind(ctx, account, "", server.Generate, outbound{x.got}, server.SessionInfo{Transport: transport})
	if err != nil {
		return nil, err
	}
	x.Session = s
	return x, nil
}

// outbound takes what the server sends to the session (server.Outbound).
type outbound struct{ got chan *wire.Stanza }

// Send takes a stanza for the session. Stanzas that do not fit into the queue are dropped: nobody waits for them.
func (o outbound) Send(st *wire.Stanza, _ jid.JID) error {
	select {
	case o.got <- st:
	default:
	}
	return nil
}

func (o outbound) Close(*wire.StreamError) {}

// Leave ends the session.
func (x *Session) Leave(ctx context.Context) { x.Host.Unbind(ctx, x.Session) }

// Write gives a stanza to the server as if a client had sent it.
func (x *Session) Write(ctx context.Context, st *wire.Stanza) {
	st.Name = wire.Name{Space: wire.NSClient, Local: st.Kind.String()}
	st.From = x.JID
	x.Host.Sent(ctx, x.Session, st)
}

// Join enters a room under a nickname, and returns when the room has let the session in or has refused it.
func (x *Session) Join(ctx context.Context, room jid.JID, nick string) error {
	here, err := jid.New(room.Local(), room.Domain(), nick)
	if err != nil {
		return err
	}
	x.Write(ctx, (&wire.Stanza{Kind: wire.Presence, To: here}).Add(wire.E(wire.NSMUC, "x")))
	return x.wait(ctx, func(st *wire.Stanza) bool {
		e := st.Element(wire.NSMUCUser, "x")
		// the room may have changed the nick
		return st.Kind == wire.Presence && st.From.Bare() == room.Bare() && e != nil && hasStatus(e, "110")
	})
}

func hasStatus(x *wire.Element, code string) bool {
	for _, c := range x.Elements() {
		if c.Name.Local == "status" && c.Attr("code") == code {
			return true
		}
	}
	return false
}

// Say sends a message to a person or a room, with more elements beside its text. It returns when a room has sent the
// message to everyone.
func (x *Session) Say(ctx context.Context, to jid.JID, text string, more ...*wire.Element) error {
	st := &wire.Stanza{Kind: wire.Message, Type: "chat", ID: strings.ToLower(rand.Text()), To: to}
	room := x.Host.Router.Host(to.Domain()) == nil
	if room {
		st.Type = "groupchat"
	}
	x.Write(ctx, st.Add(wire.T(wire.NSClient, "body", text)).Add(more...))
	if !room {
		return nil
	}
	return x.wait(ctx, func(got *wire.Stanza) bool { return got.Kind == wire.Message && got.ID == st.ID })
}

// wait reads the session's stanzas until is returns true; an error stanza ends it with an error.
func (x *Session) wait(ctx context.Context, is func(*wire.Stanza) bool) error {
	for {
		select {
		case st := <-x.got:
			if st.Type == "error" {
				return fmt.Errorf("%s has answered %s", st.From, st.Payload)
			}
			if is(st) {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("no answer for %s: %w", x.JID, ctx.Err())
		}
	}
}
