// Package carbons copies a person's messages to all clients that want them (XEP-0280).
package carbons

import (
	"context"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

type carbons struct{ h *server.Host }

// New makes the feature.
func New(h *server.Host) *server.Feature {
	c := carbons{h}
	set := func(local string, on bool) (server.Query, server.IQFunc) {
		return server.Query{To: server.ToSelf, Type: "set", Space: wire.NSCarbons, Local: local},
			func(_ context.Context, r *server.Request) (*wire.Element, error) {
				if r.Session == nil {
					return nil, server.ServiceUnavailable
				}
				if on {
					r.Session.Set(server.Carbons)
				} else {
					r.Session.Clear(server.Carbons)
				}
				return nil, nil
			}
	}
	f := &server.Feature{
		Name:    "carbons",
		XEP:     []server.XEP{{Number: 280, Title: "Message Carbons", Version: "1.0.1"}},
		Disco:   []string{wire.NSCarbons, "urn:xmpp:carbons:rules:0"},
		Account: []string{wire.NSCarbons, "urn:xmpp:carbons:rules:0"},
		IQ:      map[server.Query]server.IQFunc{},
		Inline:  []server.Inline{{Announce: wire.NSCarbons, Do: bound}},
		Steps: []server.Step{
			{Stage: server.SentCopy, Kind: wire.Message, Do: c.sent},
			{Stage: server.ReceivedCopy, Kind: wire.Message, Do: c.received},
		},
	}
	for local, on := range map[string]bool{"enable": true, "disable": false} {
		q, fn := set(local, on)
		f.IQ[q] = fn
	}
	return f
}

// bound handles <enable/> at binding (XEP-0386, section 3.2): it cannot fail and has no answer.
func bound(_ context.Context, s *server.Session, bind *wire.Element) *wire.Element {
	if bind.Child(wire.NSCarbons, "enable") != nil {
		s.Set(server.Carbons)
	}
	return nil
}

// eligible says whether a message is copied (section 6.1); sent is the direction, which matters for private messages in
// rooms.
func eligible(st *wire.Stanza, sent bool) bool {
	switch st.Type {
	case "groupchat", "headline", "error":
		return false
	}
	// a message without content was a forged copy (section 11), which has been removed
	chat := st.Type == "chat" && len(st.Children) > 0
	for i := range st.Children {
		n := &st.Children[i].Name
		switch n.Space {
		case wire.NSCarbons: // private, or itself a copy
			return false
		case wire.NSHints:
			if n.Local == "no-copy" {
				return false
			}
		case wire.NSMUCUser: // a private message in a room, which the room sends to all clients of the occupant
			if x := st.Element(wire.NSMUCUser, "x"); !sent && x.Child(wire.NSMUCUser, "invite") == nil &&
				x.Child(wire.NSMUCUser, "decline") == nil {
				return false
			}
			chat = true
		case wire.NSClient:
			chat = chat || n.Local == "body"
		case "urn:xmpp:receipts", "urn:xmpp:chat-markers:0", "http://jabber.org/protocol/chatstates",
			"eu.siacs.conversations.axolotl", "urn:xmpp:omemo:2", "jabber:x:conference", "urn:xmpp:jingle-message:0",
			"urn:xmpp:reactions:0", "urn:xmpp:message-retract:1":
			chat = true
		}
	}
	return chat
}

func (c carbons) sent(_ context.Context, p *server.Pass) error {
	if p.Stanza.To.Bare() == p.Session.JID.Bare() {
		return nil // it is copied as a received message
	}
	c.copy("sent", p, func(s *server.Session) bool { return s != p.Session })
	return nil
}

func (c carbons) received(_ context.Context, p *server.Pass) error {
	// A message that no client takes waits for one (XEP-0160): to a client that is just arriving it comes from there,
	// and a copy would be a second one.
	waits := len(p.Delivered) == 0 && server.Waits(p.Stanza)
	c.copy("received", p, func(s *server.Session) bool {
		if waits {
			if pr, prio := s.Presence(); pr == nil || prio >= 0 {
				return false
			}
		}
		for _, d := range p.Delivered {
			if d == s {
				return false
			}
		}
		return true
	})
	return nil
}

// copy sends copies to the account's other clients that want them. The wrapper is made once, and only if it is needed.
func (c carbons) copy(direction string, p *server.Pass, to func(*server.Session) bool) {
	var copied *wire.Stanza
	for _, s := range c.h.Account(p.Account).Sessions() {
		if !s.Is(server.Carbons) || !to(s) {
			continue
		}
		if copied == nil {
			if !eligible(p.Stanza, p.Sent) {
				return
			}
			copied = wrap(direction, p, s.JID.Bare())
		}
		_ = s.SendTo(copied, s.JID)
	}
}

func wrap(direction string, p *server.Pass, self jid.JID) *wire.Stanza {
	st := p.Stanza
	if id := p.ID(); p.Sent && id != 0 {
		st = st.Copy().AddRaw(wire.Name{Space: wire.NSSID, Local: "stanza-id"}, stanzaID(self, id))
	}
	b := make([]byte, 0, len(st.Payload)+400)
	b = append(b, '<')
	b = append(b, direction...)
	b = append(b, ` xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>`...)
	b = st.AppendXML(b, st.To, wire.Client)
	b = append(b, `</forwarded></`...)
	b = append(b, direction...)
	b = append(b, '>')
	w := &wire.Stanza{
		Kind:     wire.Message,
		Name:     st.Name,
		Type:     st.Type,
		From:     self,
		Payload:  b,
		Children: []wire.Child{{Name: wire.Name{Space: wire.NSCarbons, Local: direction}, End: len(b)}},
		Delivery: p.Stanza.Delivery,
	}
	return w.Render()
}

func stanzaID(by jid.JID, id store.ID) []byte {
	return wire.E(wire.NSSID, "stanza-id").Set("by", by.String()).Set("id", id.String()).AppendXML(nil, wire.NSClient)
}
