// Package disco implements service discovery of hosts and accounts (XEP-0030).
package disco

import (
	"context"
	"maps"
	"slices"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
)

type disco struct{ h *server.Host }

// New makes the feature, which answers with what the host's features announce. contact are contact URIs by purpose
// ("abuse", "support" … of XEP-0157); info is the URI where more about the server is published (XEP-0485, in the same
// form), "" if nowhere.
func New(h *server.Host, contact map[string][]string, info string) *server.Feature {
	d := disco{h}
	about := func(to server.Target) server.Query {
		return server.Query{To: to, Type: "get", Space: wire.NSDiscoInfo, Local: "query"}
	}
	items := func(to server.Target) server.Query {
		return server.Query{To: to, Type: "get", Space: wire.NSDiscoItems, Local: "query"}
	}
	return &server.Feature{
		Name: "disco",
		XEP: []server.XEP{
			{Number: 30, Title: "Service Discovery", Version: "2.5.0"},
			{Number: 157, Title: "Contact Addresses for XMPP Services", Version: "1.1.1"},
			{Number: 128, Title: "Service Discovery Extensions", Version: "1.0.1"},
		},
		Disco:   []string{wire.NSDiscoInfo, wire.NSDiscoItems, wire.NSCaps},
		Forms:   contacts(contact, info),
		Account: []string{wire.NSDiscoInfo, wire.NSDiscoItems},
		IQ: map[server.Query]server.IQFunc{
			about(server.ToHost): d.hostInfo, items(server.ToHost): d.hostItems,
			about(server.ToAccount): d.accountInfo, items(server.ToAccount): d.accountItems,
		},
	}
}

func contacts(by map[string][]string, info string) []*wire.Element {
	f := form.New(form.Result, "http://jabber.org/network/serverinfo")
	for _, kind := range slices.Sorted(maps.Keys(by)) {
		if len(by[kind]) > 0 {
			f.Add(kind+"-addresses", form.ListMulti, "", by[kind]...)
		}
	}
	if info != "" {
		f.Add("serverinfo-pubsub-node", form.TextSingle, "", info)
	}
	if len(f.Fields) < 2 {
		return nil
	}
	return []*wire.Element{f.Element()}
}

func (d disco) hostInfo(ctx context.Context, r *server.Request) (*wire.Element, error) {
	node := r.Payload.Attr("node")
	if node == "" || d.h.IsCapsNode(node) {
		return d.h.Info().Element(node), nil
	}
	return d.h.NodeInfo(ctx, r, node)
}

func (d disco) hostItems(ctx context.Context, r *server.Request) (*wire.Element, error) {
	if node := r.Payload.Attr("node"); node != "" {
		return d.h.NodeItems(ctx, r, node)
	}
	return server.ItemsElement("", d.h.Items()), nil
}

// known returns an error unless the asker may know of the account: it is their own or that of a contact whose presence
// they see. Others get the same answer as for an account that does not exist (XEP-0030, section 8).
func (d disco) known(ctx context.Context, r *server.Request) error {
	if r.Self() {
		return nil
	}
	cs, err := d.h.Contacts(ctx, r.Account)
	if err != nil {
		return err
	}
	if !cs.SubscribedFrom(r.From.Bare()) {
		return server.ServiceUnavailable
	}
	return nil
}

func (d disco) accountInfo(ctx context.Context, r *server.Request) (*wire.Element, error) {
	if err := d.known(ctx, r); err != nil {
		return nil, err
	}
	if node := r.Payload.Attr("node"); node != "" {
		return d.h.AccountNodeInfo(ctx, r, node)
	}
	return d.h.AccountInfo().Element(""), nil
}

// accountItems gives an account's nodes. People who may not know of the account get the nodes that are open to everyone
// or, if there are none, the same answer as for an account that does not exist (section 8).
func (d disco) accountItems(ctx context.Context, r *server.Request) (*wire.Element, error) {
	node := r.Payload.Attr("node")
	e, err := d.h.AccountNodeItems(ctx, r, node)
	if err != nil && d.known(ctx, r) != nil {
		return server.ItemsElement(node, nil), nil
	}
	return e, err
}
