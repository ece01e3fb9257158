package pubsub

import (
	"context"
	"net/url"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// getConfig returns a node's configuration as a form (section 8.2).
func (a ask) getConfig(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	return wire.E(nsOwner, "pubsub",
		wire.E(nsOwner, "configure", a.form(n.cfg, form.Ask, nsConfig)).Set("node", n.name)), nil
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
	cfg, err := a.configured(n.cfg, f)
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		// COMPAT: clients configure their bookmarks' nodes. Those nodes already have that configuration and cannot have
		// another.
		if cfg.Access != n.cfg.Access {
			return nil, server.NotAllowed
		}
		return nil, nil
	}
	if err := n.st.SetNodeConfig(ctx, store.Node{
		Host:   n.host,
		Owner:  n.place.owner,
		Name:   n.name,
		Config: cfg.json(),
		Upkeep: cfg.upkeep(),
	}); err != nil {
		return nil, err
	}
	n.cfg = cfg
	if !cfg.OnConfig {
		return nil, nil
	}
	c := wire.E(wire.NSPubSubEv, "configuration").Set("node", n.name)
	if cfg.Payloads {
		c.Add(a.form(cfg, form.Result, nsConfig))
	}
	return nil, n.send(ctx, telling{st: n.message(wire.E(wire.NSPubSubEv, "event", c))})
}

// getDefault returns the default configuration as a form (section 8.3).
func (a ask) getDefault(_ context.Context, _, verb *wire.Element) (*wire.Element, error) {
	if t := verb.Attr("type"); t != "" && t != "leaf" {
		return nil, unsupported("collections")
	}
	if a.accounts && !a.self {
		return nil, server.Forbidden // only people who may create nodes see it
	}
	return wire.E(nsOwner, "pubsub", wire.E(nsOwner, "default", a.form(a.def, form.Ask, nsConfig))), nil
}

// remove deletes a node at its owner's request (section 8.4).
func (a ask) remove(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.NotAllowed
	}
	uri := verb.Child(nsOwner, "redirect").Attr("uri")
	if uri != "" {
		if u, err := url.Parse(uri); err != nil || u.Scheme == "" || len(uri) > maxName {
			return nil, server.WithText(server.BadRequest, "the address of the new node is not valid")
		}
	}
	return nil, n.delete(ctx, uri)
}

// delete deletes the node. It determines the subscribers before the node is gone. redirect, if not empty, is the node's
// new address.
func (n *node) delete(ctx context.Context, redirect string) error {
	subs, err := n.st.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return err
	}
	if err := n.st.DeleteNode(ctx, n.host, n.place.owner, n.name, redirect, n.limits.Nodes); err != nil {
		return err
	}
	n.affLoaded = true
	if !n.cfg.OnDelete || !n.cfg.Notify {
		return nil
	}
	gone := wire.E(wire.NSPubSubEv, "delete").Set("node", n.name)
	if redirect != "" {
		gone.Add(wire.E(wire.NSPubSubEv, "redirect").Set("uri", redirect))
	}
	st, got := n.message(wire.E(wire.NSPubSubEv, "event", gone)), make(map[jid.JID]bool)
	if n.place.owner != "" {
		if err := n.sendByPresence(ctx, telling{st: st}, got); err != nil {
			return err
		}
	}
	for i := range subs { // including pending ones (section 8.4.2)
		if to, err := jid.Parse(subs[i].JID); err == nil && !n.over(&subs[i]) {
			n.sendTo(ctx, telling{st: st}, to, &subs[i], got)
		}
	}
	return nil
}

// purge removes all items of a node (section 8.5).
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
	if err := n.st.Purge(ctx, n.host, n.place.owner, n.name); err != nil {
		return nil, err
	}
	return nil, n.tell(ctx, server.PEPEvent{Purge: true})
}
