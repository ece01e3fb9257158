package webchat

import (
	"context"

	"parley/feature/bookmarks"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const nsMDS = "urn:xmpp:mds:displayed:0"

// Read notes that a person has read a conversation up to a message, and tells the person's other clients (XEP-0490)
// and, in a conversation with a person, the other side (XEP-0333).
func (s *Service) Read(ctx context.Context, account string, c Credential, id jid.JID, message string) (Unread, error) {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return Unread{}, err
	}
	n, err := store.ParseID(message)
	if err != nil || n == 0 {
		return Unread{}, fault.New(fault.Invalid, "message", "This is no id of a message")
	}
	before, err := s.marks(ctx, account)
	if err != nil {
		return Unread{}, err
	}
	if n > before[id.String()] {
		if err := s.mark(ctx, p, n); err != nil {
			return Unread{}, err
		}
	}
	u, mentions, err := s.cfg.Inbox.Unread(ctx, account, id, max(n, before[id.String()]))
	return Unread{Unread: u, Mentions: mentions}, err
}

// publishRead tells a person's clients how far the person has read, and keeps it.
func (s *Service) publishRead(ctx context.Context, p *speaker, n store.ID) error {
	by := p.id.String()
	if p.f.scene.self != "" {
		by = p.f.scene.self
	}
	sid := wire.E(wire.NSSID, "stanza-id").Set("id", n.String()).Set("by", by)
	it := server.PEPItem{ID: p.id.String(), Payload: wire.E(nsMDS, "displayed", sid).AppendXML(nil, "")}
	pep := s.cfg.Host.PEP()
	if pep == nil {
		s.cfg.Inbox.Note(p.account(), p.id, n)
		return nil
	}
	return refused(pep.Publish(ctx, p.account(), nsMDS, "whitelist", it))
}

// mark keeps how far a person has read, and tells the other side of a conversation.
func (s *Service) mark(ctx context.Context, p *speaker, n store.ID) error {
	if err := s.publishRead(ctx, p, n); err != nil {
		return err
	}
	if p.f.scene.self == "" || p.id.String() == p.f.scene.self {
		return nil
	}
	m, err := s.one(ctx, p.account(), p.id, &p.f, n.String())
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err != nil || !m.Incoming || m.Own == "" {
		return err
	}
	st := p.stanza(s.cfg.Host.NewID())
	st.Add(wire.E(nsMarkers, "displayed").Set("id", m.Own), wire.E(wire.NSHints, "store"))
	p.b.send(ctx, st)
	return nil
}

// readEvent says how far somebody has read on another client.
type readEvent struct {
	Conversation string `json:"conversation"`
	Read         string `json:"read"`
	Unread       int    `json:"unread"`
	Mentions     int    `json:"mentions"`
}

// published tells browsers how far their person has read, on whatever client.
func (s *Service) published(_ context.Context, account, node string, it server.PEPItem) {
	if node != nsMDS || !s.listens(account) {
		return
	}
	chat, err := jid.Parse(it.ID)
	if err != nil {
		return
	}
	e, err := wire.ParseElement(it.Payload, "")
	if err != nil {
		return
	}
	id, err := store.ParseID(e.Child(wire.NSSID, "stanza-id").Attr("id"))
	if err != nil {
		return
	}
	s.do(func(ctx context.Context) {
		unread, mentions, err := s.cfg.Inbox.Unread(ctx, account, chat.Bare(), id)
		if err != nil {
			s.failed("cannot count what is unread", err, "account", account)
			return
		}
		s.tell(account, event("read", readEvent{chat.Bare().String(), id.String(), unread, mentions}))
	})
}

// Mentioned tells a person's browsers that a message in a room mentions the person.
func (s *Service) Mentioned(account string, room jid.JID, id store.ID) {
	if !s.listens(account) {
		return
	}
	e := event("mention", map[string]string{"conversation": room.String(), "message": id.String()})
	s.do(func(context.Context) { s.tell(account, e) })
}

// levels are the levels of notification by their names.
var levels = map[string]bookmarks.Level{
	"all":      bookmarks.Always,
	"mentions": bookmarks.OnMention,
	"none":     bookmarks.Never,
}

// Notify sets of which messages of a room a person is notified. The setting is in the bookmark of the room, so that
// phones follow it as well (XEP-0492).
func (s *Service) Notify(ctx context.Context, account string, c Credential, id jid.JID, name string) error {
	level, ok := levels[name]
	if !ok {
		return fault.New(fault.Invalid, "notify", "Choose all messages, mentions, or none")
	}
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return err
	}
	if p.f.scene.self != "" {
		return fault.New(fault.NotAllowed, "", "This is for rooms")
	}
	if err := s.cfg.Bookmarks.SetLevel(ctx, account, id, level); err != nil {
		return refused(err)
	}
	changed := p.f.conversation
	changed.Notify = name
	s.tell(account, event("conversation", changed))
	return nil
}
