package pubsub

import (
	"context"
	"errors"
	"slices"

	"parley/acts"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// spacesVerb answers one request. e is <pubsub/>, verb its child with the request.
type spacesVerb func(s *Spaces, ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error)

var (
	spacesVerbs = map[string]spacesVerb{
		"get items":         (*Spaces).getItems,
		"set subscribe":     (*Spaces).subscribe,
		"set unsubscribe":   (*Spaces).unsubscribe,
		"get subscriptions": (*Spaces).mySubscriptions,
		"get affiliations":  (*Spaces).myAffiliations,
		"set create":        (*Spaces).create,
		"set publish":       (*Spaces).publish,
		"set retract":       (*Spaces).retract,
	}
	spacesOwnerVerbs = map[string]spacesVerb{
		"get configure": (*Spaces).getConfig, "set configure": (*Spaces).setConfig, "set delete": (*Spaces).remove,
		"get subscriptions": (*Spaces).getSubscriptions, "set subscriptions": (*Spaces).setSubscriptions,
		"get affiliations": (*Spaces).getAffiliations, "set affiliations": (*Spaces).setAffiliations,
	}
)

func (s *Spaces) do(ctx context.Context, st *wire.Stanza, e *wire.Element,
	verbs map[string]spacesVerb) (*wire.Element, error) {
	for _, verb := range e.Elements() {
		if verb.Name.Space != e.Name.Space {
			continue
		}
		if f := verbs[st.Type+" "+verb.Name.Local]; f != nil {
			return f(s, ctx, st.From, e, verb)
		}
		break
	}
	return nil, server.WithText(server.FeatureNotImplemented, "spaces do not support this request")
}

func pubsubAnswer(e *wire.Element) *wire.Element { return wire.E(wire.NSPubSub, "pubsub", e) }

// getItems returns items (XEP-0503, section 5.4).
func (s *Spaces) getItems(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.load(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	p, set, err := ask{engine: &s.engine}.page(e, verb)
	if err != nil {
		return nil, err
	}
	all, err := sp.items(ctx)
	if err != nil {
		return nil, err
	}
	items, total, err := pageOf(all, p)
	if errors.Is(err, store.ErrNotFound) || err == nil && len(p.IDs) > 0 && len(items) == 0 {
		return nil, server.ItemNotFound
	}
	if err != nil {
		return nil, err
	}
	list := wire.E(wire.NSPubSub, "items").Set("node", sp.group.ID)
	if set != nil && set.onlyCount {
		items = nil
	}
	for _, it := range items {
		list.Add(wire.E(wire.NSPubSub, "item").Set("id", it.ID).AddRaw(it.Payload))
	}
	answer := pubsubAnswer(list)
	if set != nil || len(p.IDs) == 0 && len(items) < total {
		answer.Add(rsm(items, total))
	}
	return answer, nil
}

// subscriber returns whose subscription is meant: that of the asker, as a person and not as one of their clients.
func (s *Spaces) subscriber(from jid.JID, verb *wire.Element) (jid.JID, error) {
	a := ask{engine: &s.engine, from: from}
	return a.subscriber(verb)
}

func (s *Spaces) subscription(node, who, state string) *wire.Element {
	return wire.E(wire.NSPubSub, "subscription").Set("node", node).Set("jid", who).Set("subscription", state)
}

// subscribe joins the group (XEP-0503, section 5.3). A subscriber gets notifications with any client.
func (s *Spaces) subscribe(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	who, err := s.subscriber(from, verb)
	if err != nil {
		return nil, err
	}
	if o := e.Child(wire.NSPubSub, "options"); o != nil && len(o.Elements()) > 0 {
		return nil, unsupported("subscription-options")
	}
	sp, err := s.load(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	m := membership{sp.group.ID, from.Bare()}
	if sp.role == "" {
		s.asked.Store(m, true)
	}
	joined, err := s.o.Join(ctx, s.by(from), s.h.Domain, sp.group.ID)
	if err != nil || !joined {
		s.asked.Delete(m)
	}
	if err != nil {
		return nil, err
	}
	if !joined {
		if err := s.o.Request(ctx, s.by(from), s.h.Domain, sp.group.ID, ""); err != nil {
			return nil, err
		}
		return pubsubAnswer(s.subscription(sp.group.ID, who.String(), "pending")), nil
	}
	sub := store.NodeSubscription{Node: sp.group.ID, JID: from.Bare().String(), State: "subscribed"}
	if err := s.st.SetNodeSubscriptions(ctx, s.jid.Domain(), "",
		s.engine.limits.Subscriptions, sub); errors.Is(err, store.ErrLimit) {
		return nil, errTooManySubs
	} else if err != nil {
		return nil, err
	}
	return pubsubAnswer(s.subscription(sp.group.ID, who.String(), "subscribed")), nil
}

// unsubscribe leaves the group.
func (s *Spaces) unsubscribe(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	if j, err := jid.Parse(verb.Attr("jid")); err == nil && verb.Attr("jid") != "" && j.Bare() != from.Bare() {
		return nil, server.Forbidden
	}
	who, err := s.subscriber(from, verb)
	if err != nil {
		return nil, err
	}
	sp, err := s.load(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	if verb.Attr("subid") != "" {
		return nil, errSubID
	}
	if sp.role == "" {
		if err := s.o.Withdraw(ctx, s.by(from), s.h.Domain, sp.group.ID); err != nil {
			if ignoreNotFound(err) == nil {
				err = errNotSubscribed
			}
			return nil, err
		}
		return pubsubAnswer(s.subscription(sp.group.ID, who.String(), "none")), nil
	}
	m := membership{sp.group.ID, from.Bare()}
	s.asked.Store(m, true)
	if err := s.o.Leave(ctx, s.by(from), s.h.Domain, sp.group.ID); err != nil {
		s.asked.Delete(m)
		return nil, err
	}
	return pubsubAnswer(s.subscription(sp.group.ID, who.String(), "none")), nil
}

func (s *Spaces) mySubscriptions(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	gs, err := s.mine(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	list := wire.E(wire.NSPubSub, "subscriptions").Set("node", verb.Attr("node"))
	for _, g := range gs {
		list.Add(s.subscription(g.ID, from.Bare().String(), "subscribed"))
	}
	asked, err := s.waiting(ctx, from)
	if err != nil {
		return nil, err
	}
	for _, g := range asked {
		if node := verb.Attr("node"); node == "" || node == g.ID {
			list.Add(s.subscription(g.ID, from.Bare().String(), "pending"))
		}
	}
	return pubsubAnswer(list), nil
}

func (s *Spaces) myAffiliations(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	gs, err := s.mine(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	list := wire.E(wire.NSPubSub, "affiliations").Set("node", verb.Attr("node"))
	for _, g := range gs {
		role, err := s.o.RoleOf(ctx, s.h.Domain, g.ID, from)
		if err != nil {
			return nil, err
		}
		list.Add(wire.E(wire.NSPubSub, "affiliation").Set("node", g.ID).Set("affiliation", affiliationOf[role]))
	}
	return pubsubAnswer(list), nil
}

// mine returns the asker's groups; with a node, only that one.
func (s *Spaces) mine(ctx context.Context, from jid.JID, node string) ([]store.Group, error) {
	if node != "" {
		if _, err := s.load(ctx, from, node); err != nil {
			return nil, err
		}
	}
	gs, err := s.o.GroupsOf(ctx, s.h.Domain, from)
	if node != "" {
		gs = slices.DeleteFunc(gs, func(g store.Group) bool { return g.ID != node })
	}
	return gs, err
}

// affiliationOf maps a group's roles to XEP-0060's affiliations; roleOf is its inverse.
var (
	affiliationOf = map[string]string{
		store.RoleOwner:     owner,
		store.RoleModerator: publisher,
		store.RoleMember:    member,
		store.RoleBanned:    outcast,
	}
	roleOf = map[string]string{
		owner:     store.RoleOwner,
		publisher: store.RoleModerator,
		member:    store.RoleMember,
		outcast:   store.RoleBanned,
		none:      "",
	}
)

// by returns the actor for a request to the service.
func (s *Spaces) by(from jid.JID) acts.Actor { return s.h.By(from, acts.Client) }

// create makes a group. The service chooses its id and returns it (XEP-0060, section 8.1.2).
func (s *Spaces) create(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	if !s.o.MayCreateGroup(ctx, s.by(from), s.h.Domain) {
		return nil, server.Forbidden
	}
	n := org.NewGroup{Owner: from.Bare(), Name: verb.Attr("node"), Private: true}
	if c := e.Child(wire.NSPubSub, "configure"); c != nil {
		f, ok, err := submitted(c, nsConfig)
		if err != nil {
			return nil, err
		}
		if ok {
			if t := f.Get("pubsub#title"); t != "" {
				n.Name = t
			}
			if t := f.Get("pubsub#type"); t != "" && t != nsSpaces {
				return nil, server.WithText(server.NotAcceptable, "this service only has spaces")
			}
			n.Description = f.Get("pubsub#description")
			n.Private = f.Get("pubsub#access_model") != "open"
		}
	}
	g, err := s.o.CreateGroup(ctx, s.by(from), s.h.Domain, n)
	if err != nil {
		return nil, err
	}
	return pubsubAnswer(wire.E(wire.NSPubSub, "create").Set("node", g.ID)), nil
}

// publish makes a theme from a <conference/> with a name.
func (s *Spaces) publish(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.load(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	items, err := ask{engine: &s.engine, from: from}.readItems(verb)
	if err != nil {
		return nil, err
	}
	if len(items) != 1 {
		return nil, errItemRequired
	}
	c, err := wire.ParseElement(items[0].Payload, "")
	if err != nil || c.Name != (wire.Name{Space: nsBookmarks, Local: "conference"}) {
		return nil, errPayload
	}
	if items[0].ID == s.o.RoomJID(s.h.Domain, sp.group.Room).String() {
		return nil, server.WithText(server.NotAllowed, "the group's own room cannot be published")
	}
	t, there, err := sp.find(ctx, items[0].ID)
	if err != nil {
		return nil, err
	}
	if there {
		return nil, server.WithText(server.NotAllowed, "the theme "+t.Name+" already exists")
	}
	if t, err = s.o.CreateTheme(ctx, s.by(from), s.h.Domain, sp.group.ID,
		org.NewTheme{Name: c.Attr("name"), Creator: from.Bare()}); err != nil {
		return nil, err
	}
	p := wire.E(wire.NSPubSub, "publish").Set("node", sp.group.ID)
	return pubsubAnswer(p.Add(wire.E(wire.NSPubSub, "item").Set("id", s.o.RoomJID(s.h.Domain, t.Room).String()))), nil
}

// retract closes a theme.
func (s *Spaces) retract(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.led(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	its := verb.Elements()
	if len(its) == 0 {
		return nil, errItemRequired
	}
	if len(its) > s.engine.limits.Page {
		return nil, errTooManyItems
	}
	for _, it := range its {
		t, ok, err := sp.find(ctx, it.Attr("id"))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, server.ItemNotFound
		}
		if err := s.o.SetThemeState(ctx, s.by(from), s.h.Domain, t.Key, org.ThemeClosed); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (s *Spaces) getConfig(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.owned(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	return wire.E(nsOwner, "pubsub",
		wire.E(nsOwner, "configure", s.engine.form(sp.config(), form.Ask, nsConfig)).Set("node", sp.group.ID)), nil
}

// setConfig changes the name and the description. Everything else in the form must stay as it is.
func (s *Spaces) setConfig(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.owned(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	f, ok, err := submitted(verb, nsConfig)
	if err != nil || !ok {
		return nil, err
	}
	was := sp.config()
	now, err := s.engine.configured(was, f)
	if err != nil {
		return nil, err
	}
	if now.Access != was.Access || now.Publish != was.Publish || now.Type != was.Type {
		return nil, server.WithText(server.NotAllowed, "only the title and the description of a space can be changed")
	}
	c := org.GroupChange{Description: &now.Description}
	if now.Title != "" {
		c.Name = &now.Title
	}
	_, err = s.o.Update(ctx, s.by(from), s.h.Domain, sp.group.ID, c)
	return nil, err
}

func (s *Spaces) remove(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.owned(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	return nil, s.o.DeleteGroup(ctx, s.by(from), s.h.Domain, sp.group.ID)
}

func (s *Spaces) getSubscriptions(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.led(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	ms, err := s.o.Members(ctx, s.h.Domain, sp.group.ID)
	if err != nil {
		return nil, err
	}
	list := wire.E(nsOwner, "subscriptions").Set("node", sp.group.ID)
	for _, m := range ms {
		if m.Role != store.RoleBanned {
			list.Add(wire.E(nsOwner, "subscription").Set("jid", m.JID).Set("subscription", "subscribed"))
		}
	}
	rs, err := s.o.Requests(ctx, s.h.Domain, sp.group.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range rs {
		list.Add(wire.E(nsOwner, "subscription").Set("jid", r.JID).Set("subscription", "pending"))
	}
	return wire.E(nsOwner, "pubsub", list), nil
}

func (s *Spaces) setSubscriptions(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	return s.setPeople(ctx, from, verb, func(role, state string) (string, bool) {
		switch {
		case state == "subscribed" && (role == "" || role == store.RoleBanned):
			return store.RoleMember, true
		case state == "subscribed":
			return role, true
		case state == none && role == store.RoleBanned:
			return role, true
		}
		return "", state == none
	}, "subscription")
}

func (s *Spaces) getAffiliations(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	sp, err := s.led(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	ms, err := s.o.Members(ctx, s.h.Domain, sp.group.ID)
	if err != nil {
		return nil, err
	}
	list := wire.E(nsOwner, "affiliations").Set("node", sp.group.ID)
	for _, m := range ms {
		list.Add(wire.E(nsOwner, "affiliation").Set("jid", m.JID).Set("affiliation", affiliationOf[m.Role]))
	}
	return wire.E(nsOwner, "pubsub", list), nil
}

func (s *Spaces) setAffiliations(ctx context.Context, from jid.JID, e, verb *wire.Element) (*wire.Element, error) {
	return s.setPeople(ctx, from, verb, func(_, aff string) (string, bool) {
		role, ok := roleOf[aff]
		return role, ok
	}, "affiliation")
}

// setPeople changes members by their subscription or affiliation, in one transaction. Moderators may add and remove
// members; only owners may change roles.
func (s *Spaces) setPeople(ctx context.Context, from jid.JID, verb *wire.Element,
	role func(was, value string) (string, bool), what string) (*wire.Element, error) {
	sp, err := s.led(ctx, from, verb.Attr("node"))
	if err != nil {
		return nil, err
	}
	es := verb.Elements()
	if len(es) > s.engine.limits.Page {
		return nil, server.WithText(server.NotAcceptable, "too many changes at once")
	}
	var ms []store.Member
	for _, c := range es {
		m, err := sp.change(ctx, from, c, role, what)
		if err != nil {
			return nil, err
		}
		if m != nil {
			ms = append(ms, *m)
		}
	}
	if len(ms) == 0 {
		return nil, nil
	}
	return nil, s.o.SetMembers(ctx, s.by(from), s.h.Domain, sp.group.ID, ms)
}

// change returns the change of a member that c asks for; nil if there is nothing to change, or if c was the answer to a
// request to join.
func (sp *space) change(ctx context.Context, from jid.JID, c *wire.Element, role func(was, value string) (string, bool),
	what string) (*store.Member, error) {
	s := sp.Spaces
	who, err := jid.Parse(c.Attr("jid"))
	if err != nil || who.Local() == "" || c.Name.Local != what {
		return nil, server.BadRequest
	}
	was, err := s.o.RoleOf(ctx, s.h.Domain, sp.group.ID, who)
	if err != nil {
		return nil, err
	}
	if what == "subscription" && was == "" { // perhaps the answer to a request to join
		asked, err := s.pending(ctx, sp.group.ID, who)
		if err != nil {
			return nil, err
		}
		if state := c.Attr(what); asked && (state == none || state == "subscribed") {
			return nil, s.o.AnswerRequest(ctx, s.by(from), s.h.Domain, sp.group.ID, who, state != none)
		}
	}
	now, ok := role(was, c.Attr(what))
	if !ok {
		return nil, server.BadRequest
	}
	if now == was {
		return nil, nil
	}
	high := func(r string) bool { return r == store.RoleOwner || r == store.RoleModerator }
	if sp.aff != org.Owner && (high(was) || high(now)) {
		return nil, server.Forbidden
	}
	return &store.Member{JID: who.Bare().String(), Role: now}, nil
}
