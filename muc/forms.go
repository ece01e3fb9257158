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
	"parley/wire/form"
	"parley/wire/jid"
)

// What people ask a room for, and moderators and owners answer: a voice (XEP-0045, sections 7.13 and 8.6), membership
// (sections 7.10 and 9.9).

const (
	nsRequest    = "http://jabber.org/protocol/muc#request"
	nsRegForm    = "http://jabber.org/protocol/muc#register"
	nsRegister   = "jabber:iq:register"
	requestAllow = "muc#request_allow"
	regAllow     = "muc#register_allow"
	regNick      = "muc#register_roomnick"
)

// onForm takes a form that was sent to the room as a message.
func (r *room) onForm(ctx context.Context, o *occupant, st *wire.Stanza) error {
	f, err := form.Parse(st.Element(wire.NSForm, "x"))
	if err != nil {
		return server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil
	}
	if r.group != "" && f.About() == nsRegForm && f.Type == form.Submit {
		return r.answerGroupRequest(ctx, st, f)
	}
	if o == nil {
		return errNotOccupant
	}
	if f.Type != form.Submit {
		return server.BadRequest
	}
	switch f.About() {
	case nsRequest:
		if _, answered := f.Bool(requestAllow); answered {
			return r.answerVoice(ctx, o, f)
		}
		return r.askVoice(ctx, o, f)
	case nsRegForm:
		return r.answerRegistration(ctx, o, f)
	}
	return server.BadRequest
}

// askVoice passes a visitor's request on to the moderators.
func (r *room) askVoice(ctx context.Context, o *occupant, f form.Form) error {
	if role := f.Get("muc#role"); role != "participant" && role != "" {
		return server.BadRequest
	}
	if r.onlyReads(o) {
		return server.WithText(server.NotAllowed, "moderators write in this group: who is to write is made one")
	}
	if o.role != "visitor" || r.closed {
		return server.WithText(server.NotAllowed, "you may speak already, or nobody may")
	}
	ask := form.New(form.Ask, nsRequest)
	ask.Title, ask.Instructions = "Voice request", "To approve this request for voice, select the checkbox and send the form."
	ask.AddList("muc#role", "Requested role", "participant", form.Option{Label: "Participant", Value: "participant"})
	ask.Add("muc#jid", form.JIDSingle, "User ID", o.clients[0].jid.String()).Add("muc#roomnick", form.TextSingle, "Room nickname", o.nick).
		AddBool(requestAllow, "Grant voice to this person?", false)
	return r.tellModerators(ctx, ask, func(m *occupant) bool { return m.role == "moderator" })
}

// tellModerators gives a form to those occupants who may answer it; an error if none is there.
func (r *room) tellModerators(ctx context.Context, f *form.Form, may func(*occupant) bool) error {
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
	if r.tell(ctx, st.Add(f.Element()), r.those(may)) == 0 {
		return server.WithText(server.ServiceUnavailable, "nobody who could answer is in the room")
	}
	return nil
}

// those gives the occupants for whom ok says so.
func (r *room) those(ok func(*occupant) bool) (os []*occupant) {
	for _, o := range r.order {
		if ok(o) {
			os = append(os, o)
		}
	}
	return os
}

// answerVoice is a moderator's answer.
func (r *room) answerVoice(ctx context.Context, o *occupant, f form.Form) error {
	if o.role != "moderator" {
		return server.Forbidden
	}
	who := r.nicks[f.Get("muc#roomnick")]
	if who == nil {
		return errNoOccupant
	}
	if allow, _ := f.Bool(requestAllow); allow && who.role == "visitor" {
		r.setRole(ctx, o, change{o: who, nick: who.nick, role: "participant"})
	}
	return nil
}

// registration answers jabber:iq:register to the room (section 7.10).
func (r *room) registration(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	if r.group != "" {
		return r.groupRegistration(ctx, st, q)
	}
	who := st.From.Bare()
	mine := r.people[who]
	switch a, err := r.affiliation(ctx, who); {
	case err != nil:
		return nil, err
	case a == org.Outcast:
		return nil, server.WithText(server.NotAllowed, "you are banned from this room")
	}
	if st.Type == "get" {
		if mine.Affiliation != "" && mine.Nick != "" {
			return wire.E(nsRegister, "query", wire.E(nsRegister, "registered"), wire.T(nsRegister, "username", mine.Nick)), nil
		}
		f := form.New(form.Ask, nsRegForm)
		f.Title, f.Instructions = "Registration in "+r.jid.String(), "Choose the nickname that is yours in this room."
		f.Add(regNick, form.TextSingle, "Nickname", mine.Nick).Required()
		return wire.E(nsRegister, "query", wire.T(nsRegister, "instructions", f.Instructions), f.Element()), nil
	}
	if q.Child(nsRegister, "remove") != nil {
		return nil, r.unregister(ctx, st.From, mine.Affiliation)
	}
	f, err := form.Parse(q.Child(wire.NSForm, "x"))
	if err != nil || f.About() != nsRegForm && f.About() != "" {
		return nil, server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil, nil
	}
	nick, err := checkNick(f.Get(regNick))
	if err != nil {
		return nil, err
	}
	if r.reserved(nick, who) || r.taken(nick, who) {
		return nil, errConflict
	}
	if mine.Affiliation == "" && r.asks(who) {
		return nil, r.askMembership(ctx, who, nick)
	}
	return nil, r.enroll(ctx, nil, who, nick)
}

