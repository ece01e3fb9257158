package muc

import (
	"context"
	"slices"
	"time"

	"parley/acts"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

var rank = map[string]int{org.Outcast: 0, org.None: 1, org.Member: 2, org.Admin: 3, org.Owner: 4}

// change is one item of a muc#admin set, checked.
type change struct {
	who         jid.JID // bare; zero for a role change
	o           *occupant
	affiliation string
	role        string
	nick        string
	setNick     bool // the reserved nick changes, to none if nick is "" (section 9.5)
	reason      string
}

// adminGet lists who has an affiliation or a role (sections 8.x and 9.x).
func (r *room) adminGet(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
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
		if rank[mine] < rank[org.Admin] && (o == nil || o.role != "moderator") {
			return nil, server.Forbidden
		}
		for _, x := range r.order {
			if x.role == role {
				reply.Add(wire.E(wire.NSMUCAdmin, "item").Set("affiliation", x.affiliation).Set("role", x.role).Set("nick", x.nick).Set("jid", x.clients[len(x.clients)-1].jid.String()))
			}
		}
		return reply, nil
	}
	want := items[0].Attr("affiliation")
	if _, ok := rank[want]; !ok || want == org.None {
		return nil, server.BadRequest
	}
	if err := r.mayList(st.From, mine, want); err != nil {
		return nil, err
	}
	list, err := r.list(ctx, want)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		it := wire.E(wire.NSMUCAdmin, "item").Set("affiliation", want).Set("jid", a.JID).Set("nick", a.Nick)
		if a.Reason != "" {
			it.Add(wire.T(wire.NSMUCAdmin, "reason", a.Reason))
		}
		reply.Add(it)
	}
	return reply, nil
}

// mayList says who reads which list: administrators every one, but where addresses are hidden owners alone those of owners
// and administrators (sections 10.5, 10.8); those who see addresses anyway, in the room or members of it, all but that of
// who is banned (section 9.5: OMEMO clients need them), if their role is one that may.
func (r *room) mayList(who jid.JID, mine, want string) error {
	switch {
	case mine == org.Owner:
		return nil
	case !r.cfg.NonAnonymous && (want == org.Owner || want == org.Admin):
		return server.Forbidden
	case rank[mine] >= rank[org.Admin]:
		return nil
	case want == org.Outcast:
		return server.Forbidden
	}
	o := r.sessions[who]
	role := "participant"
	if o != nil {
		role = o.role
	}
	in := o != nil || rank[mine] >= rank[org.Member]
	if in && (r.cfg.NonAnonymous || role == "moderator") && (r.cfg.MemberList == nil || slices.Contains(r.cfg.MemberList, role)) {
		return nil
	}
	return server.Forbidden
}

func (r *room) list(ctx context.Context, affiliation string) ([]store.Affiliation, error) {
	var out []store.Affiliation
	if r.group != "" {
		all, err := r.s.cfg.Org.AffiliationsOf(ctx, r.s.host.Domain, r.group, r.theme)
		if err != nil {
			return nil, err
		}
		for j, a := range all {
			if a == affiliation {
				out = append(out, store.Affiliation{JID: j.String(), Affiliation: a})
			}
		}
	} else {
		for _, a := range r.people {
			if a.Affiliation == affiliation {
				out = append(out, a)
			}
		}
	}
	slices.SortFunc(out, func(a, b store.Affiliation) int {
		if a.JID < b.JID {
			return -1
		}
		return 1
	})
	return out, nil
}

var errPeople = server.WithText(server.ResourceConstraint, "this room has as many people as it may have")

// maxChanges is how many items one set may have.
const maxChanges = 500

// adminSet changes roles and affiliations: all of it or, if one item may not be, nothing. It answers by itself: who has
// asked is told of success, and then everyone of what is new (sections 8.2 to 10.8).
func (r *room) adminSet(ctx context.Context, st *wire.Stanza, q *wire.Element) error {
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
	if err := r.keepOwner(ctx, changes); err != nil {
		return err
	}
	if err := r.save(ctx, r.s.by(st.From), changes); err != nil {
		return err
	}
	r.s.reply(ctx, st, nil)
	r.showChanges(ctx, actor, changes)
	return server.ErrHandled
}

// change reads and checks one item.
func (r *room) change(ctx context.Context, actor *occupant, from jid.JID, mine string, it *wire.Element) (change, error) {
	c := change{affiliation: it.Attr("affiliation"), role: it.Attr("role"), nick: it.Attr("nick"), reason: it.ChildText(wire.NSMUCAdmin, "reason")}
	if len(c.nick) > maxNick || len(c.reason) > 2000 {
		return c, server.NotAcceptable
	}
	if c.nick != "" {
		c.o = r.nicks[c.nick]
	}
	if c.affiliation != "" && c.role != "" {
		return c, server.BadRequest // section 17.4
	}
	if s := it.Attr("jid"); s != "" {
		j, err := jid.Parse(s)
		if err != nil {
			return c, server.MalformedJID
		}
		c.who = j.Bare()
		c.setNick = slices.ContainsFunc(it.Attrs, func(a wire.Attr) bool { return a.Name == wire.Name{Local: "nick"} })
	} else if c.affiliation != "" && c.o != nil {
		c.who = c.o.bare
	}
	switch {
	case c.affiliation != "" && !c.who.IsZero():
		if err := r.mayAffiliate(ctx, from, mine, c); err != nil {
			return c, err
		}
		return c, r.mayHold(&c)
	case c.role != "" && c.nick != "":
		if c.o == nil {
			return c, errNoOccupant
		}
		return c, r.mayRole(actor, mine, c)
	}
	return c, server.BadRequest
}

