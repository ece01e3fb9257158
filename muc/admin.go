package muc

import (
	"context"
	"slices"
	"strings"

	"parley/acts"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// change is one item of a muc#admin set, checked: of an affiliation, or of an occupant's role.
type change struct {
	Change
	o    *Occupant
	role string
}

// adminGet lists the people with an affiliation or a role (sections 8.x and 9.x).
func (r *Room) adminGet(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	items := q.Elements()
	if len(items) != 1 || items[0].Name.Local != "item" {
		return nil, server.BadRequest
	}
	mine, err := r.affiliation(ctx, st.From)
	if err != nil {
		return nil, err
	}
	reply := wire.E(wire.NSMUCAdmin, "query")
	if role := items[0].Attr("role"); role != "" {
		if !slices.Contains(allRoles, role) {
			return nil, server.BadRequest
		}
		o := r.sessions[st.From]
		if rank[mine] < rank[Admin] && (o == nil || o.role != "moderator") {
			return nil, server.Forbidden
		}
		for _, x := range r.order {
			if x.role == role {
				reply.Add(wire.E(wire.NSMUCAdmin, "item").Set("affiliation", x.affiliation).Set("role", x.role).
					Set("nick", x.nick).Set("jid", x.clients[len(x.clients)-1].jid.String()))
			}
		}
		return reply, nil
	}
	want := items[0].Attr("affiliation")
	if _, ok := rank[want]; !ok || want == None {
		return nil, server.BadRequest
	}
	if err := r.mayList(st.From, mine, want); err != nil {
		return nil, err
	}
	list, err := r.keeper.List(ctx, want)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b store.Affiliation) int { return strings.Compare(a.JID, b.JID) })
	for _, a := range list {
		it := wire.E(wire.NSMUCAdmin, "item").Set("affiliation", want).Set("jid", a.JID).Set("nick", a.Nick)
		if a.Reason != "" {
			it.Add(wire.T(wire.NSMUCAdmin, "reason", a.Reason))
		}
		reply.Add(it)
	}
	return reply, nil
}

// mayList says which lists a person may read. Administrators may read all; but where addresses are hidden, only owners
// may read the lists of owners and administrators (sections 10.5, 10.8). People who see addresses anyway, occupants or
// members, may read all but the list of banned people, if their role is allowed to (section 9.5: OMEMO clients need the
// lists).
func (r *Room) mayList(who jid.JID, mine, want string) error {
	switch {
	case mine == Owner:
		return nil
	case !r.cfg.NonAnonymous && (want == Owner || want == Admin):
		return server.Forbidden
	case rank[mine] >= rank[Admin]:
		return nil
	case want == Outcast:
		return server.Forbidden
	}
	o := r.sessions[who]
	role := "participant"
	if o != nil {
		role = o.role
	}
	in := o != nil || rank[mine] >= rank[Member]
	if in && (r.cfg.NonAnonymous || role == "moderator") &&
		(r.cfg.MemberList == nil || slices.Contains(r.cfg.MemberList, role)) {
		return nil
	}
	return server.Forbidden
}

// maxChanges is how many items one set may have.
const maxChanges = 500

// adminSet changes roles and affiliations: all the items or, if one of them is not allowed, none. It answers by itself:
// first the person who asked is told of success, then everyone is told of the changes (sections 8.2 to 10.8).
func (r *Room) adminSet(ctx context.Context, st *wire.Stanza, q *wire.Element) error {
	mine, err := r.affiliation(ctx, st.From)
	if err != nil {
		return err
	}
	items := q.Elements()
	if len(items) == 0 || len(items) > maxChanges {
		return server.BadRequest
	}
	actor := r.sessions[st.From]
	var changes []change
	for _, it := range items {
		if it.Name != (wire.Name{Space: wire.NSMUCAdmin, Local: "item"}) {
			return server.BadRequest
		}
		c, err := r.change(ctx, actor, st.From, mine, it)
		if err != nil {
			return err
		}
		changes = append(changes, c)
	}
	show, err := r.keeper.Affiliate(ctx, r.s.by(st.From), affiliations(changes))
	if err != nil {
		return err
	}
	r.s.Reply(ctx, st, nil)
	for _, c := range changes {
		if c.role != "" {
			r.setRole(ctx, actor, c.o, c.role, c.Reason)
		} else if slices.Contains(show, c.Change) {
			r.showChanges(ctx, actor, []Change{c.Change})
		}
	}
	return server.ErrHandled
}

