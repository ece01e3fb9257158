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

// subscriber reads who is to be subscribed: the asker or one of its clients, nobody else (section 6.1.3.1).
func (a ask) subscriber(verb *wire.Element) (jid.JID, error) {
	s := verb.Attr("jid")
	if s == "" {
		return jid.JID{}, errJIDRequired
	}
	j, err := jid.Parse(s)
	if err != nil {
		return j, server.MalformedJID
	}
	if j.Bare() != a.from.Bare() {
		return j, errInvalidJID
	}
	return j, nil
}

// subscribe is section 6.1. One address has one subscription to a node; asking again gives the same.
func (a ask) subscribe(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	who, err := a.subscriber(verb)
	if err != nil {
		return nil, err
	}
	n, err := a.load(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if err := n.maySee(ctx, who); err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.WithText(server.NotAllowed, "this node's events come by +notify (XEP-0163)")
	}
	if o := e.Child(wire.NSPubSub, "options"); o != nil && len(o.Elements()) > 0 {
		return nil, unsupported("subscription-options")
	}
	old, err := n.exactly(ctx, who)
	if err != nil {
		return nil, err
	}
	if old != nil && old.State == "pending" {
		return nil, errPending
	}
	sub := store.NodeSubscription{Node: n.name, JID: who.String(), SubID: n.h.IDs.Next().String(), State: "subscribed"}
	if old != nil {
		sub = *old
	} else if n.cfg.Access == "authorize" {
		if aff, err := n.affiliation(ctx, who); err != nil {
			return nil, err
		} else if aff == none {
			sub.State = "pending"
		}
	}
	if old == nil {
		if err := n.saveSubscriptions(ctx, sub); err != nil {
			return nil, err
		}
		if sub.State == "pending" {
			if err := n.request(ctx, sub); err != nil {
				return nil, err
			}
		}
	}
	if sub.State == "subscribed" && n.cfg.Last != "never" {
		defer func() { n.logged("last item", n.last(ctx, who)) }()
	}
	return wire.E(wire.NSPubSub, "pubsub", subscriptionElement(wire.NSPubSub, sub)), nil
}

func (n *node) logged(what string, err error) {
	if err != nil {
		n.h.Log.Error("publish-subscribe", "what", what, "node", n.name, "err", err)
	}
}

func (n *node) saveSubscriptions(ctx context.Context, ss ...store.NodeSubscription) error {
	err := n.h.Store.SetNodeSubscriptions(ctx, n.host, n.place.owner, n.limits.Subscriptions, ss...)
	if errors.Is(err, store.ErrLimit) {
		return errTooManySubs
	}
	return err
}

// exactly gives the subscription of just this address.
func (n *node) exactly(ctx context.Context, who jid.JID) (*store.NodeSubscription, error) {
	ss, err := n.h.Store.SubscriptionsOf(ctx, n.host, n.place.owner, who.Bare().String())
	if err != nil {
		return nil, err
	}
	for i := range ss {
		if ss[i].Node == n.name && ss[i].JID == who.String() {
			return &ss[i], nil
		}
	}
	return nil, nil
}

func subscriptionElement(space string, s store.NodeSubscription) *wire.Element {
	return wire.E(space, "subscription").Set("node", s.Node).Set("jid", s.JID).Set("subid", s.SubID).Set("subscription", s.State)
}

// unsubscribe is section 6.2.
func (a ask) unsubscribe(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	s := verb.Attr("jid")
	if s == "" {
		return nil, errJIDRequired
	}
	who, err := jid.Parse(s)
	if err != nil {
		return nil, server.MalformedJID
	}
	if who.Bare() != a.from.Bare() {
		return nil, server.Forbidden
	}
	n, err := a.load(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, errNotSubscribed
	}
	sub, err := n.exactly(ctx, who)
	if err != nil {
		return nil, err
	}
	if sub == nil {
		return nil, errNotSubscribed
	}
	if id := verb.Attr("subid"); id != "" && id != sub.SubID {
		return nil, errSubID
	}
	sub.State = none
	if err := n.saveSubscriptions(ctx, *sub); err != nil {
		return nil, err
	}
	return wire.E(wire.NSPubSub, "pubsub", subscriptionElement(wire.NSPubSub, *sub)), nil
}

// mySubscriptions is section 5.6.
func (a ask) mySubscriptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	ss, err := a.h.Store.SubscriptionsOf(ctx, a.host, a.owner, a.from.Bare().String())
	if err != nil {
		return nil, err
	}
	list := wire.E(wire.NSPubSub, "subscriptions").Set("node", verb.Attr("node"))
	for _, s := range ss {
		if name := verb.Attr("node"); name == "" || name == s.Node {
			list.Add(subscriptionElement(wire.NSPubSub, s))
		}
	}
	return wire.E(wire.NSPubSub, "pubsub", list), nil
}

// myAffiliations is section 5.7.
func (a ask) myAffiliations(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	list := wire.E(wire.NSPubSub, "affiliations").Set("node", verb.Attr("node"))
	add := func(n *node) error {
		aff, err := n.affiliation(ctx, a.from)
		if err == nil && aff != none {
			list.Add(wire.E(wire.NSPubSub, "affiliation").Set("node", n.name).Set("affiliation", aff))
		}
		return err
	}
	if name := verb.Attr("node"); name != "" {
		n, err := a.load(ctx, name)
		if err != nil {
			return nil, err
		}
		if err := add(n); err != nil {
			return nil, err
		}
		return wire.E(wire.NSPubSub, "pubsub", list), nil
	}
	rows, err := a.h.Store.Nodes(ctx, a.host, a.owner, "", maxListed)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if err := add(&node{ask: a, name: row.Name}); err != nil {
			return nil, err
		}
	}
	return wire.E(wire.NSPubSub, "pubsub", list), nil
}

// approve takes an owner's answer to a request (section 8.6); a form that is not one is ignored.
func (a ask) approve(ctx context.Context, x *wire.Element) error {
	f, err := form.Parse(x)
	if err != nil || f.Type != form.Submit || f.About() != nsSubAuth {
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
	if sub == nil || sub.State != "pending" {
		return server.ItemNotFound
	}
	sub.State = none
	if allow, _ := f.Bool("pubsub#allow"); allow {
		sub.State = "subscribed"
	}
	return n.decide(ctx, *sub)
}

// decide changes somebody's subscription and tells that person ("Notification of Subscription State Changes").
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
	if sub.State == "subscribed" && n.cfg.Last != "never" {
		return n.last(ctx, to)
	}
	return nil
}
