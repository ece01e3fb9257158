package pubsub

import (
	"context"
	"strconv"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
)

// maxListed is how many nodes a page names and how many are read at once.
const maxListed = 1000

// features returns the features of the engine, as `http://jabber.org/protocol/pubsub#…` (section 10). Clients look for
// each of them. Like every server, it lists the access-… features that can be chosen, not only the default.
func features(account bool) []string {
	names := []string{
		"access-authorize", "access-open", "access-whitelist", "auto-create", "config-node", "config-node-max",
		"create-and-configure", "create-nodes", "delete-items", "delete-nodes", "get-pending", "instant-nodes",
		"item-ids", "leased-subscription", "manage-subscriptions", "member-affiliation", "meta-data",
		"modify-affiliations", "multi-items", "outcast-affiliation", "persistent-items", "presence-notifications",
		"publish", "publish-only-affiliation", "publish-options", "publisher-affiliation", "purge-nodes",
		"retract-items", "retrieve-affiliations", "retrieve-default", "retrieve-default-sub", "retrieve-items",
		"retrieve-subscriptions", "rsm", "subscribe", "subscription-notifications", "subscription-options",
	}
	if account {
		names = append(names, "access-presence", "access-roster", "auto-subscribe", "filtered-notifications",
			"last-published", "presence-subscribe")
	}
	fs := []string{wire.NSPubSub}
	for _, n := range names {
		fs = append(fs, wire.NSPubSub+"#"+n)
	}
	return fs
}

// info answers disco#info for a node (section 5.3) with its metadata (section 5.4).
func (a ask) info(ctx context.Context, name string) (*wire.Element, error) {
	n, err := a.load(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := n.maySee(ctx, a.from); err != nil {
		return nil, err
	}
	f, err := n.metadata(ctx)
	if err != nil {
		return nil, err
	}
	i := server.Info{
		Identities: []server.Identity{{Category: "pubsub", Type: "leaf", Name: n.cfg.Title}},
		Features:   features(a.accounts),
		Forms:      []*wire.Element{f.Element()},
	}
	return i.Element(name), nil
}

// metadata returns the form with a node's configuration and numbers (section 5.4).
func (n *node) metadata(ctx context.Context) (*form.Form, error) {
	_, total, err := n.read(ctx, store.ItemPage{Max: 1})
	if err != nil {
		return nil, err
	}
	f := form.New(form.Result, nsMeta)
	for _, name := range []string{
		"pubsub#title", "pubsub#description", "pubsub#type", "pubsub#language", "pubsub#contact", "pubsub#access_model",
		"pubsub#publish_model", "pubsub#max_items",
	} {
		o := n.option(name)
		if v := o.get(&n.cfg, &n.limits); len(v) > 0 {
			f.Add(name, o.kind, "", v...)
		}
	}
	f.Add("pubsub#num_items", form.TextSingle, "", strconv.Itoa(total))
	if n.virtual != nil {
		return f, nil
	}
	row, err := n.st.Node(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return nil, err
	}
	subs, err := n.st.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return nil, err
	}
	owners, err := n.owners(ctx)
	if err != nil {
		return nil, err
	}
	count := 0
	for i := range subs {
		if subs[i].State == subscribed && !n.over(&subs[i]) {
			count++
		}
	}
	f.Add("pubsub#creation_date", form.TextSingle, "", row.Created.UTC().Format("2006-01-02T15:04:05Z")).
		Add("pubsub#creator", form.JIDSingle, "", row.Creator).
		Add("pubsub#num_subscribers", form.TextSingle, "", strconv.Itoa(count))
	var who []string
	for _, o := range owners {
		who = append(who, o.String())
	}
	return f.Add("pubsub#owner", form.JIDMulti, "", who...), nil
}

// allNodes returns the rows of all nodes of a place.
func (a ask) allNodes(ctx context.Context) (all []store.Node, err error) {
	for after := ""; ; {
		rows, err := a.st.Nodes(ctx, a.host, a.owner, after, maxListed)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
		if len(rows) < maxListed {
			return all, nil
		}
		after = rows[len(rows)-1].Name
	}
}

