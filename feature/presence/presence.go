// Package presence broadcasts a client's presence to the people who may see it, and answers probes (RFC 6121, section
// 4).
package presence

import (
	"context"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

type presence struct{ h *server.Host }

// New makes the feature.
func New(h *server.Host) *server.Feature {
	p := presence{h}
	return &server.Feature{
		Name: "presence",
		XEP:  []server.XEP{{Title: "RFC 6121: Instant Messaging and Presence (presence)"}},
		Steps: []server.Step{
			{Stage: server.Announce, Do: p.announce},
			{Stage: server.Probe, Do: p.probe},
		},
	}
}

// announce broadcasts presence (sections 4.2, 4.4 and 4.5) to subscribers and to the account's other clients. With a
// client's first presence it also fetches the contacts' presence.
func (f presence) announce(ctx context.Context, p *server.Pass) error {
	if p.Stanza.Type == "unavailable" && p.Was == nil {
		return nil // it was not available, so nobody has to know
	}
	cs, err := f.h.Contacts(ctx, p.Account)
	if err != nil {
		return err
	}
	self := p.Session.JID.Bare()
	p.Stanza.Render()
	for _, to := range cs.From {
		if !f.h.Blocked(ctx, p.Account, to) {
			f.show(ctx, p.Stanza, to)
		}
	}
	f.h.Shown(f.h.Account(p.Account), p.Stanza)
	if p.Stanza.Type == "unavailable" || !p.Initial {
		return nil
	}
	for _, o := range f.h.Account(p.Account).Sessions() {
		if pr, _ := o.Presence(); pr != nil && o != p.Session {
			_ = p.Session.SendTo(pr, self)
		}
	}
	for _, contact := range cs.To {
		f.ask(ctx, p.Session, contact)
	}
	return nil
}

// show sends a presence to all clients of a contact: serialised once, copied for each.
func (f presence) show(ctx context.Context, st *wire.Stanza, to jid.JID) {
	if h := f.h.Router.Host(to.Domain()); h != nil {
		if a := h.Account(to.Local()); a != nil && h.MayReceive(ctx, st, to) {
			h.Shown(a, st)
		}
		return
	}
	c := st.Copy()
	c.To = to
	f.h.Router.Send(ctx, c)
}

// ask gets a contact's presence for one client: directly from local contacts, by a probe from others.
func (f presence) ask(ctx context.Context, s *server.Session, contact jid.JID) {
	h := f.h.Router.Host(contact.Domain())
	if h == nil {
		f.h.Router.Send(ctx, &wire.Stanza{
			Kind: wire.Presence,
			Name: presenceName,
			Type: "probe",
			ID:   f.h.NewID(),
			From: s.JID.Bare(),
			To:   contact,
		})
		return
	}
	a := h.Account(contact.Local())
	if a == nil {
		return
	}
	if cs, err := h.Contacts(ctx, contact.Local()); err != nil || !cs.SubscribedFrom(s.JID.Bare()) {
		return
	}
	for _, o := range a.Sessions() {
		if pr, _ := o.Presence(); pr != nil {
			_ = s.SendTo(pr, s.JID)
		}
	}
}

var presenceName = wire.Name{Space: wire.NSClient, Local: "presence"}

// probe answers probes (section 4.3.2).
func (f presence) probe(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	who := st.From
	if who.Bare() != st.To {
		cs, err := f.h.Contacts(ctx, p.Account)
		if err != nil {
			return err
		}
		if !cs.SubscribedFrom(who.Bare()) {
			f.h.Router.Send(ctx, &wire.Stanza{
				Kind: wire.Presence,
				Name: presenceName,
				Type: "unsubscribed",
				ID:   st.ID,
				From: st.To,
				To:   who.Bare(),
			})
			return nil
		}
	}
	available := false
	for _, s := range f.h.Account(p.Account).Sessions() {
		if pr, _ := s.Presence(); pr != nil {
			available = true
			c := pr.Copy()
			c.To = who
			f.h.Router.Send(ctx, c)
		}
	}
	if !available {
		f.h.Router.Send(ctx, &wire.Stanza{
			Kind: wire.Presence,
			Name: presenceName,
			Type: "unavailable",
			ID:   st.ID,
			From: st.To,
			To:   who,
		})
	}
	return nil
}