// mayAffiliate is the table of section 5.2.1: owners change everything, admins what is below them.
func (r *room) mayAffiliate(ctx context.Context, from jid.JID, mine string, c change) error {
	if _, ok := rank[c.affiliation]; !ok {
		return server.BadRequest
	}
	was, err := r.affiliation(ctx, c.who)
	if err != nil {
		return err
	}
	switch {
	case rank[mine] < rank[org.Admin]:
		return server.Forbidden
	case c.who == from.Bare() && c.affiliation == org.Outcast:
		return errConflict // section 9.1: nobody bans themselves
	case mine == org.Admin && rank[c.affiliation] >= rank[org.Admin] && was != c.affiliation:
		return server.Forbidden // sections 10.5 and 10.8: those lists are the owners'
	case mine == org.Admin && rank[was] >= rank[org.Admin] && was != c.affiliation:
		return server.NotAllowed
	}
	return nil
}

// mayHold checks the nick that is to be reserved with an affiliation. Outcasts have none, and a domain is only ever banned.
func (r *room) mayHold(c *change) error {
	if c.who.Local() == "" && c.affiliation != org.Outcast && c.affiliation != org.None {
		return server.WithText(server.NotAllowed, "a whole domain can be banned, and nothing else")
	}
	if c.affiliation == org.Outcast {
		c.nick, c.setNick = "", true
	}
	if !c.setNick || c.nick == "" {
		return nil
	}
	var err error
	if c.nick, err = checkNick(c.nick); err != nil {
		return err
	}
	if r.reserved(c.nick, c.who) {
		return server.WithText(errConflict, "somebody else has this nickname reserved")
	}
	return nil
}

// mayRole is the table of section 5.1.1.
func (r *room) mayRole(actor *occupant, mine string, c change) error {
	if actor == nil || actor.role != "moderator" {
		return server.Forbidden
	}
	switch c.role {
	case "none", "visitor":
		if c.o != actor && rank[c.o.affiliation] >= rank[mine] && rank[c.o.affiliation] >= rank[org.Admin] {
			return server.NotAllowed
		}
		if c.role == "visitor" && rank[c.o.affiliation] >= rank[org.Admin] {
			return server.NotAllowed
		}
		if c.o != actor && rank[c.o.affiliation] > rank[mine] {
			return server.NotAllowed
		}
	case "participant":
		if c.o.role == "moderator" && rank[c.o.affiliation] >= rank[org.Admin] {
			return server.NotAllowed
		}
		if c.o.role == "moderator" && rank[mine] < rank[org.Admin] {
			return server.Forbidden
		}
	case "moderator":
		if rank[mine] < rank[org.Admin] {
			return server.Forbidden
		}
	default:
		return server.BadRequest
	}
	return nil
}

// keepOwner: the last owner stays (section 10.6).
func (r *room) keepOwner(ctx context.Context, cs []change) error {
	if r.group != "" {
		return nil // org sees to it
	}
	owners := make(map[jid.JID]bool)
	for j, a := range r.people {
		if a.Affiliation == org.Owner {
			owners[j] = true
		}
	}
	before := len(owners)
	for _, c := range cs {
		if c.affiliation == org.Owner {
			owners[c.who] = true
		} else if c.affiliation != "" {
			delete(owners, c.who)
		}
	}
	if len(owners) == 0 && before > 0 {
		return errConflict
	}
	return nil
}

// apply makes changes and shows them; actor is whom they are shown to be of, nil if nobody.
func (r *room) apply(ctx context.Context, by acts.Actor, actor *occupant, cs []change) error {
	err := r.save(ctx, by, cs)
	if err == nil {
		r.showChanges(ctx, actor, cs)
	}
	return err
}

// save keeps what is to be kept of changes: affiliations.
func (r *room) save(ctx context.Context, by acts.Actor, cs []change) error {
	if r.group != "" {
		return r.setMembers(ctx, by, cs)
	}
	return r.setPeople(ctx, cs)
}

// showChanges has everyone see them.
func (r *room) showChanges(ctx context.Context, actor *occupant, cs []change) {
	for _, c := range cs {
		if c.affiliation != "" {
			if r.group == "" { // in a group's room the group's event does it
				r.affiliated(ctx, c.who, c.affiliation, leaving{actor: actor, reason: c.reason})
			}
			continue
		}
		r.setRole(ctx, actor, c)
	}
}