// nodes returns the nodes that the asker may see, as items of their service or account (section 5.2): at most max whose
// names follow after. more says that there are others.
func (a ask) nodes(ctx context.Context, after string, max int) (items []server.Item, more bool, err error) {
	roles, err := a.roles(ctx)
	if err != nil {
		return nil, false, err
	}
	for {
		rows, err := a.st.Nodes(ctx, a.host, a.owner, after, maxListed)
		if err != nil {
			return nil, false, err
		}
		for _, row := range rows {
			n := &node{ask: a, name: row.Name, affLoaded: true}
			if r := roles[row.Name]; r != "" {
				n.affiliations = []store.NodeAffiliation{{JID: a.from.Bare().String(), Affiliation: r}}
			}
			if n.cfg, err = configOf(row, a.def); err != nil {
				return nil, false, err
			}
			if n.maySee(ctx, a.from) != nil {
				continue
			}
			if len(items) == max {
				return items, true, nil
			}
			items = append(items, server.Item{JID: a.jid, Node: row.Name, Name: n.cfg.Title})
		}
		if len(rows) < maxListed {
			return items, false, nil
		}
		after = rows[len(rows)-1].Name
	}
}

// list answers disco#items for a service: in pages if the asker wants that, or if there are many (XEP-0059).
func (a ask) list(ctx context.Context, e *wire.Element) (*wire.Element, error) {
	set := e.Child(wire.NSRSM, "set")
	max := server.MaxUnpaged
	if set != nil {
		max = maxListed
	}
	if m := set.Child(wire.NSRSM, "max"); m != nil {
		n, err := strconv.Atoi(m.Text())
		if err != nil || n < 1 {
			return nil, server.BadRequest
		}
		max = min(n, max)
	}
	if set.Child(wire.NSRSM, "before") != nil || set.Child(wire.NSRSM, "index") != nil {
		return nil, server.FeatureNotImplemented
	}
	items, more, err := a.nodes(ctx, set.ChildText(wire.NSRSM, "after"), max)
	if err != nil {
		return nil, err
	}
	q := server.ItemsElement("", items)
	if len(items) == 0 || set == nil && !more {
		return q, nil
	}
	return q.Add(wire.E(wire.NSRSM, "set", wire.T(wire.NSRSM, "first", items[0].Node),
		wire.T(wire.NSRSM, "last", items[len(items)-1].Node))), nil
}

// virtualNodes returns the features' own nodes that have items, for the account itself.
func (a ask) virtualNodes(ctx context.Context) (items []server.Item) {
	if !a.self {
		return nil
	}
	for name, v := range a.virtual {
		if its, err := v.Items(ctx, a.owner); err == nil && len(its) > 0 {
			items = append(items, server.Item{JID: a.jid, Node: name})
		}
	}
	return items
}

// roles returns the asker's affiliations to all nodes of the place.
func (a ask) roles(ctx context.Context) (map[string]string, error) {
	rs, err := a.st.NodeRoles(ctx, a.host, a.owner, a.from.Bare().String())
	if err != nil {
		return nil, err
	}
	m := make(map[string]string, len(rs))
	for _, r := range rs {
		m[r.Node] = r.Affiliation
	}
	return m, nil
}

// itemsOf returns the items of a node as disco#items (section 5.5).
func (a ask) itemsOf(ctx context.Context, name string) (*wire.Element, error) {
	n, err := a.load(ctx, name)
	if err != nil {
		return nil, err
	}
	if err := n.mayRead(ctx); err != nil {
		return nil, err
	}
	items, _, err := n.readAll(ctx, store.ItemPage{Max: everything})
	if err != nil {
		return nil, err
	}
	q := wire.E(wire.NSDiscoItems, "query").Set("node", name)
	for _, it := range items {
		q.Add(wire.E(wire.NSDiscoItems, "item").Set("jid", a.jid.String()).Set("name", it.ID))
	}
	return q, nil
}
