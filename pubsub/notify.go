package pubsub

import (
	"context"
	"slices"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

var messageName = wire.Name{Space: wire.NSClient, Local: "message"}

func pepItem(it store.NodeItem) server.PEPItem {
	p, _ := jid.Parse(it.Publisher)
	return server.PEPItem{ID: it.ID, Payload: it.Payload, Publisher: p, At: it.Seq.Time()}
}

// event makes the element that subscribers get.
func (n *node) event(ev server.PEPEvent) *wire.Element {
	e := wire.E(wire.NSPubSubEv, "event")
	switch {
	case ev.Delete:
		return e.Add(wire.E(wire.NSPubSubEv, "delete").Set("node", n.name))
	case ev.Purge:
		return e.Add(wire.E(wire.NSPubSubEv, "purge").Set("node", n.name))
	}
	items := wire.E(wire.NSPubSubEv, "items").Set("node", n.name)
	for _, it := range ev.Items {
		items.Add(n.item(wire.NSPubSubEv, it, n.cfg.Payloads))
	}
	for _, id := range ev.Retract {
		items.Add(wire.E(wire.NSPubSubEv, "retract").Set("id", id))
	}
	return e.Add(items)
}

func (n *node) message(e *wire.Element) *wire.Stanza {
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: n.cfg.Kind, From: n.jid, ID: n.h.NewID()}
	if st.Type == "normal" {
		st.Type = ""
	}
	return st.Add(e)
}

// tell sends an event to everyone who should get it, once to each client.
func (n *node) tell(ctx context.Context, ev server.PEPEvent) error {
	if !n.cfg.Notify {
		return nil
	}
	t := telling{st: n.message(n.event(ev))}
	if n.view() != nil {
		t.items = ev.Items
	}
	return n.send(ctx, t)
}

func (n *node) send(ctx context.Context, t telling) error {
	got := make(map[jid.JID]bool)
	if n.place.owner != "" {
		if err := n.sendByPresence(ctx, t, got); err != nil {
			return err
		}
	}
	if n.virtual != nil {
		return nil
	}
	subs, err := n.st.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return err
	}
	for i := range subs {
		to, err := jid.Parse(subs[i].JID)
		if err != nil || subs[i].State != subscribed || n.over(&subs[i]) || got[to] || n.maySee(ctx, to) != nil {
			continue
		}
		n.sendTo(ctx, t, to, &subs[i], got)
	}
	return nil
}

// sendTo sends the event to one subscriber, once to each client. For local people it checks their presence. If only
// available clients should get the event, others get a message that their server does not store (section 12.7).
func (n *node) sendTo(ctx context.Context, t telling, to jid.JID, sub *store.NodeSubscription, got map[jid.JID]bool) {
	o := optionsOf(sub)
	if o.Silent || n.place.owner != "" && n.h.Blocked(ctx, n.place.owner, to) {
		return
	}
	h := n.h.Router.Host(to.Domain())
	if h == nil || !n.cfg.ByPresence && len(o.Show) == 0 && !n.some(got, to) {
		got[to] = true
		st := n.to(ctx, t, to)
		if st == nil {
			return
		}
		c := st.Copy()
		c.To = to
		if n.cfg.ByPresence {
			c.Type = "headline"
		}
		n.h.Router.Send(ctx, c)
		return
	}
	for _, s := range h.Account(to.Local()).Sessions() {
		if s.Available() && !got[s.JID] && (to.IsBare() || s.JID == to) && o.wants(s) {
			n.give(ctx, h, s, t, got)
		}
	}
}

// some reports whether a client of this person already has the event.
func (n *node) some(got map[jid.JID]bool, who jid.JID) bool {
	for j := range got {
		if j.Bare() == who.Bare() {
			return true
		}
	}
	return false
}

// sendByPresence sends the event to the account's own clients and to those of contacts that see its presence, if they
// follow this node (XEP-0163, section 4).
func (n *node) sendByPresence(ctx context.Context, t telling, got map[jid.JID]bool) error {
	for _, s := range n.h.Account(n.place.owner).Sessions() {
		if s.Available() && n.wantedBy(s) {
			n.give(ctx, n.h, s, t, got)
		}
	}
	if n.cfg.Access == "whitelist" && n.virtual != nil {
		return nil
	}
	cs, err := n.h.Contacts(ctx, n.place.owner)
	if err != nil {
		return err
	}
	for _, contact := range cs.From {
		if n.h.Blocked(ctx, n.place.owner, contact) {
			continue
		}
		h := n.h.Router.Host(contact.Domain())
		if h == nil {
			n.sendFar(ctx, t, contact, got)
			continue
		}
		asked, allowed := false, false
		for _, s := range h.Account(contact.Local()).Sessions() {
			if !s.Available() || !s.Wants(n.name) {
				continue
			}
			if !asked {
				asked, allowed = true, n.maySee(ctx, contact) == nil
			}
			if allowed && n.cfg.Access != "authorize" {
				n.give(ctx, h, s, t, got)
			}
		}
	}
	return nil
}

