// Package pubsub implements publish-subscribe (XEP-0060): nodes, items and subscriptions of accounts (XEP-0163) and of
// a service with a domain of its own. One engine on one set of tables does both.
package pubsub

import (
	"context"
	"errors"
	"slices"

	"mellium.im/xmpp/stanza"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Limits holds the limits on what is kept. Zero values mean the defaults.
type Limits struct {
	Nodes         int   // of one account; 0: 200; of a service; 0: 10,000
	Share         int   // for the nodes of a service that one person created; 0: no limit
	ShareBytes    int64 // bytes of payloads in the nodes of a service that one person created; 0: no limit
	Items         int   // of one node, also what "max" means; 0: 1000
	ItemBytes     int   // of one payload; 0: 128 KiB
	Bytes         int64 // of all payloads of one account or service; 0: no limit
	Affiliations  int   // of one node; 0: 1000
	Subscriptions int   // of one node; 0: 10,000
	Page          int   // items in one answer; 0: 200
}

func (l Limits) withDefaults(nodes int) Limits {
	for _, d := range []struct {
		at *int
		v  int
	}{
		{&l.Nodes, nodes}, {&l.Items, 1000}, {&l.ItemBytes, 128 << 10}, {&l.Affiliations, 1000},
		{&l.Subscriptions, 10_000}, {&l.Page, 200},
	} {
		if *d.at <= 0 {
			*d.at = d.v
		}
	}
	return l
}

// engine handles the requests of one kind of place.
type engine struct {
	h        *server.Host
	st       Store
	limits   Limits
	def      NodeConfig
	accounts bool
	virtual  map[string]*server.PEPNode
	// mayCreate reports whether somebody may make nodes in a service. In accounts only the owner may do this.
	mayCreate func(ctx context.Context, who jid.JID) bool
}

// place is an account or a service that has nodes.
type place struct {
	jid   jid.JID
	host  string // as in the store
	owner string
}

// ask is one request.
type ask struct {
	*engine
	place
	from jid.JID
	self bool // the asker owns the account
}

// node is a node that a request is about.
type node struct {
	ask
	name    string
	cfg     NodeConfig
	virtual *server.PEPNode

	affiliations []store.NodeAffiliation
	affLoaded    bool
}

// The affiliations to a node.
const (
	owner       = "owner"
	publisher   = "publisher"
	publishOnly = "publish-only"
	member      = "member"
	outcast     = "outcast"
	none        = "none"
)

var affiliations = []string{owner, publisher, publishOnly, member, outcast, none}

// load returns a node, or item-not-found.
func (a ask) load(ctx context.Context, name string) (*node, error) {
	if name == "" {
		return nil, errNodeRequired
	}
	n := &node{ask: a, name: name}
	if v := a.virtual[name]; v != nil {
		n.virtual, n.cfg, n.affLoaded = v, virtualConfig(v), true
		return n, nil
	}
	row, err := a.st.Node(ctx, a.host, a.owner, name)
	if err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil, a.missing(ctx, name)
		}
		return nil, err
	}
	n.cfg, err = configOf(row, a.def)
	return n, err
}

// missing returns the error for a missing node; for a node that has moved it names the new address (section 6.1.3.11).
func (a ask) missing(ctx context.Context, name string) error {
	uri, err := a.st.NodeRedirect(ctx, a.host, a.owner, name)
	if errors.Is(err, store.ErrNotFound) {
		return server.ItemNotFound
	}
	if err != nil {
		return err
	}
	return &server.AppError{Stanza: stanza.Error{Type: stanza.Modify, Condition: stanza.Gone}, Address: uri}
}

func virtualConfig(v *server.PEPNode) NodeConfig {
	c := accountDefault
	c.Access, c.Last, c.Max = v.Access, "never", unlimited
	if v.Single {
		c.Max = 1
	}
	return c
}

// affiliation returns a person's affiliation to the node.
func (n *node) affiliation(ctx context.Context, who jid.JID) (string, error) {
	if n.isOwner(who) {
		return owner, nil
	}
	if !n.affLoaded {
		as, err := n.st.NodeAffiliations(ctx, n.host, n.place.owner, n.name)
		if err != nil {
			return none, err
		}
		n.affiliations, n.affLoaded = as, true
	}
	bare := who.Bare().String()
	for _, a := range n.affiliations {
		if a.JID == bare {
			return a.Affiliation, nil
		}
	}
	return none, nil
}

// isOwner reports whether the place is this person's account.
func (p place) isOwner(who jid.JID) bool { return p.owner != "" && who.Bare() == p.jid }

// owned returns a node that the asker owns; otherwise the error is forbidden (section 8).
func (a ask) owned(ctx context.Context, name string) (*node, error) {
	n, err := a.load(ctx, name)
	if err != nil {
		return nil, err
	}
	aff, err := n.affiliation(ctx, a.from)
	if err != nil {
		return nil, err
	}
	if aff != owner {
		return nil, server.Forbidden
	}
	return n, nil
}

// maySee returns nil if somebody may subscribe and read, and otherwise the error (section 4.5). For authorize nodes the
// caller must also check the subscription.
func (n *node) maySee(ctx context.Context, who jid.JID) error {
	aff, err := n.affiliation(ctx, who)
	if err != nil {
		return err
	}
	switch aff {
	case owner, publisher, member:
		return nil
	case outcast, publishOnly:
		return server.Forbidden
	}
	switch n.cfg.Access {
	case "open", "authorize":
		return nil
	case "whitelist":
		return errClosedNode
	}
	if n.place.owner == "" { // a service has no roster
		return errNoPresence
	}
	cs, err := n.h.Contacts(ctx, n.place.owner)
	if err != nil {
		return err
	}
	if n.cfg.Access == "roster" {
		if !n.inGroup(cs, who) {
			return errNotInGroup
		}
		return nil
	}
	if !cs.SubscribedFrom(who.Bare()) {
		return errNoPresence
	}
	return nil
}

