package pubsub

import (
	"context"
	"strconv"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
)

// maxListed is how many nodes one answer names.
const maxListed = 1000

// features of the engine, as `http://jabber.org/protocol/pubsub#…` (section 10). Clients look for them one by one.
func features(account bool) []string {
	names := []string{"access-authorize", "access-open", "access-whitelist", "auto-create", "config-node", "config-node-max",
		"create-and-configure", "create-nodes", "delete-items", "delete-nodes", "get-pending", "item-ids", "last-published", "manage-subscriptions",
		"member-affiliation", "meta-data", "modify-affiliations", "multi-items", "outcast-affiliation", "persistent-items", "publish",
		"publish-only-affiliation", "publish-options", "publisher-affiliation", "purge-nodes", "retract-items", "retrieve-affiliations",
		"retrieve-default", "retrieve-items", "retrieve-subscriptions", "rsm", "subscribe", "subscription-notifications"}
	if account {
		names = append(names, "access-presence", "access-roster", "auto-subscribe", "filtered-notifications", "presence-notifications", "presence-subscribe")
	} else {
		names = append(names, "instant-nodes")
	}
	fs := []string{wire.NSPubSub}
	for _, n := range names {
		if n != "get-pending" {
			fs = append(fs, wire.NSPubSub+"#"+n)
		}
	}
	return fs
}

// info is disco#info of a node (section 5.3) with its metadata (section 5.4).
func (a ask) info(ctx context.Context, name string) (*wire.Element, error) {
	n, err := a.load(ctx, name)
	if err != nil {
		return nil, err
	}
	if a.accounts {
		if err := n.maySee(ctx, a.from); err != nil {
			return nil, err
		}
	}
	_, total, err := n.read(ctx, store.ItemPage{Max: 1})
	if err != nil {
		return nil, err
	}
	f := form.New(form.Result, nsMeta)
	f.Add("pubsub#title", form.TextSingle, "", n.cfg.Title).Add("pubsub#description", form.TextSingle, "", n.cfg.Description).
		Add("pubsub#type", form.TextSingle, "", n.cfg.Type).Add("pubsub#access_model", form.TextSingle, "", n.cfg.Access).
		Add("pubsub#publish_model", form.TextSingle, "", n.cfg.Publish).Add("pubsub#max_items", form.TextSingle, "", strconv.Itoa(n.cfg.Max)).
		Add("pubsub#num_items", form.TextSingle, "", strconv.Itoa(total))
	if n.virtual == nil {
		row, err := a.h.Store.Node(ctx, a.host, a.owner, name)
		if err != nil {
			return nil, err
		}
		f.Add("pubsub#creation_date", form.TextSingle, "", row.Created.UTC().Format("2006-01-02T15:04:05Z")).Add("pubsub#creator", form.JIDSingle, "", row.Creator)
	}
	i := server.Info{Identities: []server.Identity{{Category: "pubsub", Type: "leaf", Name: n.cfg.Title}}, Features: features(a.accounts), Forms: []*wire.Element{f.Element()}}
	return i.Element(name), nil
}

// nodes are the nodes the asker may see, as items of their service or account (section 5.2).
func (a ask) nodes(ctx context.Context) ([]server.Item, error) {
	rows, err := a.h.Store.Nodes(ctx, a.host, a.owner, "", maxListed)
	if err != nil {
		return nil, err
	}
	var items []server.Item
	for _, row := range rows {
		n := &node{ask: a, name: row.Name}
		if n.cfg, err = configOf(row, a.def); err != nil {
			return nil, err
		}
		if n.maySee(ctx, a.from) == nil {
			items = append(items, server.Item{JID: a.jid, Node: row.Name, Name: n.cfg.Title})
		}
	}
	if a.self {
		for name, v := range a.virtual {
			if its, err := v.Items(ctx, a.owner); err == nil && len(its) > 0 {
				items = append(items, server.Item{JID: a.jid, Node: name})
			}
		}
	}
	return items, nil
}

// itemsOf are a node's items as items of the node (section 5.5).
func (a ask) itemsOf(ctx context.Context, name string) (*wire.Element, error) {
	n, err := a.load(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := n.mayRead(ctx); err != nil {
		return nil, err
	}
	items, _, err := n.read(ctx, store.ItemPage{Max: a.limits.Page, Backwards: true})
	if err != nil {
		return nil, err
	}
	q := wire.E(wire.NSDiscoItems, "query").Set("node", name)
	for _, it := range items {
		q.Add(wire.E(wire.NSDiscoItems, "item").Set("jid", a.jid.String()).Set("name", it.ID))
	}
	return q, nil
}
