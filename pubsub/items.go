package pubsub

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// items answers a request for items (section 6.5): all, the newest, some by their ids, or a page (XEP-0059), in the
// order of their publication. A missing id is not an error (section 6.5.9.12).
func (a ask) items(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.load(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if err := n.mayRead(ctx); err != nil {
		return nil, err
	}
	if !n.cfg.Persist {
		return nil, unsupported("persistent-items")
	}
	p, set, err := a.page(e, verb)
	if err != nil {
		return nil, err
	}
	read := n.read
	if set == nil && len(p.IDs) == 0 {
		read = n.readAll
	}
	items, total, err := read(ctx, p)
	if errors.Is(err, store.ErrNotFound) {
		return nil, server.ItemNotFound
	}
	if err != nil {
		return nil, err
	}
	list := wire.E(wire.NSPubSub, "items").Set("node", n.name)
	if set != nil && set.onlyCount {
		items = nil
	}
	for _, it := range n.viewed(ctx, a.from, items) {
		list.Add(n.item(wire.NSPubSub, it, true))
	}
	answer := wire.E(wire.NSPubSub, "pubsub", list)
	if set != nil || len(p.IDs) == 0 && len(items) < total {
		answer.Add(rsm(items, total))
	}
	return answer, nil
}

// mayRead returns nil if the asker may see the node and, for authorize nodes, is subscribed; otherwise the error.
func (n *node) mayRead(ctx context.Context) error {
	if err := n.maySee(ctx, n.from); err != nil {
		return err
	}
	if n.cfg.Access != "authorize" {
		return nil
	}
	if aff, err := n.affiliation(ctx, n.from); err != nil || aff != none {
		return err
	}
	sub, err := n.subscription(ctx, n.from)
	switch {
	case err != nil:
		return err
	case sub == nil:
		return errMustSubscribe
	case sub.State == "pending":
		return errPending
	}
	return nil
}

type asked struct{ onlyCount bool }

// page parses which items are wanted.
func (a ask) page(e, verb *wire.Element) (p store.ItemPage, set *asked, err error) {
	p.Max = a.limits.Page
	for _, c := range verb.Elements() {
		id := c.Attr("id")
		if c.Name.Local != "item" || id == "" {
			return p, nil, server.BadRequest
		}
		p.IDs = append(p.IDs, id)
	}
	if len(p.IDs) > a.limits.Page {
		return p, nil, errTooManyItems
	}
	if m := verb.Attr("max_items"); m != "" {
		n, err := strconv.Atoi(m)
		if err != nil || n < 1 {
			return p, nil, server.BadRequest
		}
		p.Max, p.Backwards = min(n, everything), true
	} else if len(p.IDs) == 0 {
		p.Max = everything
	}
	s := e.Child(wire.NSRSM, "set")
	if s == nil {
		return p, nil, nil
	}
	p.Max = min(p.Max, a.limits.Page)
	set = &asked{}
	if m := s.Child(wire.NSRSM, "max"); m != nil {
		n, err := strconv.Atoi(m.Text())
		if err != nil || n < 0 {
			return p, nil, server.BadRequest
		}
		if n == 0 {
			set.onlyCount = true
			n = 1
		}
		p.Max = min(n, p.Max)
	}
	p.After = s.ChildText(wire.NSRSM, "after")
	if b := s.Child(wire.NSRSM, "before"); b != nil {
		p.Before, p.Backwards = b.Text(), true
	}
	if s.Child(wire.NSRSM, "index") != nil {
		return p, nil, stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented}
	}
	return p, set, nil
}

// rsm returns the <set/> of an answer, without an index (XEP-0059, section 2.6, leaves it open).
func rsm(items []server.PEPItem, total int) *wire.Element {
	s := wire.E(wire.NSRSM, "set")
	if len(items) > 0 {
		s.Add(wire.T(wire.NSRSM, "first", items[0].ID), wire.T(wire.NSRSM, "last", items[len(items)-1].ID))
	}
	return s.Add(wire.T(wire.NSRSM, "count", strconv.Itoa(total)))
}

// everything is the number of items for a client that does not page.
const everything = 1 << 30

// maxAnswer is about how many bytes of payloads an answer has for a client that does not page. Nodes only limit the
// number of items, and each may be large.
const maxAnswer = 1 << 20

// readAll returns what p asks for, up to maxAnswer. It reads page by page.
func (n *node) readAll(ctx context.Context, p store.ItemPage) (all []server.PEPItem, total int, err error) {
	want, bytes := p.Max, 0
	if n.virtual != nil {
		return n.read(ctx, p)
	}
	for bytes < maxAnswer && len(all) < want {
		p.Max = min(want-len(all), n.limits.Page)
		items, count, err := n.read(ctx, p)
		if errors.Is(err, store.ErrNotFound) && len(all) > 0 { // the item at which it continues was removed meanwhile
			return all, total, nil
		}
		if err != nil {
			return nil, 0, err
		}
		for i := range items {
			bytes += len(items[i].Payload)
		}
		total = count
		if p.Backwards {
			all = append(items, all...)
		} else {
			all = append(all, items...)
		}
		if len(items) < p.Max {
			break
		}
		p.After, p.Before = all[len(all)-1].ID, ""
		if p.Backwards {
			p.After, p.Before = "", all[0].ID
		}
	}
	return all, total, nil
}

// read returns a page of items of either kind of node.
func (n *node) read(ctx context.Context, p store.ItemPage) ([]server.PEPItem, int, error) {
	if n.virtual != nil {
		return n.readVirtual(ctx, p)
	}
	p.Since = n.cfg.since(n.h.Clock.Now())
	kept, total, err := n.st.Items(ctx, n.host, n.place.owner, n.name, p)
	if err != nil {
		return nil, 0, err
	}
	items := make([]server.PEPItem, len(kept))
	for i, it := range kept {
		items[i] = pepItem(it)
	}
	return items, total, nil
}

func (n *node) readVirtual(ctx context.Context, p store.ItemPage) ([]server.PEPItem, int, error) {
	all, err := n.virtual.Items(ctx, n.place.owner)
	if err != nil {
		return nil, 0, err
	}
	return pageOf(all, p)
}

// pageOf returns a page of all, and the number of all items.
func pageOf(all []server.PEPItem, p store.ItemPage) ([]server.PEPItem, int, error) {
	total := len(all)
	at := func(id string) int {
		return slices.IndexFunc(all, func(it server.PEPItem) bool { return it.ID == id })
	}
	from, to := 0, total
	if p.After != "" {
		if from = at(p.After) + 1; from == 0 {
			return nil, 0, store.ErrNotFound
		}
	}
	if p.Before != "" {
		if to = at(p.Before); to < 0 {
			return nil, 0, store.ErrNotFound
		}
	}
	if from > to {
		return nil, total, nil
	}
	all = all[from:to]
	if len(p.IDs) > 0 {
		all = slices.DeleteFunc(slices.Clone(all), func(it server.PEPItem) bool {
			return !slices.Contains(p.IDs, it.ID)
		})
	}
	if len(all) > p.Max {
		if p.Backwards {
			all = all[len(all)-p.Max:]
		} else {
			all = all[:p.Max]
		}
	}
	return all, total, nil
}

// item makes an <item/>, with the payload if payload is set.
func (n *node) item(space string, it server.PEPItem, payload bool) *wire.Element {
	e := wire.E(space, "item").Set("id", it.ID)
	if n.cfg.Publisher == publisher && !it.Publisher.IsZero() {
		e.Set("publisher", it.Publisher.String())
	}
	if payload && it.Payload != nil {
		e.AddRaw(it.Payload)
	}
	return e
}