// asks says that nobody becomes a member of a free room by registering alone: members come in, speak or read what others
// do not, and it is not for everybody to be one. Who knows the password is in.
func (r *room) asks(who jid.JID) bool {
	c := &r.cfg
	return c.MembersOnly || c.Moderated || c.HistoryFor != "" || c.Password != "" && !r.isIn(who)
}

// enroll makes somebody a member under a nick; who is more than that stays so.
func (r *room) enroll(ctx context.Context, actor *occupant, who jid.JID, nick string) error {
	affiliation := r.people[who].Affiliation
	if affiliation == "" {
		affiliation = org.Member
	}
	return r.apply(ctx, acts.System, actor, []change{{who: who, affiliation: affiliation, nick: nick, setNick: true}})
}

func (r *room) unregister(ctx context.Context, from jid.JID, affiliation string) error {
	switch affiliation {
	case "":
		return server.ItemNotFound
	case org.Member:
		return r.apply(ctx, acts.System, nil, []change{{who: from.Bare(), affiliation: org.None}})
	}
	return server.WithText(server.NotAllowed, "owners and administrators do not leave by this")
}

// maxRequests is how many people may wait for an answer of one room.
const maxRequests = 100

// askMembership keeps a request, and passes it on to those who may make members; who of them comes later gets it then.
func (r *room) askMembership(ctx context.Context, who jid.JID, nick string) error {
	q := store.RoomRequest{JID: who.String(), Nick: nick, Since: time.Now().UTC()}
	if err := r.s.st.AddRoomRequest(ctx, r.s.cfg.Domain, r.name, q, maxRequests); err != nil {
		return err
	}
	r.requests = slices.DeleteFunc(r.requests, func(x store.RoomRequest) bool { return x.JID == q.JID })
	r.requests = append(r.requests, q)
	r.tell(ctx, r.asksFor(q), r.those(func(m *occupant) bool { return rank[m.affiliation] >= rank[org.Admin] }))
	return nil
}

// asksFor asks administrators for an answer (section 9.9).
func (r *room) asksFor(q store.RoomRequest) *wire.Stanza {
	ask := form.New(form.Ask, nsRegForm)
	ask.Title, ask.Instructions = "Registration request", "To approve this registration request, select the checkbox and send the form."
	ask.Add(regJID, form.JIDSingle, "User ID", q.JID).Add(regNick, form.TextSingle, "Desired nickname", q.Nick).
		AddBool(regAllow, "Allow this person to register with the room?", false)
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
	return st.Add(ask.Element())
}

// sendRequests gives an administrator who comes in what waits for an answer. The room keeps it until then: it is no matter
// of the administrator's account, whose archive would have it once more each time.
func (r *room) sendRequests(ctx context.Context, o *occupant, to jid.JID) {
	if rank[o.affiliation] >= rank[org.Admin] {
		for _, q := range r.requests {
			r.send(ctx, r.asksFor(q), []jid.JID{to})
		}
	}
}

// answered forgets a request.
func (r *room) answered(ctx context.Context, who jid.JID) error {
	n := len(r.requests)
	r.requests = slices.DeleteFunc(r.requests, func(q store.RoomRequest) bool { return q.JID == who.String() })
	if len(r.requests) == n {
		return nil
	}
	return r.s.st.DeleteRoomRequest(ctx, r.s.cfg.Domain, r.name, who.String())
}

// answerRegistration is an administrator's answer (section 9.9).
func (r *room) answerRegistration(ctx context.Context, o *occupant, f form.Form) error {
	if rank[o.affiliation] < rank[org.Admin] {
		return server.Forbidden
	}
	js, err := f.JIDs(regJID)
	if err != nil || len(js) != 1 {
		return server.BadRequest
	}
	who := js[0].Bare()
	if allow, _ := f.Bool(regAllow); !allow {
		return r.answered(ctx, who)
	}
	nick, err := checkNick(f.Get(regNick))
	if err != nil {
		return err
	}
	if r.reserved(nick, who) || r.people[who].Affiliation == org.Outcast {
		return errConflict
	}
	was := r.people[who].Affiliation
	if err := r.enroll(ctx, o, who, nick); err != nil || was != "" || r.isIn(who) {
		return err
	}
	r.s.host.Router.Send(ctx, r.invitation(r.s.host.NewID(), o.jid, who, nil)) // section 9.5
	return nil
}

func (r *room) isIn(who jid.JID) bool {
	return slices.ContainsFunc(r.order, func(o *occupant) bool { return o.bare == who })
}
