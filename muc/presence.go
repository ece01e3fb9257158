package muc

import (
	"context"
	"slices"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

var (
	messageName  = wire.Name{Space: wire.NSClient, Local: "message"}
	presenceName = wire.Name{Space: wire.NSClient, Local: "presence"}
)

const nsOccupantID = "urn:xmpp:occupant-id:0"

// userX makes <x xmlns='…muc#user'/> with an item and status codes.
func userX(item *wire.Element, codes ...string) *wire.Element {
	x := wire.E(wire.NSMUCUser, "x", item)
	for _, c := range codes {
		x.Add(wire.E(wire.NSMUCUser, "status").Set("code", c))
	}
	return x
}

// maxPresence is the most bytes of presence that a client may send: all of it goes to every occupant, now and to each
// who enters later.
const maxPresence = 16 << 10

var errPresence = server.WithText(server.PolicyViolation, "the presence is too large")

// onPresence handles a client that comes, changes, or leaves.
func (r *Room) onPresence(ctx context.Context, st *wire.Stanza) error {
	o := r.sessions[st.From]
	if len(st.Payload) > maxPresence && (st.Type == "" || st.Type == "unavailable" && o != nil) {
		if st.Type == "" {
			return errPresence
		}
		st = st.Copy()
		st.SetPayload(nil, nil) // the client leaves all the same
	}
	switch st.Type {
	case "":
		if o == nil {
			return r.join(ctx, st)
		}
		if st.To.IsBare() {
			return server.MalformedJID
		}
		if st.To.Resource() != o.nick {
			return r.rename(ctx, o, st)
		}
		if st.Has(wire.NSMUC, "x") { // its client believes that it is outside: it gets everything again
			return r.rejoin(ctx, o, st)
		}
		return r.update(ctx, o, st)
	case "unavailable":
		if o != nil {
			r.leave(ctx, o, st.From, st, leaving{})
		} else {
			r.s.notInAnyMore(ctx, st)
		}
		return nil
	case "error":
		if o != nil {
			r.leave(ctx, o, st.From, nil, leaving{codes: []string{"333"}})
		}
		return nil
	}
	return nil
}

// join is section 7.2. Refusals come before anything has changed.
func (r *Room) join(ctx context.Context, st *wire.Stanza) error {
	nick := st.To.Resource()
	if nick == "" {
		return server.MalformedJID
	}
	x := st.Element(wire.NSMUC, "x")
	if x == nil {
		r.s.notIn(ctx, st)
		return nil
	}
	if err := r.mayCome(st); err != nil {
		return err
	}
	if NickKey(nick) == "" {
		return errNoNick
	}
	affiliation, seat, err := r.keeper.Enter(ctx, st.From)
	if err != nil {
		return err
	}
	if err := r.mayEnter(affiliation, seat, nick, x); err != nil {
		return err
	}
	if nick, err = r.nickOf(ctx, st.From, affiliation, nick); err != nil {
		return err
	}
	if r.taken(nick, st.From.Bare()) || r.keeper.Reserved(nick, st.From.Bare()) {
		return ErrConflict
	}
	o := r.nicks[nick]
	r.admit(ctx, st, o, nick, affiliation, x)
	return nil
}

func (r *Room) mayEnter(affiliation string, seat bool, nick string, x *wire.Element) error {
	owner := affiliation == Owner || affiliation == Admin
	switch {
	case affiliation == Outcast:
		return server.Forbidden
	case r.locked.Load() && affiliation != Owner:
		return server.ItemNotFound
	case r.cfg.MembersOnly && affiliation == None:
		return ErrNoMember
	case r.cfg.Password != "" && x.ChildText(wire.NSMUC, "password") != r.cfg.Password:
		return errNotAuthorized
	case seat:
	case len(r.sessions) >= r.s.cfg.MaxOccupants && (!owner || len(r.sessions) >= r.s.cfg.MaxOccupants+spareSeats):
		return errNoPlace
	case r.cfg.MaxUsers > 0 && len(r.order) >= r.cfg.MaxUsers && !owner && r.nicks[nick] == nil:
		// a person's second client is not another person
		return errNoPlace
	}
	return nil
}

// spareSeats of a full room are for its owners and administrators (section 7.2.9).
const spareSeats = 20

// notIn tells a client that it is not in a room it believes to be in: its presence would be a join of the old protocol,
// and leave it half in (section 7.2.17).
func (s *Service) notIn(ctx context.Context, st *wire.Stanza) {
	it := wire.E(wire.NSMUCUser, "item", wire.T(wire.NSMUCUser, "reason", "You are not in the room.")).
		Set("affiliation", None).Set("role", "none")
	p := &wire.Stanza{Kind: wire.Presence, Name: presenceName, Type: "unavailable", From: st.To, To: st.From, ID: st.ID}
	s.host.Router.Send(ctx, p.Add(userX(it, "110", "307", "333")))
}

// notInAnyMore answers a client that leaves a room where it is not, or not any more, or a room that is gone: the client
// waits to hear that it is out, and the room may have put it out at the same time.
func (s *Service) notInAnyMore(ctx context.Context, st *wire.Stanza) {
	if st.To.Resource() == "" {
		return
	}
	it := wire.E(wire.NSMUCUser, "item").Set("affiliation", None).Set("role", "none")
	p := &wire.Stanza{Kind: wire.Presence, Name: presenceName, Type: "unavailable", From: st.To, To: st.From, ID: st.ID}
	s.host.Router.Send(ctx, p.Add(userX(it, "110")))
}

// admit puts a client in: it is shown the others, they are shown it, then it gets itself, the history, the subject.
func (r *Room) admit(ctx context.Context, st *wire.Stanza, o *Occupant, nick, affiliation string, x *wire.Element) {
	version := r.entering(ctx, st, affiliation, x)
	for _, other := range r.order {
		if other != o && r.visible(other) {
			r.send(ctx, r.shownTo(other, r.RoleFor(affiliation)), []jid.JID{st.From})
		}
	}
	fresh := o == nil
	if fresh {
		j, err := r.jid.WithResource(nick)
		if err != nil {
			r.s.Fail(ctx, st, server.MalformedJID)
			return
		}
		o = &Occupant{
			bare:        st.From.Bare(),
			came:        r.s.host.Clock.Now(),
			id:          r.OccupantID(st.From),
			affiliation: affiliation,
			role:        r.RoleFor(affiliation),
			pace:        r.paceOf(st.From.Bare()),
		}
		r.silence(func(sp *Occupant) bool { return sp.bare == o.bare })
		o.hats = r.hatsOf(ctx, o.bare)
		r.nameAs(o, nick, j)
		r.order = append(r.order, o)
		r.present.Store(int32(len(r.order)))
	}
	o.clients = append(o.clients, client{st.From, bareStanza(st)})
	r.sessions[st.From] = o
	r.clientIn(st.From)
	o.shown = [2]*wire.Stanza{}
	r.show(ctx, o)
	r.greet(ctx, o, st, x, version)
}

// greet sends a client its own presence, the history and the subject (sections 7.2.2, 7.2.13, 7.2.15).
func (r *Room) greet(ctx context.Context, o *Occupant, st *wire.Stanza, x, version *wire.Element) {
	codes := []string{"110"}
	if r.cfg.NonAnonymous {
		codes = append(codes, "100")
	}
	if r.cfg.Archive {
		codes = append(codes, "170")
	}
	if r.locked.Load() {
		codes = append(codes, "201")
	}
	if o.nick != st.To.Resource() { // section 7.2.7
		codes = append(codes, "210")
	}
	self := r.presenceWith(o, o.clients[len(o.clients)-1].presence, true, version, codes...)
	self.ID = st.ID
	r.send(ctx, self, []jid.JID{st.From})
	r.sendAvatar(ctx, []jid.JID{st.From})
	r.sendHistory(ctx, o, st.From, x.Child(wire.NSMUC, "history"))
	r.sendSubject(ctx, st.From)
	for i := range r.hooks {
		if f := r.hooks[i].Came; f != nil {
			f(ctx, o, st.From)
		}
	}
}

// rejoin is a join of a client that is in already.
func (r *Room) rejoin(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	if err := r.mayCome(st); err != nil {
		return err
	}
	x := st.Element(wire.NSMUC, "x")
	version := r.entering(ctx, st, o.affiliation, x)
	for _, other := range r.order {
		if other != o && r.visible(other) {
			r.send(ctx, r.shownTo(other, o.role), []jid.JID{st.From})
		}
	}
	r.setPresence(o, st)
	r.show(ctx, o)
	self := o.clients
	i := slices.IndexFunc(self, func(c client) bool { return c.jid == st.From })
	o.clients = append(append(slices.Clone(self[:i]), self[i+1:]...), self[i])
	r.greet(ctx, o, st, x, version)
	return nil
}

// bareStanza is the presence without what only the room may say.
func bareStanza(st *wire.Stanza) *wire.Stanza {
	return st.Copy().Remove(func(c wire.Child) bool {
		return c.Name.Space == wire.NSMUC || c.Name.Space == wire.NSMUCUser ||
			c.Name.Space == nsOccupantID || c.Name.Space == nsHats
	})
}

func (r *Room) setPresence(o *Occupant, st *wire.Stanza) {
	for i := range o.clients {
		if o.clients[i].jid == st.From {
			o.clients[i].presence = bareStanza(st)
			if i != len(o.clients)-1 { // the last client's presence counts for the occupant
				o.clients = append(append(o.clients[:i:i], o.clients[i+1:]...), client{st.From, bareStanza(st)})
			}
			break
		}
	}
	o.shown = [2]*wire.Stanza{}
}

// update is a change of availability (section 7.8).
func (r *Room) update(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	if !o.pace.Allow(st.At) {
		return ErrTooFast
	}
	r.setPresence(o, st)
	r.show(ctx, o)
	r.showSelf(ctx, o, st.ID)
	return nil
}

// showSelf sends an occupant its own presence.
func (r *Room) showSelf(ctx context.Context, o *Occupant, id string) {
	self := r.presenceOf(o, o.clients[len(o.clients)-1].presence, true, "110")
	self.ID = id
	r.send(ctx, self, clientsOf(o))
}

func clientsOf(o *Occupant) []jid.JID {
	tos := make([]jid.JID, len(o.clients))
	for i, c := range o.clients {
		tos[i] = c.jid
	}
	return tos
}

// item describes an occupant in a presence.
func (r *Room) item(o *Occupant, real bool) *wire.Element {
	it := wire.E(wire.NSMUCUser, "item").Set("affiliation", o.affiliation).Set("role", o.role)
	if real && len(o.clients) > 0 {
		it.Set("jid", o.clients[len(o.clients)-1].jid.String())
	}
	return it
}

// presenceOf makes an occupant's presence; real: with the real JID.
func (r *Room) presenceOf(o *Occupant, sent *wire.Stanza, real bool, codes ...string) *wire.Stanza {
	return r.presenceWith(o, sent, real, nil, codes...)
}

// presenceWith says besides which version of the affiliations there is (XEP-0463), if one is given.
func (r *Room) presenceWith(o *Occupant, sent *wire.Stanza, real bool, version *wire.Element,
	codes ...string) *wire.Stanza {
	st := &wire.Stanza{Kind: wire.Presence, Name: presenceName, From: o.jid}
	if sent != nil {
		st.Type, st.Lang, st.Payload, st.Children = sent.Type, sent.Lang, sent.Payload, sent.Children
	}
	return st.Add(userX(r.item(o, real), codes...).Add(version),
		wire.E(nsOccupantID, "occupant-id").Set("id", o.id), o.hats)
}

// shownTo gives an occupant's presence as others of that role see it; made once for each of the two views.
func (r *Room) shownTo(o *Occupant, role string) *wire.Stanza {
	i := 0
	if r.cfg.NonAnonymous || role == "moderator" {
		i = 1
	}
	if o.shown[i] == nil {
		o.shown[i] = r.presenceOf(o, o.clients[len(o.clients)-1].presence, i == 1).Render()
	}
	return o.shown[i]
}

// visible: presence of some roles may not be broadcast (muc#roomconfig_presencebroadcast).
func (r *Room) visible(o *Occupant) bool {
	return r.cfg.Broadcast == nil || slices.Contains(r.cfg.Broadcast, o.role)
}

// show broadcasts an occupant's presence to everyone else.
func (r *Room) show(ctx context.Context, o *Occupant) {
	if !r.visible(o) {
		r.hide(ctx, o)
		return
	}
	o.seen = true
	r.views(o, func(real bool, tos []jid.JID) {
		role := ""
		if real {
			role = "moderator"
		}
		r.send(ctx, r.shownTo(o, role), tos)
	})
}

// hide withdraws the presence of an occupant whose role is not shown, or no longer.
func (r *Room) hide(ctx context.Context, o *Occupant) {
	if !o.seen {
		return
	}
	o.seen = false
	who := o.clients[len(o.clients)-1].jid
	r.views(o, func(real bool, tos []jid.JID) {
		r.send(ctx, r.goodbye(o, nil, who, real, nil, leaving{}, "none"), tos)
	})
}

// views calls f for those who do not see real JIDs and for those who do; o itself is left out.
func (r *Room) views(o *Occupant, f func(real bool, tos []jid.JID)) {
	var all [2][]jid.JID
	for _, other := range r.order {
		if other == o {
			continue
		}
		i := 0
		if r.cfg.NonAnonymous || other.role == "moderator" {
			i = 1
		}
		for _, c := range other.clients {
			all[i] = append(all[i], c.jid)
		}
	}
	for i, tos := range all {
		if len(tos) > 0 {
			f(i == 1, tos)
		}
	}
}

// leaving says how somebody leaves: by themselves, or with status codes, the actor and a reason.
type leaving struct {
	codes   []string
	actor   *Occupant
	reason  string
	destroy *wire.Element
	version *wire.Element // XEP-0463: of the list of affiliations, if it has changed by this
	whole   bool          // every client of the occupant goes
}

// leave takes one client out; the occupant goes with the last.
func (r *Room) leave(ctx context.Context, o *Occupant, who jid.JID, sent *wire.Stanza, l leaving) {
	if sent != nil {
		sent = bareStanza(sent)
	}
	delete(r.sessions, who)
	r.clientOut(who)
	spoke := len(o.clients) > 0 && o.clients[len(o.clients)-1].jid == who
	o.clients = slices.DeleteFunc(o.clients, func(c client) bool { return c.jid == who })
	if len(o.clients) > 0 {
		role := o.role
		if l.whole {
			role = "none"
		}
		r.send(ctx, r.goodbye(o, sent, who, true, append([]string{"110"}, l.codes...), l, role), []jid.JID{who})
		if spoke && l.codes == nil { // another client's presence counts for the occupant now
			o.shown = [2]*wire.Stanza{}
			r.show(ctx, o)
		}
		return
	}
	r.remove(o)
	gone := func(real bool, codes []string) *wire.Stanza { return r.goodbye(o, sent, who, real, codes, l, "none") }
	if o.seen {
		r.views(o, func(real bool, tos []jid.JID) { r.send(ctx, gone(real, l.codes), tos) })
	}
	r.send(ctx, gone(true, append([]string{"110"}, l.codes...)), []jid.JID{who})
	r.emptied(ctx)
}

func (r *Room) remove(o *Occupant) {
	r.unname(o)
	r.order = slices.DeleteFunc(r.order, func(x *Occupant) bool { return x == o })
	r.present.Store(int32(len(r.order)))
	r.occupantLeft(o)
}

// goodbye makes the unavailable presence of an occupant (sections 7.14, 8.2, 9.1).
func (r *Room) goodbye(o *Occupant, sent *wire.Stanza, who jid.JID, real bool, codes []string, l leaving,
	role string) *wire.Stanza {
	it := wire.E(wire.NSMUCUser, "item").Set("affiliation", o.affiliation).Set("role", role)
	if real {
		it.Set("jid", who.String())
	}
	if l.actor != nil {
		it.Add(wire.E(wire.NSMUCUser, "actor").Set("nick", l.actor.nick))
	}
	if l.reason != "" {
		it.Add(wire.T(wire.NSMUCUser, "reason", l.reason))
	}
	st := &wire.Stanza{Kind: wire.Presence, Name: presenceName, Type: "unavailable", From: o.jid}
	if sent != nil {
		st.Payload, st.Children, st.ID = sent.Payload, sent.Children, sent.ID
	}
	x := userX(it, codes...)
	x.Add(l.destroy, l.version)
	return st.Add(x, wire.E(nsOccupantID, "occupant-id").Set("id", o.id))
}

// expel puts out all clients of an occupant. The role stays until then: it decides who is shown the departure.
func (r *Room) expel(ctx context.Context, o *Occupant, l leaving) {
	l.whole = true
	for _, c := range slices.Clone(o.clients) {
		r.leave(ctx, o, c.jid, nil, l)
	}
}

// rename is section 7.6.
func (r *Room) rename(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	nick := st.To.Resource()
	switch {
	case NickKey(nick) == "":
		return errNoNick
	case !o.pace.Allow(st.At):
		return ErrTooFast
	case r.nicks[nick] != nil && r.nicks[nick].bare == o.bare:
		r.joinOwn(ctx, o, r.nicks[nick], st)
		return nil
	case r.nicks[nick] != nil || r.taken(nick, o.bare) || r.keeper.Reserved(nick, o.bare):
		return ErrConflict
	}
	if len(o.clients) > 1 { // the other clients would not recognise themselves
		return server.WithText(ErrConflict, "another client of yours is here under your nick")
	}
	if own, err := r.nickOf(ctx, st.From, o.affiliation, nick); err != nil {
		return err
	} else if own != nick { // section 7.6: the room does not allow other nicks
		return server.WithText(server.NotAcceptable, "people appear under their own names here")
	}
	j, err := r.jid.WithResource(nick)
	if err != nil {
		return server.MalformedJID
	}
	if o.seen {
		r.views(o, func(real bool, tos []jid.JID) { r.send(ctx, r.renamed(o, nick, real, "303"), tos) })
	}
	self := r.renamed(o, nick, true, "303", "110")
	self.ID = st.ID
	r.send(ctx, self, clientsOf(o))
	r.nameAs(o, nick, j)
	r.setPresence(o, st)
	r.show(ctx, o)
	r.showSelf(ctx, o, st.ID)
	return nil
}

// renamed tells that an occupant goes by another nick from now on.
func (r *Room) renamed(o *Occupant, nick string, real bool, codes ...string) *wire.Stanza {
	it := r.item(o, real).Set("nick", nick)
	return (&wire.Stanza{Kind: wire.Presence, Name: presenceName, Type: "unavailable", From: o.jid}).Add(userX(it,
		codes...), wire.E(nsOccupantID, "occupant-id").Set("id", o.id))
}

// joinOwn gives a client the nick under which another client of the same person is here (section 7.6): from now on
// these two are one occupant. The person's clients under the old nick keep it.
func (r *Room) joinOwn(ctx context.Context, o, to *Occupant, st *wire.Stanza) {
	self := r.renamed(o, to.nick, true, "303", "110")
	self.ID = st.ID
	if len(o.clients) > 1 {
		o.clients = slices.DeleteFunc(o.clients, func(c client) bool { return c.jid == st.From })
		o.shown = [2]*wire.Stanza{}
		r.show(ctx, o)
	} else {
		r.remove(o)
		if o.seen {
			r.views(o, func(real bool, tos []jid.JID) { r.send(ctx, r.renamed(o, to.nick, real, "303"), tos) })
		}
		o.clients = nil
	}
	r.send(ctx, self, []jid.JID{st.From})
	to.clients = append(to.clients, client{st.From, bareStanza(st)})
	to.shown = [2]*wire.Stanza{}
	r.sessions[st.From] = to
	r.show(ctx, to)
	r.showSelf(ctx, to, st.ID)
}

// emptied ends a temporary room when the last has left, and one whose owner goes before it is
// configured (section 10.1.3).
func (r *Room) emptied(ctx context.Context) {
	if len(r.order) > 0 || r.cfg.Persistent && !r.locked.Load() || r.over {
		return
	}
	r.end(ctx)
}
