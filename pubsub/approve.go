package pubsub

import (
	"context"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// request asks the owners to decide on a subscription (XEP-0060, section 8.6).
func (n *node) request(ctx context.Context, sub store.NodeSubscription) error {
	owners, err := n.owners(ctx)
	if err != nil {
		return err
	}
	return n.requestOf(ctx, n.authorization(sub), owners)
}

// authorization returns the form with which an owner decides.
func (n *node) authorization(sub store.NodeSubscription) *form.Form {
	f := form.New(form.Ask, nsSubAuth)
	f.Title = "Subscription request"
	f.Instructions = "Choose whether this subscription is allowed."
	f.Add("pubsub#subid", form.Hidden, "", sub.SubID).Add("pubsub#node", form.TextSingle, "Node", n.name).
		Add("pubsub#subscriber_jid", form.JIDSingle, "Subscriber", sub.JID).
		AddBool("pubsub#allow", "Allow this subscription?", false)
	return f
}

func (n *node) requestOf(ctx context.Context, f *form.Form, owners []jid.JID) error {
	for _, to := range owners {
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: n.jid, To: to, ID: n.h.NewID()}
		n.h.Router.Send(ctx, st.Add(f.Element()))
	}
	return nil
}

// approve handles an owner's answer to a request (section 8.6). It ignores other forms.
func (a ask) approve(ctx context.Context, x *wire.Element) error {
	f, err := form.Parse(x)
	if err != nil || f.About() != nsSubAuth {
		return server.BadRequest
	}
	switch f.Type {
	case form.Submit:
	case form.Cancel: // the request stays pending
		return nil
	default:
		return server.BadRequest
	}
	n, err := a.owned(ctx, f.Get("pubsub#node"))
	if err != nil {
		return err
	}
	who, err := jid.Parse(f.Get("pubsub#subscriber_jid"))
	if err != nil {
		return server.BadRequest
	}
	sub, err := n.exactly(ctx, who)
	if err != nil {
		return err
	}
	if sub == nil || sub.State != pending {
		return server.ItemNotFound
	}
	if id := f.Get("pubsub#subid"); id != "" && id != sub.SubID { // the answer is about another request
		return server.ItemNotFound
	}
	allow, ok := f.Bool("pubsub#allow")
	if !ok {
		return server.BadRequest
	}
	sub.State = none
	if allow {
		sub.State = subscribed
	}
	return n.decide(ctx, *sub)
}

// decide changes somebody's subscription and notifies that person (section 12.13).
func (n *node) decide(ctx context.Context, sub store.NodeSubscription) error {
	if err := n.saveSubscriptions(ctx, sub); err != nil {
		return err
	}
	to, err := jid.Parse(sub.JID)
	if err != nil {
		return err
	}
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: n.jid, To: to, ID: n.h.NewID()}
	n.h.Router.Send(ctx, st.Add(wire.E(wire.NSPubSubEv, "event", subscriptionElement(wire.NSPubSubEv, sub))))
	if sub.State == subscribed && n.cfg.Last != "never" {
		return n.last(ctx, to)
	}
	return nil
}

// getPending is the command with which an owner asks for the open requests again (section 8.7).
func (e *engine) getPending(of func(who jid.JID) (ask, error)) server.Command {
	return server.Command{Node: nsGetPending, Name: "Pending subscriptions",
		Form: func(ctx context.Context, who jid.JID) (*form.Form, error) {
			a, err := of(who)
			if err != nil {
				return nil, err
			}
			names, err := a.waiting(ctx)
			if err != nil {
				return nil, err
			}
			f := form.New(form.Ask, nsSubAuth)
			f.AddList("pubsub#node", "Node", "")
			fd := &f.Fields[len(f.Fields)-1]
			for _, n := range names {
				fd.Options = append(fd.Options, form.Option{Value: n})
			}
			return f, nil
		},
		Do: func(ctx context.Context, who jid.JID, f form.Form) (string, *form.Form, error) {
			a, err := of(who)
			if err != nil {
				return "", nil, err
			}
			n, err := a.owned(ctx, f.Get("pubsub#node"))
			if err != nil {
				return "", nil, err
			}
			return "", nil, n.askAgain(ctx, who)
		}}
}

// maxWaiting is how many nodes with open requests are listed, and how many requests of one node are sent again at once.
const maxWaiting = 100

// waiting returns the asker's nodes that have open requests.
func (a ask) waiting(ctx context.Context) (names []string, err error) {
	var mine []string
	if a.self {
		rows, err := a.allNodes(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			mine = append(mine, row.Name)
		}
	} else {
		roles, err := a.roles(ctx)
		if err != nil {
			return nil, err
		}
		for name, r := range roles {
			if r == owner {
				mine = append(mine, name)
			}
		}
		slices.Sort(mine)
	}
	for _, name := range mine {
		ss, err := a.st.NodeSubscriptions(ctx, a.host, a.owner, name)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(ss, func(s store.NodeSubscription) bool { return s.State == pending }) {
			names = append(names, name)
		}
		if len(names) == maxWaiting {
			break
		}
	}
	return names, nil
}

// askAgain sends an owner all open requests for the node.
func (n *node) askAgain(ctx context.Context, who jid.JID) error {
	ss, err := n.st.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return err
	}
	sent := 0
	for _, s := range ss {
		if s.State != pending {
			continue
		}
		if err := n.requestOf(ctx, n.authorization(s), []jid.JID{who}); err != nil {
			return err
		}
		if sent++; sent == maxWaiting {
			break
		}
	}
	return nil
}