// change reads and checks one item.
func (r *Room) change(ctx context.Context, actor *Occupant, from jid.JID, mine string,
	it *wire.Element) (change, error) {
	c := change{role: it.Attr("role")}
	c.Affiliation, c.Nick, c.Reason = it.Attr("affiliation"), it.Attr("nick"), it.ChildText(wire.NSMUCAdmin, "reason")
	if len(c.Nick) > maxNick || len(c.Reason) > 2000 {
		return c, server.NotAcceptable
	}
	if c.Nick != "" {
		c.o = r.nicks[c.Nick]
	}
	if c.Affiliation != "" && c.role != "" {
		return c, server.BadRequest // section 17.4
	}
	if s := it.Attr("jid"); s != "" {
		j, err := jid.Parse(s)
		if err != nil {
			return c, server.MalformedJID
		}
		c.Who = j.Bare()
		c.SetNick = slices.ContainsFunc(it.Attrs, func(a wire.Attr) bool { return a.Name == wire.Name{Local: "nick"} })
	} else if c.Affiliation != "" && c.o != nil {
		c.Who = c.o.bare
	}
	switch {
	case c.Affiliation != "" && !c.Who.IsZero():
		if err := r.mayAffiliate(ctx, from, mine, c); err != nil {
			return c, err
		}
		return c, r.mayHold(&c)
	case c.role != "" && c.Nick != "":
		if c.o == nil {
			return c, errNoOccupant
		}
		return c, r.mayRole(actor, mine, c)
	}
	return c, server.BadRequest
}

// mayAffiliate is the table of section 5.2.1: owners change every affiliation, admins only the lower ones.
func (r *Room) mayAffiliate(ctx context.Context, from jid.JID, mine string, c change) error {
	if _, ok := rank[c.Affiliation]; !ok {
		return server.BadRequest
	}
	was, err := r.affiliation(ctx, c.Who)
	if err != nil {
		return err
	}
	switch {
	case rank[mine] < rank[Admin]:
		return server.Forbidden
	case c.Who == from.Bare() && c.Affiliation == Outcast:
		return ErrConflict // section 9.1: nobody bans themselves
	case mine == Admin && rank[c.Affiliation] >= rank[Admin] && was != c.Affiliation:
		return server.Forbidden // sections 10.5 and 10.8: those lists are the owners'
	case mine == Admin && rank[was] >= rank[Admin] && was != c.Affiliation:
		return server.NotAllowed
	}
	return nil
}

// mayHold checks the nick that is to be reserved with an affiliation. Outcasts have none, and a
// domain is only ever banned.
func (r *Room) mayHold(c *change) error {
	if c.Who.Local() == "" && c.Affiliation != Outcast && c.Affiliation != None {
		return server.WithText(server.NotAllowed, "a whole domain can only be banned")
	}
	if c.Affiliation == Outcast {
		c.Nick, c.SetNick = "", true
	}
	if !c.SetNick || c.Nick == "" {
		return nil
	}
	var err error
	if c.Nick, err = CheckNick(c.Nick); err != nil {
		return err
	}
	if r.keeper.Reserved(c.Nick, c.Who) {
		return server.WithText(ErrConflict, "somebody else has reserved this nickname")
	}
	return nil
}

// mayRole is the table of section 5.1.1.
func (r *Room) mayRole(actor *Occupant, mine string, c change) error {
	if actor == nil || actor.role != "moderator" {
		return server.Forbidden
	}
	switch c.role {
	case "none", "visitor":
		if c.o != actor && rank[c.o.affiliation] >= rank[mine] && rank[c.o.affiliation] >= rank[Admin] {
			return server.NotAllowed
		}
		if c.role == "visitor" && rank[c.o.affiliation] >= rank[Admin] {
			return server.NotAllowed
		}
		if c.o != actor && rank[c.o.affiliation] > rank[mine] {
			return server.NotAllowed
		}
	case "participant":
		if c.o.role == "moderator" && rank[c.o.affiliation] >= rank[Admin] {
			return server.NotAllowed
		}
		if c.o.role == "moderator" && rank[mine] < rank[Admin] {
			return server.Forbidden
		}
	case "moderator":
		if rank[mine] < rank[Admin] {
			return server.Forbidden
		}
	default:
		return server.BadRequest
	}
	return nil
}

// affiliations leaves changes of roles out.
func affiliations(cs []change) (out []Change) {
	for _, c := range cs {
		if c.Affiliation != "" {
			out = append(out, c.Change)
		}
	}
	return out
}

// affiliate makes changes and shows them as made by actor; nil: by nobody in particular.
func (r *Room) affiliate(ctx context.Context, by acts.Actor, actor *Occupant, cs ...Change) error {
	show, err := r.keeper.Affiliate(ctx, by, cs)
	if err == nil {
		r.showChanges(ctx, actor, show)
	}
	return err
}

