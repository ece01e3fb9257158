package pubsub

import (
	"context"
	"errors"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// getConfig and setConfig are section 8.2.
func (a ask) getConfig(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	return wire.E(nsOwner, "pubsub", wire.E(nsOwner, "configure", n.cfg.form(form.Ask, nsConfig)).Set("node", n.name)), nil
}

func (a ask) setConfig(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if x := verb.Child(wire.NSForm, "x"); x == nil {
		return nil, server.BadRequest
	}
	f, ok, err := submitted(verb, nsConfig)
	if err != nil || !ok {
		return nil, err
	}
	cfg, err := n.cfg.apply(f, &a.limits, false)
	if err != nil {
		return nil, server.WithText(server.NotAcceptable, "a field of the configuration has a value that is not allowed")
	}
	if n.virtual != nil {
		// Clients set bookmarks' nodes up as they want them to be; they are that way already, and always.
		if cfg.Access != n.cfg.Access {
			return nil, server.NotAllowed
		}
		return nil, nil
	}
	if err := n.h.Store.SetNodeConfig(ctx, n.host, n.place.owner, n.name, cfg.json()); err != nil {
		return nil, err
	}
	n.cfg = cfg
	if !cfg.OnConfig {
		return nil, nil
	}
	c := wire.E(wire.NSPubSubEv, "configuration").Set("node", n.name)
	if cfg.Payloads {
		c.Add(cfg.form(form.Result, nsConfig))
	}
	return nil, n.send(ctx, n.message(wire.E(wire.NSPubSubEv, "event", c)))
}

// getDefault is section 8.3.
func (a ask) getDefault(context.Context, *wire.Element, *wire.Element) (*wire.Element, error) {
	return wire.E(nsOwner, "pubsub", wire.E(nsOwner, "default", a.def.form(form.Ask, nsConfig))), nil
}

// remove is section 8.4.
func (a ask) remove(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.NotAllowed
	}
	return nil, n.delete(ctx)
}

// delete removes the node; who was to be told is asked before it is gone.
func (n *node) delete(ctx context.Context) error {
	subs, err := n.h.Store.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return err
	}
	if err := n.h.Store.DeleteNode(ctx, n.host, n.place.owner, n.name); err != nil {
		return err
	}
	n.affLoaded = true
	if !n.cfg.OnDelete || !n.cfg.Notify {
		return nil
	}
	st, got := n.message(n.event(server.PEPEvent{Delete: true})), make(map[jid.JID]bool)
	if n.place.owner != "" {
		if err := n.sendByPresence(ctx, st, got); err != nil {
			return err
		}
	}
	for _, s := range subs {
		if to, err := jid.Parse(s.JID); err == nil && !got[to] {
			n.sendTo(ctx, st, to, got)
		}
	}
	return nil
}

// purge is section 8.5.
func (a ask) purge(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	switch {
	case n.virtual != nil:
		return nil, server.NotAllowed
	case !n.cfg.Persist:
		return nil, unsupported("persistent-items")
	}
	if err := n.h.Store.Purge(ctx, n.host, n.place.owner, n.name); err != nil {
		return nil, err
	}
	return nil, n.tell(ctx, server.PEPEvent{Purge: true})
}

// getSubscriptions and setSubscriptions are section 8.8.
func (a ask) getSubscriptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	ss, err := n.h.Store.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return nil, err
	}
	list := wire.E(nsOwner, "subscriptions").Set("node", n.name)
	for _, s := range ss {
		list.Add(wire.E(nsOwner, "subscription").Set("jid", s.JID).Set("subscription", s.State).Set("subid", s.SubID))
	}
	return wire.E(nsOwner, "pubsub", list), nil
}

func (a ask) setSubscriptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.NotAllowed
	}
	var ss []store.NodeSubscription
	for _, c := range verb.Elements() {
		who, err := jid.Parse(c.Attr("jid"))
		state := c.Attr("subscription")
		if err != nil || c.Name.Local != "subscription" || !slices.Contains([]string{none, "pending", "subscribed"}, state) {
			return nil, server.BadRequest
		}
		sub := store.NodeSubscription{Node: n.name, JID: who.String(), SubID: n.h.IDs.Next().String(), State: state}
		if old, err := n.exactly(ctx, who); err != nil {
			return nil, err
		} else if old != nil {
			if old.State == state {
				continue
			}
			sub.SubID = old.SubID
		} else if state == none {
			continue
		}
		ss = append(ss, sub)
	}
	if len(ss) > a.limits.Page {
		return nil, server.WithText(server.NotAcceptable, "too many at once")
	}
	for _, s := range ss {
		if err := n.decide(ctx, s); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// getAffiliations and setAffiliations are section 8.9.
func (a ask) getAffiliations(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if !n.affLoaded {
		if n.affiliations, err = n.h.Store.NodeAffiliations(ctx, n.host, n.place.owner, n.name); err != nil {
			return nil, err
		}
	}
	list := wire.E(nsOwner, "affiliations").Set("node", n.name)
	if n.place.owner != "" {
		list.Add(wire.E(nsOwner, "affiliation").Set("jid", n.jid.String()).Set("affiliation", owner))
	}
	for _, s := range n.affiliations {
		list.Add(wire.E(nsOwner, "affiliation").Set("jid", s.JID).Set("affiliation", s.Affiliation))
	}
	return wire.E(nsOwner, "pubsub", list), nil
}

func (a ask) setAffiliations(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.NotAllowed
	}
	if len(verb.Elements()) > a.limits.Page {
		return nil, server.WithText(server.NotAcceptable, "too many at once")
	}
	if _, err := n.affiliation(ctx, a.h.JID); err != nil { // loads them
		return nil, err
	}
	now := make(map[string]string)
	for _, s := range n.affiliations {
		now[s.JID] = s.Affiliation
	}
	var as []store.NodeAffiliation
	for _, c := range verb.Elements() {
		who, err := jid.Parse(c.Attr("jid"))
		aff := c.Attr("affiliation")
		if err != nil || c.Name.Local != "affiliation" || !slices.Contains(affiliations, aff) {
			return nil, server.BadRequest
		}
		if n.isOwner(who) {
			if aff != owner {
				return nil, server.WithText(server.NotAcceptable, "an account owns its nodes")
			}
			continue
		}
		now[who.Bare().String()] = aff
		as = append(as, store.NodeAffiliation{JID: who.Bare().String(), Affiliation: aff})
	}
	owned := n.place.owner != ""
	for _, aff := range now {
		owned = owned || aff == owner
	}
	if !owned {
		return nil, server.WithText(server.NotAcceptable, "a node has an owner")
	}
	err = n.h.Store.SetNodeAffiliations(ctx, n.host, n.place.owner, n.name, a.limits.Affiliations, as...)
	if errors.Is(err, store.ErrLimit) {
		return nil, server.ResourceConstraint
	}
	return nil, err
}
