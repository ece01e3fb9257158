package pubsub

import (
	"context"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Some nodes of accounts look different to each reader (server.Feature.Views). What a reader gets is made when it is
// sent.

// view returns the func that makes a reader's view, or nil if everybody gets the same.
func (n *node) view() server.ItemView {
	if n.place.owner == "" || n.virtual != nil {
		return nil
	}
	for _, f := range n.h.Features {
		if v := f.Views[n.name]; v != nil {
			return v
		}
	}
	return nil
}

// viewed returns the items as one reader sees them. On an error an item is left out.
func (n *node) viewed(ctx context.Context, to jid.JID, items []server.PEPItem) []server.PEPItem {
	view := n.view()
	if view == nil {
		return items
	}
	var out []server.PEPItem
	for _, it := range items {
		p, err := view(ctx, n.place.owner, to, it.Payload)
		if err != nil {
			n.h.Log.Error("publish-subscribe", "what", "an item as it is shown", "node", n.name, "err", err)
		}
		if err == nil && p != nil {
			it.Payload = p
			out = append(out, it)
		}
	}
	return out
}

// telling is an event to send: the same stanza for everybody, or one for each.
type telling struct {
	st    *wire.Stanza
	items []server.PEPItem // item of a node that looks different to each reader
}

// to returns the stanza for one receiver, or nil if that one gets none.
func (n *node) to(ctx context.Context, t telling, who jid.JID) *wire.Stanza {
	if t.items == nil {
		return t.st
	}
	items := n.viewed(ctx, who, t.items)
	if len(items) == 0 {
		return nil
	}
	st := n.message(n.event(server.PEPEvent{Items: items}))
	st.ID = t.st.ID
	return st
}
