package pubsub

import (
	"context"
	"errors"
	"slices"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// getSubscriptions lists a node's subscriptions (section 8.8), without pending ones: those are for getPending.
func (a ask) getSubscriptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	ss, err := n.st.NodeSubscriptions(ctx, n.host, n.place.owner, n.name)
	if err != nil {
		return nil, err
	}
	list := wire.E(nsOwner, "subscriptions").Set("node", n.name)
	for i := range ss {
		if s := &ss[i]; s.State == subscribed && !a.over(s) {
			list.Add(wire.E(nsOwner, "subscription").Set("jid", s.JID).
				Set("subscription", s.State).Set("subid", s.SubID))
		}
	}
	return wire.E(nsOwner, "pubsub", list), nil
}

// someRefused returns the error that lists the changes that failed, with the current state; all other changes were made
// (sections 8.8.2.4, 8.9.2.4).
func someRefused(n *node, list string, entries []*wire.Element) error {
	l := wire.E(nsOwner, list, entries...).Set("node", n.name)
	return &server.AppError{
		Stanza:  stanza.Error{Type: stanza.Modify, Condition: stanza.NotAcceptable},
		Payload: wire.E(nsOwner, "pubsub", l),
	}
}

var errTooMany = server.WithText(server.NotAcceptable, "too many changes at once")

func (a ask) setSubscriptions(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.NotAllowed
	}
	entries := verb.Elements()
	if len(entries) > a.limits.Page {
		return nil, errTooMany
	}
	var refused []*wire.Element
	for _, c := range entries {
		if c.Name.Local != "subscription" {
			return nil, server.BadRequest
		}
		was, err := n.setSubscription(ctx, c)
		if errors.Is(err, errEntry) {
			refused = append(refused,
				wire.E(nsOwner, "subscription").Set("jid", c.Attr("jid")).Set("subscription", was))
		} else if err != nil {
			return nil, err
		}
	}
	if refused != nil {
		return nil, someRefused(n, "subscriptions", refused)
	}
	return nil, nil
}

// errEntry says that one of several changes is not possible.
var errEntry = errors.New("pubsub: entry is not acceptable")

// setSubscription makes one change and returns the previous state.
func (n *node) setSubscription(ctx context.Context, c *wire.Element) (was string, err error) {
	who, err := jid.Parse(c.Attr("jid"))
	if err != nil {
		return none, errEntry
	}
	sub := store.NodeSubscription{Node: n.name, JID: who.String(), State: none}
	old, err := n.exactly(ctx, who)
	if err != nil {
		return none, err
	}
	if old != nil {
		sub = *old
	}
	was = sub.State
	state := c.Attr("subscription")
	switch id := c.Attr("subid"); {
	case id != "" && id != sub.SubID:
		return was, errEntry
	case state == "" || state == was: // nothing to change
		return was, nil
	case !slices.Contains([]string{none, pending, subscribed}, state):
		return was, errEntry
	}
	if sub.SubID == "" {
		sub.SubID = n.h.IDs.Next().String()
	}
	sub.State = state
	return was, n.decide(ctx, sub)
}

// getAffiliations lists a node's affiliations (section 8.9).
func (a ask) getAffiliations(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if _, err := n.affiliation(ctx, a.h.JID); err != nil { // loads the affiliations
		return nil, err
	}
	list := wire.E(nsOwner, "affiliations").Set("node", n.name)
	if n.place.owner != "" {
		list.Add(wire.E(nsOwner, "affiliation").Set("jid", n.jid.String()).Set("affiliation", owner))
	}
	for _, s := range n.affiliations {
		list.Add(wire.E(nsOwner, "affiliation").Set("jid", s.JID).Set("affiliation", s.Affiliation))
	}
	return wire.E(nsOwner, "pubsub", list), nil
}

func (a ask) setAffiliations(ctx context.Context, e, verb *wire.Element) (*wire.Element, error) {
	n, err := a.owned(ctx, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if n.virtual != nil {
		return nil, server.NotAllowed
	}
	if len(verb.Elements()) > a.limits.Page {
		return nil, errTooMany
	}
	if _, err := n.affiliation(ctx, a.h.JID); err != nil { // loads the affiliations
		return nil, err
	}
	as, refused, err := n.readAffiliations(verb)
	if err != nil {
		return nil, err
	}
	err = n.st.SetNodeAffiliations(ctx, n.host, n.place.owner, n.name, a.limits.Affiliations, as...)
	if errors.Is(err, store.ErrLimit) {
		return nil, server.ResourceConstraint
	}
	if err != nil {
		return nil, err
	}
	n.affLoaded = false
	for _, x := range as {
		if err := n.settle(ctx, x); err != nil {
			return nil, err
		}
	}
	if refused != nil {
		return nil, someRefused(n, "affiliations", refused)
	}
	return nil, nil
}

// readAffiliations returns the changes that are possible, and for the others the current affiliation.
func (n *node) readAffiliations(verb *wire.Element) (as []store.NodeAffiliation, refused []*wire.Element, err error) {
	now := make(map[string]string)
	owners := 0
	for _, s := range n.affiliations {
		now[s.JID] = s.Affiliation
		if s.Affiliation == owner {
			owners++
		}
	}
	for _, c := range verb.Elements() {
		if c.Name.Local != "affiliation" {
			return nil, nil, server.BadRequest
		}
		who, err := jid.Parse(c.Attr("jid"))
		bare, aff := who.Bare().String(), c.Attr("affiliation")
		was := now[bare]
		if was == "" {
			was = none
		}
		if n.isOwner(who) {
			was = owner
		}
		// The owner of an account always owns its nodes; any other node must keep an owner.
		last := n.isOwner(who) || was == owner && owners == 1 && n.place.owner == ""
		switch {
		case err == nil && (aff == "" || aff == was): // nothing to change
		case err != nil || !slices.Contains(affiliations, aff) || last:
			refused = append(refused, wire.E(nsOwner, "affiliation").Set("jid", c.Attr("jid")).Set("affiliation", was))
		default:
			if aff == owner {
				owners++
			} else if was == owner {
				owners--
			}
			now[bare] = aff
			as = append(as, store.NodeAffiliation{JID: bare, Affiliation: aff})
		}
	}
	return as, refused, nil
}

// settle adapts a person's subscriptions to a new affiliation: an outcast loses them, a new member's pending ones
// become valid (sections 4.1 and 8.7.5).
func (n *node) settle(ctx context.Context, x store.NodeAffiliation) error {
	ss, err := n.st.SubscriptionsOf(ctx, n.host, n.place.owner, x.JID)
	if err != nil {
		return err
	}
	for _, s := range ss {
		if s.Node != n.name {
			continue
		}
		was := s.State
		switch x.Affiliation {
		case outcast:
			s.State = none
		case owner, publisher, member:
			s.State = subscribed
		}
		if s.State == was {
			continue
		}
		if err := n.decide(ctx, s); err != nil {
			return err
		}
	}
	return nil
}
