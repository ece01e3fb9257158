package push

import (
	"context"
	"strings"

	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Messages in rooms wake two kinds of clients: one that is asleep, by what is kept for it, and one that is gone, by
// Heard, which the rooms call. For both it counts what the person wants to be notified of.

// Wish is what a person wants to be notified of in a room.
type Wish struct {
	All      bool
	Mentions bool   // messages that mention them; true with All
	Nick     string // their nick in the room; "" if unknown
}

func (c *Config) wish(ctx context.Context, account string, room jid.JID) (Wish, error) {
	if c.Wish == nil {
		return Wish{All: true, Mentions: true}, nil
	}
	return c.Wish(ctx, account, room)
}

// Any says whether somebody of the host has push on. It costs nothing.
func (p *Push) Any() bool { return p.users.Load() > 0 }

// On says whether an account has push on. It costs nothing.
func (p *Push) On(account string) bool { _, ok := p.on.Load(account); return ok }

// turned notes whether an account has push on.
func (p *Push) turned(account string, on bool) {
	if on {
		if _, was := p.on.LoadOrStore(account, true); !was {
			p.users.Add(1)
		}
	} else if _, was := p.on.LoadAndDelete(account); was {
		p.users.Add(-1)
	}
}

// loadUsers finds the accounts that use push.
func (p *Push) loadUsers(ctx context.Context) error {
	names, err := p.st.PrivateOwners(ctx, p.h.Domain, keptSpace, keptName)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := p.loadUser(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// loadUser reads whether an account uses push, and with "" which accounts do. Registrations stay in memory: who notes
// that a client sleeps cannot wait for them.
func (p *Push) loadUser(ctx context.Context, name string) error {
	if name == "" {
		return p.loadUsers(ctx)
	}
	for {
		drops := p.known.Drops()
		rs, err := p.registrations(ctx, name)
		if err != nil {
			p.turned(name, true) // perhaps
			return err
		}
		p.turned(name, len(rs) > 0)
		if p.known.Drops() == drops { // otherwise they may have changed meanwhile
			return nil
		}
	}
}

// Heard wakes the apps of an account without connected clients, because of a message in a room with this id (0: none).
// The caller has checked that the person wants to know.
func (p *Push) Heard(ctx context.Context, account string, room jid.JID, id store.ID) error {
	return p.wakeGone(ctx, account, room, id, false)
}

// Mention wakes the apps of an account that are not connected, because a message in a room mentions it.
func (p *Push) Mention(ctx context.Context, account string, room jid.JID, id store.ID) error {
	if !p.On(account) {
		return nil
	}
	w, err := p.cfg.wish(ctx, account, room)
	if err != nil || !w.Mentions {
		return err
	}
	return p.wakeGone(ctx, account, room, id, true)
}

func (p *Push) wakeGone(ctx context.Context, account string, room jid.JID, id store.ID, urgent bool) error {
	rs, err := p.registrations(ctx, account)
	if err != nil || len(rs) == 0 {
		return err
	}
	a := p.h.Account(account)
	for _, r := range rs {
		s := a.Session(r.Device)
		switch {
		case s == nil, urgent && p.calls(account, r.Device, id):
			p.wake(account, r, room, id, urgent)
		case urgent && s.Node() != "":
			p.h.Everywhere.Tell(mentionName, mention{account, r.Device, room, id})
		}
	}
	return nil
}

// mention says to other nodes that a message in a room mentions an account, for a client of it that may be asleep
// there.
type mention struct {
	Account, Device string
	Room            jid.JID
	ID              store.ID
}

// mentionName is the name under which other nodes hear of mentions.
const mentionName = "push"

// mentioned takes a mention from another node.
func (p *Push) mentioned(ctx context.Context, m mention) (any, error) {
	s := p.h.Account(m.Account).Session(m.Device)
	if s == nil || s.Node() != "" || !p.calls(m.Account, m.Device, m.ID) {
		return nil, nil
	}
	rs, err := p.registrations(ctx, m.Account)
	for _, r := range rs {
		if r.Device == m.Device {
			p.wake(m.Account, r, m.Room, m.ID, true)
		}
	}
	return nil, err
}

// Mentions are found at the same time as messages are kept for clients that are asleep: whichever comes later sees the
// other, and wakes the client.

// message identifies a room's message for one client.
type message struct {
	account, device string
	id              store.ID
}

// calls notes that a message mentions an account, and says whether it is kept for a client that is asleep.
func (p *Push) calls(account, device string, id store.ID) bool {
	return p.meet(p.called, p.kept, account, device, id)
}

// keeps notes that a message is kept for a client that is asleep, and says whether it mentions the account.
func (p *Push) keeps(account, device string, id store.ID) bool {
	return p.meet(p.kept, p.called, account, device, id)
}

func (p *Push) meet(mine, other map[message]struct{}, account, device string, id store.ID) bool {
	if id == 0 {
		return false
	}
	m := message{account, device, id}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(mine) >= maxQueue {
		clear(mine) // old ones are no longer needed
	}
	mine[m] = struct{}{}
	_, met := other[m]
	return met
}

// slept is a room's message that is kept for a client that is asleep.
type slept struct {
	account string
	r       registration
	st      *wire.Stanza
}

// sleeper queues a message that is kept for a client in a room; the worker finds out whether it wakes the client.
func (p *Push) sleeper(account string, r registration, st *wire.Stanza) {
	select {
	case p.slept <- slept{account, r, st}:
	default: // thousands wait: the next message will wake the app
	}
}

func (p *Push) wakeSleepers(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-p.slept:
			room := s.st.From.Bare()
			w, err := p.cfg.wish(ctx, s.account, room)
			if err != nil && ctx.Err() == nil {
				p.h.Log.Error("cannot find out whether somebody wants to be notified", "account", s.account, "err", err)
			}
			id, called := idBy(s.st, room), false
			switch {
			case w.All || !w.Mentions:
			case p.h.Router.Local(room.Domain()):
				called = p.keeps(s.account, s.r.Device, id)
			default: // nobody here could find that out for a room of another server
				called = addresses(s.st, s.account, p.h.Domain, w.Nick)
			}
			if w.All || called {
				p.wake(s.account, s.r, s.st.From, id, called)
			}
		}
	}
}

// idBy gives the id that a room has given a message; 0 if there is none.
func idBy(st *wire.Stanza, room jid.JID) store.ID {
	for _, c := range st.Children {
		if c.Name != (wire.Name{Space: wire.NSSID, Local: "stanza-id"}) {
			continue
		}
		if e, err := wire.ParseElement(st.Raw(c), wire.NSClient); err == nil && e.Attr("by") == room.String() {
			if id, err := store.ParseID(e.Attr("id")); err == nil {
				return id
			}
		}
	}
	return 0
}

// addresses says whether a room's message mentions somebody: by a reference (XEP-0372), by name, or all.
func addresses(st *wire.Stanza, account, domain, nick string) bool {
	for _, c := range st.Children {
		if c.Name.Space != "urn:xmpp:reference:0" {
			continue
		}
		e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
		if err != nil || e.Attr("type") != "mention" {
			continue
		}
		uri, _, _ := strings.Cut(strings.TrimPrefix(e.Attr("uri"), "xmpp:"), "?")
		j, err := jid.Parse(uri)
		if err == nil && (j.Local() == account && j.Domain() == domain ||
			nick != "" && j.Resource() == nick && j.Bare() == st.From.Bare()) {
			return true
		}
	}
	m, _ := messages.Of(st) // what it repeats of another message calls nobody
	text := strings.ToLower(m.Text)
	for _, name := range []string{account, nick, "all", "everyone", "here"} {
		if name != "" && strings.Contains(text, "@"+strings.ToLower(name)) {
			return true
		}
	}
	return false
}

// asleep handles a stanza that is kept for a client without a connection, which may resume (XEP-0198).
func (p *Push) asleep(s *server.Session, st *wire.Stanza) {
	if !important(st) {
		return
	}
	rs, _ := p.known.Get(s.JID.Local())
	for _, r := range rs {
		if r.Device != s.JID.Resource() {
			continue
		}
		if st.Type == "groupchat" {
			p.sleeper(s.JID.Local(), r, st)
		} else {
			p.wake(s.JID.Local(), r, st.From, 0, true)
		}
	}
}