func (r *room) setPeople(ctx context.Context, cs []change) error {
	var as []store.Affiliation
	more := 0
	for _, c := range cs {
		if c.affiliation == "" {
			continue
		}
		switch _, is := r.people[c.who]; {
		case !is && c.affiliation != org.None:
			more++
		case is && c.affiliation == org.None:
			more--
		}
		nick := c.nick
		if !c.setNick { // if there is one it only said who was meant
			nick = r.people[c.who].Nick
		}
		since := r.people[c.who].Since
		if was := r.people[c.who].Affiliation; was == "" || was == org.Outcast {
			since = r.s.host.IDs.Now().UTC().Truncate(time.Microsecond)
		}
		if c.affiliation == org.Outcast {
			since = time.Time{}
		}
		as = append(as, store.Affiliation{JID: c.who.String(), Affiliation: c.affiliation, Nick: nick, Reason: c.reason, Since: since})
	}
	switch {
	case len(as) == 0:
		return nil
	case more > 0 && len(r.people)+more > r.s.cfg.MaxPeople:
		return errPeople
	}
	if err := r.s.st.SetAffiliations(ctx, r.s.cfg.Domain, r.name, as...); err != nil {
		return err
	}
	r.keep(as)
	for _, a := range as {
		j, _ := jid.Parse(a.JID)
		if err := r.answered(ctx, j); err != nil {
			r.s.log.Error("a request that was answered is kept", "room", r.jid.String(), "err", err)
		}
	}
	return nil
}

// keep brings what is in memory up to what the store has.
func (r *room) keep(as []store.Affiliation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range as {
		j, _ := jid.Parse(a.JID)
		if a.Affiliation == org.None {
			delete(r.people, j)
		} else {
			r.people[j] = a
		}
	}
	r.hold()
}

// affiliated shows a person's new affiliation to the room, and puts out who may not be in it any more.
func (r *room) affiliated(ctx context.Context, who jid.JID, affiliation string, l leaving) {
	found := false
	l.version = r.versioned(who, affiliation)
	for _, o := range slices.Clone(r.order) {
		if o.bare != who && !(affiliation == org.Outcast && o.bare.Host() == who && o.affiliation == org.None) {
			continue
		}
		found = true
		was := o.affiliation
		o.affiliation = affiliation
		switch {
		case affiliation == org.Outcast:
			l.codes = []string{"301"}
			r.expel(ctx, o, l)
		case affiliation == org.None && r.cfg.MembersOnly:
			l.codes = []string{"321"}
			r.expel(ctx, o, l)
		case was == affiliation && l.actor == nil && l.version == nil: // who became a member by coming in
		default:
			if was != affiliation {
				o.role = r.roleFor(affiliation)
			}
			r.reshow(ctx, o, l)
		}
	}
	if !found { // section 10.3 and others: who is not in
		r.affiliatedAbsent(ctx, who, affiliation, l)
	}
}

// affiliatedAbsent tells those of a change who see real addresses: everyone, or moderators.
func (r *room) affiliatedAbsent(ctx context.Context, who jid.JID, affiliation string, l leaving) {
	tos := r.everyone(func(o *occupant) bool { return r.cfg.NonAnonymous || o.role == "moderator" })
	if len(tos) > 0 {
		it := wire.E(wire.NSMUCUser, "item").Set("affiliation", affiliation).Set("role", "none").Set("jid", who.String())
		if l.reason != "" {
			it.Add(wire.T(wire.NSMUCUser, "reason", l.reason))
		}
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
		r.send(ctx, st.Add(userX(it).Add(l.version)), tos)
	}
}

// reshow broadcasts an occupant's presence after a change of role or affiliation, to itself too.
func (r *room) reshow(ctx context.Context, o *occupant, l leaving) {
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
			st := &wire.Stanza{Kind: wire.Presence, Name: presenceName, From: o.jid, Payload: p.Payload, Children: p.Children}
			return st.Add(userX(it, codes...).Add(l.version), wire.E(nsOccupantID, "occupant-id").Set("id", o.id), o.hats)
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

func (r *room) setRole(ctx context.Context, actor *occupant, c change) {
	if len(c.o.clients) == 0 {
		return
	}
	l := leaving{actor: actor, reason: c.reason}
	if c.role == "none" {
		l.codes = []string{"307"}
		r.expel(ctx, c.o, l)
		return
	}
	c.o.role = c.role
	r.reshow(ctx, c.o, l)
}

// expelStrangers is section 10.2: a room that becomes members-only.
func (r *room) expelStrangers(ctx context.Context) {
	for _, o := range slices.Clone(r.order) {
		if o.affiliation == org.None {
			r.expel(ctx, o, leaving{codes: []string{"322"}})
		}
	}
}

// refreshRoles gives everyone the role of their affiliation, after the room was made or is no longer moderated.
func (r *room) refreshRoles(ctx context.Context) {
	for _, o := range slices.Clone(r.order) {
		if role := r.roleFor(o.affiliation); role != o.role {
			o.role = role
			r.reshow(ctx, o, leaving{})
		}
	}
}
