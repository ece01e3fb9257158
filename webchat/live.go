package webchat

import (
	"context"
	"errors"

	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// saidInRoom is a stanza that a room has shown to its people.
type saidInRoom struct {
	room   jid.JID
	stanza *wire.Stanza
	id     store.ID // in the archive; 0: not kept
	sender string   // the bare address; "" for the room itself
}

const (
	nsReactions  = store.NSReactions
	nsCorrect    = store.NSCorrect
	nsChatStates = "http://jabber.org/protocol/chatstates"
)

// alters says whether a stanza changes an earlier message, and is none by itself.
func alters(st *wire.Stanza) bool {
	id, _ := server.Retracts(st)
	return id != "" || st.Has(nsReactions, "reactions") || st.Has(nsCorrect, "replace")
}

// inRoom tells browsers of what was said in a room.
func (s *Service) inRoom(ctx context.Context, said saidInRoom) {
	unkept := said.id == 0
	if unkept {
		s.typingInRoom(ctx, said)
		said.id = s.cfg.Host.IDs.Next()
	}
	change := alters(said.stanza)
	if !change && !server.Said(said.stanza) && !said.stanza.Has(wire.NSClient, "subject") {
		return
	}
	m, whole := asKept(said.stanza, said.id, messages.Author{Address: said.sender})
	var err error
	if unkept && change {
		return // what it changes is not known
	}
	if !unkept && (change || !whole) {
		m, err = s.cfg.Messages.InRoom(ctx, said.room.Domain(), said.room.Local(), said.id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		s.failed("cannot show a message to browsers", err, "room", said.room.String())
		return
	}
	s.toViewers(ctx, said.room, &m, !change)
	s.unpinRemoved(ctx, scene{room: said.room}, &m)
}

// asKept gives a message that was kept a moment ago as an archive would give it, without reading it. whole is false if
// it answers another message, whose text only the archive has.
func asKept(st *wire.Stanza, id store.ID, by messages.Author) (m messages.Message, whole bool) {
	m, ok := messages.Of(st)
	m.ID, m.At, m.By.Address = id, id.Time(), by.Address
	return m, ok && m.Reply == nil
}

// messageEvent is a message that is new or different.
type messageEvent struct {
	Conversation string   `json:"conversation"`
	Message      *Message `json:"message"`
	Fresh        bool     `json:"fresh"`
}

// toViewers gives a room's message to the browsers that hear of the room. It is made once for those that see addresses,
// and once for the others.
func (s *Service) toViewers(ctx context.Context, room jid.JID, m *messages.Message, fresh bool) {
	made := make(map[viewer]*Event)
	for b, v := range s.viewers(room.String()) {
		e := made[*v]
		if e == nil {
			shown := s.message(ctx, m, scene{room: room, group: v.group, addressed: v.addressed})
			e = event("message", messageEvent{room.String(), &shown, fresh})
			made[*v] = e
		}
		b.buf.add(e)
	}
}

// typingEvent says that somebody writes something, or has stopped.
type typingEvent struct {
	Conversation string `json:"conversation"`
	By           Author `json:"by"`
	Typing       bool   `json:"typing"`
}

// typing reads a chat state (XEP-0085); ok is false if the stanza has none.
func typing(st *wire.Stanza) (on, ok bool) {
	for i := range st.Children {
		if st.Children[i].Name.Space == nsChatStates {
			return st.Children[i].Name.Local == "composing", true
		}
	}
	return false, false
}

func (s *Service) typingInRoom(ctx context.Context, said saidInRoom) {
	on, ok := typing(said.stanza)
	if !ok || said.stanza.Type == "error" {
		return
	}
	by := messages.Author{Address: said.sender, Nick: said.stanza.From.Resource()}
	by.Occupant = said.stanza.Element(nsOccupantID, "occupant-id").Attr("id")
	for b, v := range s.viewers(said.room.String()) {
		if b.session.JID.Bare().String() == said.sender {
			continue
		}
		who := s.author(ctx, by, scene{room: said.room, group: v.group, addressed: v.addressed})
		b.buf.add(event("typing", typingEvent{said.room.String(), who, on}))
	}
}

const nsOccupantID = "urn:xmpp:occupant-id:0"

// steps has browsers told of what their accounts send and get: the server calls them when a message is kept, whichever
// client it is from or for.
func (s *Service) steps() []server.Step {
	return []server.Step{
		{Stage: server.SentCopy, Kind: wire.Message, Do: func(_ context.Context, p *server.Pass) error {
			s.passed(p, p.Stanza.To, false)
			return nil
		}},
		{Stage: server.ReceivedCopy, Kind: wire.Message, Do: func(_ context.Context, p *server.Pass) error {
			s.passed(p, p.Stanza.From, true)
			return nil
		}},
		{Stage: server.Announce, Kind: wire.Presence, Do: func(_ context.Context, p *server.Pass) error {
			s.presenceMayChange(p.Account)
			return nil
		}},
	}
}

// saidToPerson is a message between an account and somebody else.
type saidToPerson struct {
	account  string
	with     jid.JID // bare
	stanza   *wire.Stanza
	id       store.ID // in the account's archive; 0: not kept
	incoming bool
}

// passed notes a message of an account that has a browser.
func (s *Service) passed(p *server.Pass, with jid.JID, incoming bool) {
	if !s.listens(p.Account) {
		return
	}
	switch p.Stanza.Type {
	case "chat", "normal", "":
	default:
		return
	}
	if with.Local() == "" || with.Domain() == s.cfg.Org.RoomDomain(s.cfg.Host.Domain) {
		return
	}
	if with.Bare().String() == p.Account+"@"+s.cfg.Host.Domain && !incoming {
		return // a note to oneself, which is told of when it comes in
	}
	for _, b := range s.of(p.Account) {
		b.keptAs(p.Stanza, p.ID())
	}
	said := saidToPerson{account: p.Account, with: with.Bare(), stanza: p.Stanza, id: p.ID(), incoming: incoming}
	s.do(func(ctx context.Context) { s.toPerson(ctx, said) })
}

// toPerson tells an account's browsers of a message between it and somebody else.
func (s *Service) toPerson(ctx context.Context, said saidToPerson) {
	unkept := said.id == 0
	if unkept {
		if on, ok := typing(said.stanza); ok && said.incoming {
			by := s.author(ctx, messages.Author{Address: said.with.String()}, scene{addressed: true})
			s.tell(said.account, event("typing", typingEvent{said.with.String(), by, on}))
		}
		said.id = s.cfg.Host.IDs.Next()
	}
	change := alters(said.stanza)
	if !change && !server.Said(said.stanza) {
		return
	}
	host := s.cfg.Host.Domain
	m, whole := asKept(said.stanza, said.id, messages.Author{})
	m.Incoming = said.incoming
	var err error
	if unkept && change {
		return // what it changes is not known
	}
	if !unkept && (change || !whole) {
		m, err = s.cfg.Messages.InChat(ctx, host, said.account, said.with.String(), said.id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return
	}
	if err != nil {
		s.failed("cannot show a message to browsers", err, "account", said.account)
		return
	}
	shown := s.message(ctx, &m, s.chatScene(said.account, said.with))
	s.tell(said.account, event("message", messageEvent{said.with.String(), &shown, !change}))
	s.unpinRemoved(ctx, s.chatScene(said.account, said.with), &m)
}
