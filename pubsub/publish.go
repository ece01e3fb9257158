package pubsub

import (
	"context"
	"errors"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// create makes a node (section 8.1).
func (a ask) create(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	if a.accounts && !a.self || !a.accounts && !a.mayCreate(ctx, a.from) {
		return nil, server.Forbidden
	}
	name := verb.Attr("node")
	instant := name == ""
	if instant {
		name = a.h.IDs.Next().String()
	}
	if a.virtual[name] != nil {
		return nil, errNodeExists
	}
	cfg := a.def
	if c := e.Child(wire.NSPubSub, "configure"); c != nil {
		f, ok, err := submitted(c, nsConfig)
		if err != nil {
			return nil, err
		}
		if ok {
			if cfg, err = a.configured(cfg, f); err != nil {
				return nil, err
			}
		}
	}
	if err := a.make(ctx, name, cfg); err != nil {
		return nil, err
	}
	if !instant {
		return nil, nil
	}
	return wire.E(wire.NSPubSub, "pubsub", wire.E(wire.NSPubSub, "create").Set("node", name)), nil
}

func (a ask) make(ctx context.Context, name string, cfg NodeConfig) error {
	n := store.Node{
		Host:    a.host,
		Owner:   a.owner,
		Name:    name,
		Config:  cfg.json(),
		Creator: a.from.Bare().String(),
		Created: a.h.Clock.Now(),
		Upkeep:  cfg.upkeep(),
	}
	var as []store.NodeAffiliation
	if a.owner == "" {
		n.Share = a.limits.Share
		as = append(as, store.NodeAffiliation{JID: n.Creator, Affiliation: owner})
	}
	err := a.st.CreateNode(ctx, n, a.limits.Nodes, as...)
	switch {
	case errors.Is(err, store.ErrExists):
		return errNodeExists
	case errors.Is(err, store.ErrLimit):
		return errTooManyNodes
	}
	return err
}

// publish publishes items (section 7.1). It checks publish-options, and makes a missing node.
func (a ask) publish(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	items, err := a.readItems(verb)
	if err != nil {
		return nil, err
	}
	n, err := a.target(ctx, e, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if err := n.check(items); err != nil {
		return nil, err
	}
	if err := n.put(ctx, items); err != nil {
		return nil, err
	}
	p := wire.E(wire.NSPubSub, "publish").Set("node", n.name)
	for _, it := range items {
		p.Add(wire.E(wire.NSPubSub, "item").Set("id", it.ID))
	}
	return wire.E(wire.NSPubSub, "pubsub", p), nil
}

// readItems parses the items to publish, and makes the missing ids.
func (a ask) readItems(verb *wire.Element) ([]server.PEPItem, error) {
	var items []server.PEPItem
	for _, c := range verb.Elements() {
		if c.Name != (wire.Name{Space: wire.NSPubSub, Local: "item"}) {
			return nil, server.BadRequest
		}
		it := server.PEPItem{ID: c.Attr("id"), Publisher: a.from.Bare()}
		if len(it.ID) > maxName {
			return nil, server.WithText(server.NotAcceptable, "the item's id is too long")
		}
		if it.ID == "" {
			it.ID = a.h.IDs.Next().String()
		}
		switch ps := c.Elements(); len(ps) {
		case 0:
		case 1:
			it.Payload = ps[0].AppendXML(nil, "")
			if len(it.Payload) > a.limits.ItemBytes {
				return nil, errPayloadSize
			}
		default:
			return nil, errPayload
		}
		items = append(items, it)
	}
	return items, nil
}

// target returns the node to publish to, or makes it. The preconditions are checked, or become its configuration.
func (a ask) target(ctx context.Context, e *wire.Element, name string) (*node, error) {
	po := e.Child(wire.NSPubSub, "publish-options")
	f, ok, err := submitted(po, nsOptions)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		n, err := a.load(ctx, name)
		if err == nil {
			return n.publishable(ctx, a.from, f, ok)
		}
		if !isNotFound(err) || try > 0 { // the publisher learns where a node has moved to
			return nil, err
		}
		if a.accounts && !a.self || !a.accounts && !a.mayCreate(ctx, a.from) {
			return nil, err
		}
		cfg := a.def
		if ok {
			if cfg, err = a.apply(cfg, f, true); err != nil {
				return nil, errPrecondition
			}
		}
		// Another client may have made it meanwhile; then the node is loaded again.
		if err := a.make(ctx, name, cfg); err != nil && !errors.Is(err, errNodeExists) {
			return nil, err
		}
	}
}

// publishable returns the node if who may publish and it satisfies the publish-options f, if there are any (ok).
func (n *node) publishable(ctx context.Context, who jid.JID, f form.Form, ok bool) (*node, error) {
	if err := n.mayPublish(ctx, who); err != nil {
		return nil, err
	}
	if ok && !n.meets(f) {
		return nil, errPrecondition
	}
	return n, nil
}

// meets reports whether the node satisfies publish-options. For a node that a feature keeps, only the access model
// counts.
func (n *node) meets(f form.Form) bool {
	if n.virtual == nil {
		return n.engine.meets(n.cfg, f)
	}
	v := f.Get("pubsub#access_model")
	return v == "" || v == n.cfg.Access
}

// check checks items against the node's configuration (section 7.1.3).
func (n *node) check(items []server.PEPItem) error {
	if len(items) == 0 {
		if n.cfg.Persist || n.cfg.Payloads {
			return errItemRequired
		}
		return nil
	}
	if !n.cfg.Persist && !n.cfg.Payloads {
		return errForbiddenItem
	}
	if len(items) > n.cfg.max(&n.limits) {
		return errTooManyItems
	}
	for i := range items {
		switch {
		case items[i].Payload == nil && n.cfg.Payloads:
			return errNoPayload
		case len(items[i].Payload) > n.cfg.maxBytes(&n.limits):
			return errPayloadSize
		}
	}
	return nil
}

// put keeps items and notifies subscribers.
func (n *node) put(ctx context.Context, items []server.PEPItem) error {
	if n.virtual != nil {
		for _, it := range items {
			e, err := wire.ParseElement(it.Payload, "")
			if err != nil {
				return errPayload
			}
			if err := n.virtual.Publish(ctx, n.place.owner, it.ID, e); err != nil {
				return err
			}
		}
		return nil // its feature notifies
	}
	if n.cfg.Persist && len(items) > 0 {
		kept := make([]store.NodeItem, len(items))
		for i, it := range items {
			kept[i] = store.NodeItem{
				ID:        it.ID,
				Seq:       n.h.IDs.Next(),
				Publisher: it.Publisher.String(),
				Payload:   it.Payload,
			}
		}
		keep := store.Keep{Items: n.cfg.max(&n.limits), Refuse: n.cfg.Full == "reject", Bytes: n.limits.Bytes}
		if n.place.owner == "" {
			keep.Share = n.limits.ShareBytes
		}
		err := n.st.Publish(ctx, n.host, n.place.owner, n.name, keep, kept...)
		switch {
		case errors.Is(err, store.ErrFull):
			return errNodeFull
		case errors.Is(err, store.ErrShare):
			return errShare
		case errors.Is(err, store.ErrLimit):
			return errFull
		case err != nil:
			return err
		}
	}
	for _, it := range items {
		n.published(ctx, it)
	}
	return n.tell(ctx, server.PEPEvent{Items: items})
}

// published tells the features what their accounts have published.
func (n *node) published(ctx context.Context, it server.PEPItem) {
	if n.place.owner == "" {
		return
	}
	for _, f := range n.h.Features {
		if f.Published != nil {
			f.Published(ctx, n.place.owner, n.name, it)
		}
	}
}

// retract removes items (section 7.2).
func (a ask) retract(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.load(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, c := range verb.Elements() {
		if c.Name.Local != "item" || c.Attr("id") == "" {
			return nil, errItemRequired
		}
		ids = append(ids, c.Attr("id"))
	}
	switch {
	case len(ids) == 0:
		return nil, errItemRequired
	case len(ids) > a.limits.Page:
		return nil, errTooManyItems
	case !n.cfg.Persist:
		return nil, unsupported("persistent-items")
	}
	if err := n.mayRetract(ctx, ids); err != nil {
		return nil, err
	}
	if n.virtual != nil {
		for _, id := range ids {
			if err := n.virtual.Retract(ctx, n.place.owner, id); err != nil {
				return nil, err
			}
		}
		return nil, nil
	}
	gone, err := n.st.Retract(ctx, n.host, n.place.owner, n.name, ids...)
	if err != nil {
		return nil, err
	}
	if len(gone) == 0 {
		return nil, server.ItemNotFound
	}
	if notify := verb.Attr("notify"); notify == "1" || notify == "true" || notify == "" && n.cfg.OnRetract {
		return nil, n.tell(ctx, server.PEPEvent{Retract: gone})
	}
	return nil, nil
}

// mayRetract returns nil if the asker may remove the items: owners any, others their own.
func (n *node) mayRetract(ctx context.Context, ids []string) error {
	aff, err := n.affiliation(ctx, n.from)
	if err != nil || aff == owner {
		return err
	}
	if n.virtual != nil || aff == outcast {
		return server.Forbidden
	}
	items, _, err := n.st.Items(ctx, n.host, n.place.owner, n.name, store.ItemPage{IDs: ids, Max: len(ids)})
	if err != nil {
		return err
	}
	self := n.from.Bare().String()
	for _, it := range items {
		if it.Publisher != self {
			return server.Forbidden
		}
	}
	if len(items) == 0 && aff != publisher {
		return server.Forbidden
	}
	return nil
}