func (n *node) inGroup(cs *server.Contacts, who jid.JID) bool {
	all, _ := cs.All()
	bare := who.Bare().String()
	for i := range all {
		if all[i].JID == bare && all[i].InRoster {
			return slices.ContainsFunc(all[i].Groups, func(g string) bool { return slices.Contains(n.cfg.Groups, g) })
		}
	}
	return false
}

// mayPublish returns nil if somebody may publish, and otherwise the error (section 7.1).
func (n *node) mayPublish(ctx context.Context, who jid.JID) error {
	aff, err := n.affiliation(ctx, who)
	if err != nil {
		return err
	}
	switch {
	case aff == owner, aff == publisher, aff == publishOnly:
		return nil
	case aff == outcast, n.virtual != nil:
		return server.Forbidden
	case n.cfg.Publish == "open":
		return n.maySee(ctx, who)
	case n.cfg.Publish == "subscribers":
		sub, err := n.subscription(ctx, who)
		if err != nil {
			return err
		}
		if sub != nil && sub.State == "subscribed" {
			return nil
		}
	}
	return server.Forbidden
}

// subscription returns the subscription of a person or of one of their clients, or nil.
func (n *node) subscription(ctx context.Context, who jid.JID) (*store.NodeSubscription, error) {
	if n.virtual != nil {
		return nil, nil
	}
	ss, err := n.st.SubscriptionsOf(ctx, n.host, n.place.owner, who.Bare().String())
	if err != nil {
		return nil, err
	}
	for i := range ss {
		if ss[i].Node == n.name && !n.over(&ss[i]) {
			return &ss[i], nil
		}
	}
	return nil, nil
}

// do answers a request. e is <pubsub/> in one of its two namespaces; its first child is the request, and the others add
// details.
func (a ask) do(ctx context.Context, typ string, e *wire.Element) (*wire.Element, error) {
	verb, err := verbOf(e)
	if err != nil {
		return nil, err
	}
	verbs := userVerbs
	if e.Name.Space == nsOwner {
		verbs = ownerVerbs
	}
	fn := verbs[typ+" "+verb.Name.Local]
	if fn == nil {
		_, get := verbs["get "+verb.Name.Local]
		_, set := verbs["set "+verb.Name.Local]
		if get || set {
			return nil, server.BadRequest
		}
		return nil, server.WithText(server.FeatureNotImplemented, "unknown publish-subscribe request")
	}
	if len(verb.Attr("node")) > maxName {
		return nil, server.WithText(server.NotAcceptable, "the node's name is too long")
	}
	return fn(a, ctx, e, verb)
}

// follows lists the elements that may follow another one, about the same node and address (sections 6.3.7, 7.1.5,
// 8.1.3).
var follows = map[string]string{"configure": "create", "options": "subscribe", "publish-options": "publish"}

func verbOf(e *wire.Element) (verb *wire.Element, err error) {
	for _, c := range e.Elements() {
		switch {
		case c.Name == wire.Name{Space: wire.NSRSM, Local: "set"}:
		case verb == nil:
			verb = c
		case follows[c.Name.Local] == verb.Name.Local && c.Attr("node") == "" && c.Attr("jid") == "":
		case c.Name.Local == "configure" && verb.Name.Local == "publish":
			// COMPAT: the request for a configuration from before publish-options (version 1.9) is ignored, not
			// refused.
		default:
			return nil, server.BadRequest
		}
	}
	if verb == nil || verb.Name.Space != e.Name.Space || verb.Name.Local == "publish-options" {
		return nil, server.BadRequest
	}
	return verb, nil
}

// maxName is the largest length of a node's name or an item's id, in bytes.
const maxName = 1024

type verbFunc func(a ask, ctx context.Context, e, verb *wire.Element) (*wire.Element, error)

var userVerbs, ownerVerbs map[string]verbFunc

func init() { // a func avoids the initialization cycle: subscribing and publishing refer to the engine
	userVerbs = map[string]verbFunc{
		"set create":        ask.create,
		"set publish":       ask.publish,
		"set retract":       ask.retract,
		"get items":         ask.items,
		"set subscribe":     ask.subscribe,
		"set unsubscribe":   ask.unsubscribe,
		"get subscriptions": ask.mySubscriptions,
		"get affiliations":  ask.myAffiliations,
		"get options":       ask.getOptions,
		"set options":       ask.setOptionsOf,
		"get default":       ask.defaultOptions,
	}
	ownerVerbs = map[string]verbFunc{
		"get configure":     ask.getConfig,
		"set configure":     ask.setConfig,
		"get default":       ask.getDefault,
		"set delete":        ask.remove,
		"set purge":         ask.purge,
		"get subscriptions": ask.getSubscriptions,
		"set subscriptions": ask.setSubscriptions,
		"get affiliations":  ask.getAffiliations,
		"set affiliations":  ask.setAffiliations,
	}
}

// submitted parses the form inside e. ok is false if there is none or the form is cancelled.
func submitted(e *wire.Element, about string) (f form.Form, ok bool, err error) {
	x := e.Child(wire.NSForm, "x")
	if x == nil {
		return f, false, nil
	}
	if f, err = form.Parse(x); err != nil {
		return f, false, server.BadRequest
	}
	if f.Type == form.Cancel {
		return f, false, nil
	}
	if f.Type != form.Submit || f.About() != "" && f.About() != about {
		return f, false, server.BadRequest
	}
	return f, true, nil
}
