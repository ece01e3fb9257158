package pubsub

import (
	"context"
	"slices"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

var messageName = wire.Name{Space: wire.NSClient, Local: "message"}

func pepItem(it store.NodeItem) server.PEPItem {
	p, _ := jid.Parse(it.Publisher)
	return server.PEPItem{ID: it.ID, Payload: it.Payload, Publisher: p, At: it.Seq.Time()}
}

// event makes what subscribers get.
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

// tell sends an event to everyone who is to get it, each client once.
func (n *node) tell(ctx context.Context, ev server.PEPEvent) error {
	if !n.cfg.Notify {
		return nil
	}
	return n.send(ctx, n.message(n.event(ev)))
}

func (n *node) send(ctx context.Context, st *wire.Stanza) error {
	got := make(map[jid.JID]bool)
	if n.place.owner != "" {
		if err := n.sendByPresence(ctx, st, got); err != nil {
			return err
		}
	}
	if n.virtual != nil {
		return nil
	}
	subs, err := n.h.Store.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return err
	}
	for _, s := range subs {
		to, err := jid.Parse(s.JID)
		if err != nil || s.State != "subscribed" || got[to] || n.maySee(ctx, to) != nil {
			continue
		}
		n.sendTo(ctx, st, to, got)
	}
	return nil
}

// sendTo gives the event to one subscriber; a bare address of ours means those of its clients that have not had it.
func (n *node) sendTo(ctx context.Context, st *wire.Stanza, to jid.JID, got map[jid.JID]bool) {
	h := n.h.Router.Host(to.Domain())
	if h == nil || !to.IsBare() || !n.cfg.ByPresence && len(got) == 0 {
		got[to] = true
		c := st.Copy()
		c.To = to
		n.h.Router.Send(ctx, c)
		return
	}
	for _, s := range h.Account(to.Local()).Sessions() {
		if s.Available() && !got[s.JID] {
			n.give(ctx, h, s, st, got)
		}
	}
}

// sendByPresence is XEP-0163, section 4: the account's own clients and those of contacts that see its presence, if they
// want this node's events.
func (n *node) sendByPresence(ctx context.Context, st *wire.Stanza, got map[jid.JID]bool) error {
	for _, s := range n.h.Account(n.place.owner).Sessions() {
		if s.Available() && n.wantedBy(s) {
			n.give(ctx, n.h, s, st, got)
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
		h := n.h.Router.Host(contact.Domain())
		if h == nil || n.h.Blocked(ctx, n.place.owner, contact) {
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
				n.give(ctx, h, s, st, got)
			}
		}
	}
	return nil
}

func (n *node) wantedBy(s *server.Session) bool {
	return s.Wants(n.name) || n.virtual != nil && n.virtual.Like != "" && s.Wants(n.virtual.Like)
}

func (n *node) give(ctx context.Context, h *server.Host, s *server.Session, st *wire.Stanza, got map[jid.JID]bool) {
	got[s.JID] = true
	if h.MayReceive(ctx, st, s.JID) {
		_ = s.SendTo(st, s.JID)
	}
}

// last sends a node's newest item to one client (section 6.1.7).
func (n *node) last(ctx context.Context, to jid.JID) error {
	if !n.cfg.Persist || !n.cfg.Notify {
		return nil
	}
	items, _, err := n.read(ctx, store.ItemPage{Max: 1, Backwards: true})
	if err != nil || len(items) == 0 {
		return err
	}
	st := n.message(n.event(server.PEPEvent{Items: items}))
	st.To = to
	n.h.Router.Send(ctx, delayed(st, n, items[0].At))
	return nil
}

// delayed says that the event is old news (section 7.1.2.3, XEP-0203).
func delayed(st *wire.Stanza, n *node, at time.Time) *wire.Stanza {
	if at.IsZero() {
		return st
	}
	return st.Add(wire.E(wire.NSDelay, "delay").Set("stamp", at.UTC().Format("2006-01-02T15:04:05.000Z")).Set("from", n.jid.String()))
}

// request asks the owners whether somebody may subscribe (section 8.6).
func (n *node) request(ctx context.Context, sub store.NodeSubscription) error {
	f := form.New(form.Ask, nsSubAuth)
	f.Title = "Subscription request"
	f.Instructions = "Choose whether this subscription is allowed."
	f.Add("pubsub#subid", form.Hidden, "", sub.SubID).Add("pubsub#node", form.TextSingle, "Node", n.name).
		Add("pubsub#subscriber_jid", form.JIDSingle, "Subscriber", sub.JID).AddBool("pubsub#allow", "Allow this subscription?", false)
	owners, err := n.owners(ctx)
	if err != nil {
		return err
	}
	for _, to := range owners {
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: n.jid, To: to, ID: n.h.NewID()}
		n.h.Router.Send(ctx, st.Add(f.Element()))
	}
	return nil
}

func (n *node) owners(ctx context.Context) ([]jid.JID, error) {
	if n.place.owner != "" {
		return []jid.JID{n.jid}, nil
	}
	if _, err := n.affiliation(ctx, n.jid); err != nil { // loads them
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

// Notify, Publish, Last and Remove are for features that publish by themselves.
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
		if access == "whitelist" { // storage of the account's own (XEP-0223)
			cfg.Max, cfg.Last = a.limits.Items, "never"
		}
		if err = a.make(ctx, name, cfg); err == nil {
			n, err = a.load(ctx, name)
		}
	}
	if err != nil {
		return err
	}
	it.Publisher = a.from
	return n.put(ctx, []server.PEPItem{it})
}

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
	if err == nil && len(items) == 0 {
		err = server.ItemNotFound
	}
	if err != nil {
		return server.PEPItem{}, err
	}
	return items[0], nil
}

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
	return n.delete(ctx)
}