// showChanges has everyone see new affiliations.
func (r *Room) showChanges(ctx context.Context, actor *Occupant, cs []Change) {
	for _, c := range cs {
		r.affiliated(ctx, c.Who, c.Affiliation, leaving{actor: actor, reason: c.Reason})
	}
}

// affiliated shows a person's new affiliation to the room, and puts the person out if they may not be in it any more.
func (r *Room) affiliated(ctx context.Context, who jid.JID, affiliation string, l leaving) {
	found := false
	l.version = r.affiliatedBy(who, affiliation)
	for _, o := range slices.Clone(r.order) {
		if o.bare != who && !(affiliation == Outcast && o.bare.Host() == who && o.affiliation == None) {
			continue
		}
		found = true
		was := o.affiliation
		o.affiliation = affiliation
		switch {
		case affiliation == Outcast:
			l.codes = []string{"301"}
			r.expel(ctx, o, l)
		case affiliation == None && r.cfg.MembersOnly:
			l.codes = []string{"321"}
			r.expel(ctx, o, l)
		case was == affiliation && l.actor == nil && l.version == nil: // somebody became a member by entering
		default:
			if was != affiliation {
				o.role = r.RoleFor(affiliation)
			}
			r.reshow(ctx, o, l)
		}
	}
	if !found { // section 10.3 and others: the person is not in the room
		r.affiliatedAbsent(ctx, who, affiliation, l)
	}
}

// affiliatedAbsent tells those of a change who see real addresses: everyone, or moderators.
func (r *Room) affiliatedAbsent(ctx context.Context, who jid.JID, affiliation string, l leaving) {
	tos := r.everyone(func(o *Occupant) bool { return r.cfg.NonAnonymous || o.role == "moderator" })
	if len(tos) > 0 {
		it := wire.E(wire.NSMUCUser, "item").Set("affiliation", affiliation).
			Set("role", "none").Set("jid", who.String())
		if l.reason != "" {
			it.Add(wire.T(wire.NSMUCUser, "reason", l.reason))
		}
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
		r.send(ctx, st.Add(userX(it).Add(l.version)), tos)
	}
}

// reshow broadcasts an occupant's presence after a change of role or affiliation, to itself too.
func (r *Room) reshow(ctx context.Context, o *Occupant, l leaving) {
	o.shown = [2]*wire.Stanza{}
	if l.reason != "" || l.actor != nil || l.version != nil {
		make1 := func(real bool, codes ...string) *wire.Stanza {
			it := r.item(o, real)
			if l.actor != nil {
				it.Add(wire.E(wire.NSMUCUser, "actor").Set("nick", l.actor.nick))
			}
			if l.reason != "" {
				it.Add(wire.T(wire.NSMUCUser, "reason", l.reason))
			}
			p := o.clients[len(o.clients)-1].presence
			st := &wire.Stanza{
				Kind:     wire.Presence,
				Name:     presenceName,
				From:     o.jid,
				Payload:  p.Payload,
				Children: p.Children,
			}
			return st.Add(userX(it, codes...).Add(l.version),
				wire.E(nsOccupantID, "occupant-id").Set("id", o.id), o.hats)
		}
		if r.visible(o) {
			o.seen = true
			r.views(o, func(real bool, tos []jid.JID) { r.send(ctx, make1(real), tos) })
		} else {
			r.hide(ctx, o)
		}
		r.send(ctx, make1(true, "110"), clientsOf(o))
		return
	}
	r.show(ctx, o)
	r.send(ctx, r.presenceOf(o, o.clients[len(o.clients)-1].presence, true, "110"), clientsOf(o))
}

func (r *Room) setRole(ctx context.Context, actor, o *Occupant, role, reason string) {
	if len(o.clients) == 0 {
		return
	}
	l := leaving{actor: actor, reason: reason}
	if role == "none" {
		l.codes = []string{"307"}
		r.expel(ctx, o, l)
		return
	}
	o.role = role
	r.reshow(ctx, o, l)
}

// expelStrangers is section 10.2: a room that becomes members-only.
func (r *Room) expelStrangers(ctx context.Context) {
	for _, o := range slices.Clone(r.order) {
		if o.affiliation == None {
			r.expel(ctx, o, leaving{codes: []string{"322"}})
		}
	}
}

// refreshRoles gives everyone the role of their affiliation, after the room was made or is no longer moderated.
func (r *Room) refreshRoles(ctx context.Context) {
	for _, o := range slices.Clone(r.order) {
		if role := r.RoleFor(o.affiliation); role != o.role {
			o.role = role
			r.reshow(ctx, o, leaving{})
		}
	}
}