// sendFar sends the event to those clients of a contact on another server that follow the node.
func (n *node) sendFar(ctx context.Context, t telling, contact jid.JID, got map[jid.JID]bool) {
	whos := n.h.Watching(contact, n.name)
	if len(whos) == 0 || n.cfg.Access == "authorize" || n.maySee(ctx, contact) != nil {
		return
	}
	for _, who := range whos {
		got[who] = true
		if st := n.to(ctx, t, who); st != nil {
			c := st.Copy()
			c.To = who
			n.h.Router.Send(ctx, c)
		}
	}
}

func (n *node) wantedBy(s *server.Session) bool {
	return s.Wants(n.name) || n.virtual != nil && n.virtual.Like != "" && s.Wants(n.virtual.Like)
}

func (n *node) give(ctx context.Context, h *server.Host, s *server.Session, t telling, got map[jid.JID]bool) {
	got[s.JID] = true
	if st := n.to(ctx, t, s.JID); st != nil && h.MayReceive(ctx, st, s.JID) {
		_ = s.SendTo(st, s.JID)
	}
}

// last sends a node's newest item to one client (section 6.1.7).
func (n *node) last(ctx context.Context, to jid.JID) error {
	if !n.cfg.Persist || !n.cfg.Notify {
		return nil
	}
	items, _, err := n.read(ctx, store.ItemPage{Max: 1, Backwards: true})
	if err != nil {
		return err
	}
	items = n.viewed(ctx, to, items)
	if len(items) == 0 {
		return nil
	}
	st := n.message(n.event(server.PEPEvent{Items: items}))
	st.To = to
	n.h.Router.Send(ctx, delayed(st, n, items[0].At))
	return nil
}

// delayed marks an event as old (section 7.1.2.3, XEP-0203).
func delayed(st *wire.Stanza, n *node, at time.Time) *wire.Stanza {
	if at.IsZero() {
		return st
	}
	return st.Add(wire.E(wire.NSDelay, "delay").Set("stamp", at.UTC().Format("2006-01-02T15:04:05.000Z")).
		Set("from", n.jid.String()))
}

func (n *node) owners(ctx context.Context) ([]jid.JID, error) {
	if n.place.owner != "" {
		return []jid.JID{n.jid}, nil
	}
	if _, err := n.affiliation(ctx, n.jid); err != nil { // loads the affiliations
		return nil, err
	}
	var os []jid.JID
	for _, a := range n.affiliations {
		if j, err := jid.Parse(a.JID); err == nil && a.Affiliation == owner {
			os = append(os, j)
		}
	}
	return os, nil
}

// Notify implements server.PEP.
func (s *accounts) Notify(ctx context.Context, account, name string, ev server.PEPEvent) error {
	a, err := s.own(account)
	if err != nil {
		return err
	}
	n, err := a.load(ctx, name)
	if err != nil {
		return err
	}
	return n.tell(ctx, ev)
}

// Publish implements server.PEP.
func (s *accounts) Publish(ctx context.Context, account, name, access string, it server.PEPItem) error {
	a, err := s.own(account)
	if err != nil {
		return err
	}
	n, err := a.load(ctx, name)
	if isNotFound(err) {
		cfg := a.def
		if slices.Contains(accessModels, access) {
			cfg.Access = access
		}
		if access == "whitelist" { // storage for the account itself (XEP-0223)
			cfg.Max, cfg.Last = unlimited, "never"
		}
		n, err = a.made(ctx, name, cfg)
	}
	if err != nil {
		return err
	}
	it.Publisher = a.from
	return n.put(ctx, []server.PEPItem{it})
}

// Last implements server.PEP.
func (s *accounts) Last(ctx context.Context, account, name string) (server.PEPItem, error) {
	a, err := s.own(account)
	if err != nil {
		return server.PEPItem{}, err
	}
	n, err := a.load(ctx, name)
	if err != nil {
		return server.PEPItem{}, err
	}
	items, _, err := n.read(ctx, store.ItemPage{Max: 1, Backwards: true})
	if err != nil {
		return server.PEPItem{}, err
	}
	if len(items) == 0 {
		return server.PEPItem{}, server.ItemNotFound
	}
	return items[0], nil
}

// Remove implements server.PEP.
func (s *accounts) Remove(ctx context.Context, account, name string) error {
	a, err := s.own(account)
	if err != nil {
		return err
	}
	n, err := a.load(ctx, name)
	if isNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return n.delete(ctx, "")
}
