package pubsub

import (
	"context"
	"errors"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// subscriber returns the address to subscribe: the asker or one of their clients, nobody else (section 6.1.3.1).
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

// subscribe subscribes an address (section 6.1). An address has one subscription to a node; asking again returns the
// same.
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
		return nil, server.WithText(server.NotAllowed, "this node only sends events by +notify (XEP-0163)")
	}
	if !n.cfg.Subscribe {
		return nil, unsupported("subscribe")
	}
	sub, err := n.subscribed(ctx, who)
	if err != nil {
		return nil, err
	}
	answer := wire.E(wire.NSPubSub, "pubsub")
	options, ok, err := submitted(e.Child(wire.NSPubSub, "options"), nsSubOptions)
	if err != nil {
		return nil, err
	}
	if ok {
		if err := a.setOptions(&sub, options, who); err != nil {
			return nil, err
		}
	}
	isNew := sub.SubID == ""
	if isNew {
		sub.SubID = n.h.IDs.Next().String()
	}
	if isNew || ok {
		if err := n.saveSubscriptions(ctx, sub); err != nil {
			return nil, err
		}
	}
	answer.Add(subscriptionElement(wire.NSPubSub, sub))
	if ok {
		answer.Add(wire.E(wire.NSPubSub, "options", a.subscriptionForm(form.Result, &sub, who)))
	}
	switch {
	case sub.State == pending:
		return answer, n.request(ctx, sub)
	case isNew:
		n.logged("new subscriber", n.tellOwners(ctx, sub))
	}
	if n.cfg.Last != "never" {
		defer func() { n.logged("last item", n.last(ctx, who)) }()
	}
	return answer, nil
}

// subscribed returns the subscription of an address, or a new one without an id (section 6.1.6).
func (n *node) subscribed(ctx context.Context, who jid.JID) (store.NodeSubscription, error) {
	old, err := n.exactly(ctx, who)
	if err != nil {
		return store.NodeSubscription{}, err
	}
	if old != nil {
		if old.State == pending {
			return *old, errPending
		}
		return *old, nil
	}
	sub := store.NodeSubscription{Node: n.name, JID: who.String(), State: subscribed}
	if n.cfg.Access == "authorize" {
		aff, err := n.affiliation(ctx, who)
		if err != nil {
			return sub, err
		}
		if aff == none {
			sub.State = pending
		}
	}
	return sub, nil
}

// The states of a subscription, besides "none".
const (
	subscribed = "subscribed"
	pending    = "pending"
)

// tellOwners notifies the owners of a new or lost subscriber, if the node is configured so (pubsub#notify_sub).
func (n *node) tellOwners(ctx context.Context, sub store.NodeSubscription) error {
	if !n.cfg.OnSub {
		return nil
	}
	owners, err := n.owners(ctx)
	if err != nil {
		return err
	}
	for _, to := range owners {
		if to.String() == sub.JID {
			continue
		}
		st := n.message(wire.E(wire.NSPubSubEv, "event", subscriptionElement(wire.NSPubSubEv, sub)))
		st.To = to
		n.h.Router.Send(ctx, st)
	}
	return nil
}

func (n *node) logged(what string, err error) {
	if err != nil {
		n.h.Log.Error("publish-subscribe", "what", what, "node", n.name, "err", err)
	}
}

func (n *node) saveSubscriptions(ctx context.Context, ss ...store.NodeSubscription) error {
	err := n.st.SetNodeSubscriptions(ctx, n.host, n.place.owner, n.limits.Subscriptions, ss...)
	if errors.Is(err, store.ErrLimit) {
		return errTooManySubs
	}
	return err
}

// exactly returns the subscription of exactly this address.
func (n *node) exactly(ctx context.Context, who jid.JID) (*store.NodeSubscription, error) {
	ss, err := n.st.SubscriptionsOf(ctx, n.host, n.place.owner, who.Bare().String())
	if err != nil {
		return nil, err
	}
	for i := range ss {
		if ss[i].Node == n.name && ss[i].JID == who.String() && !n.over(&ss[i]) {
			return &ss[i], nil
		}
	}
	return nil, nil
}

func subscriptionElement(space string, s store.NodeSubscription) *wire.Element {
	e := wire.E(space, "subscription").Set("node", s.Node).Set("jid", s.JID).Set("subid", s.SubID).
		Set("subscription", s.State)
	if !s.Expires.IsZero() && s.State != none {
		e.Set("expiry", s.Expires.UTC().Format(time.RFC3339))
	}
	return e
}

// unsubscribe ends a subscription (section 6.2).
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
	was := sub.State
	sub.State = none
	if err := n.saveSubscriptions(ctx, *sub); err != nil {
		return nil, err
	}
	if was == subscribed {
		n.logged("subscriber gone", n.tellOwners(ctx, *sub))
	}
	return wire.E(wire.NSPubSub, "pubsub", subscriptionElement(wire.NSPubSub, *sub)), nil
}

// mySubscriptions lists the asker's subscriptions (section 5.6).
func (a ask) mySubscriptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	ss, err := a.st.SubscriptionsOf(ctx, a.host, a.owner, a.from.Bare().String())
	if err != nil {
		return nil, err
	}
	list := wire.E(wire.NSPubSub, "subscriptions").Set("node", verb.Attr("node"))
	for i, s := range ss {
		if name := verb.Attr("node"); (name == "" || name == s.Node) && !a.over(&ss[i]) {
			list.Add(subscriptionElement(wire.NSPubSub, s))
		}
	}
	return wire.E(wire.NSPubSub, "pubsub", list), nil
}

// myAffiliations lists the asker's affiliations (section 5.7).
func (a ask) myAffiliations(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	list := wire.E(wire.NSPubSub, "affiliations").Set("node", verb.Attr("node"))
	if name := verb.Attr("node"); name != "" {
		n, err := a.load(ctx, name)
		if err != nil {
			return nil, err
		}
		aff, err := n.affiliation(ctx, a.from)
		if err != nil {
			return nil, err
		}
		if aff != none {
			list.Add(wire.E(wire.NSPubSub, "affiliation").Set("node", n.name).Set("affiliation", aff))
		}
		return wire.E(wire.NSPubSub, "pubsub", list), nil
	}
	if a.self {
		rows, err := a.allNodes(ctx)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			list.Add(wire.E(wire.NSPubSub, "affiliation").Set("node", row.Name).Set("affiliation", owner))
		}
		return wire.E(wire.NSPubSub, "pubsub", list), nil
	}
	roles, err := a.st.NodeRoles(ctx, a.host, a.owner, a.from.Bare().String())
	if err != nil {
		return nil, err
	}
	for _, r := range roles {
		list.Add(wire.E(wire.NSPubSub, "affiliation").Set("node", r.Node).Set("affiliation", r.Affiliation))
	}
	return wire.E(wire.NSPubSub, "pubsub", list), nil
}
