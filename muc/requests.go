package muc

import (
	"context"
	"slices"

	"parley/acts"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// regJID is a field of the form that its registry does not name (XEP-0068, section 3.2).
const regJID = "x-jid"

// Membership of a free room for people who register with it (XEP-0045, sections 7.10 and 9.9).

// Register answers jabber:iq:register to the room (section 7.10).
func (k *free) Register(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error) {
	r := k.r
	who := st.From.Bare()
	mine := k.people[who]
	switch a, err := k.Affiliation(ctx, who); {
	case err != nil:
		return nil, err
	case a == Outcast:
		return nil, server.WithText(server.NotAllowed, "you are banned from this room")
	}
	if st.Type == "get" {
		if mine.Affiliation != "" && mine.Nick != "" {
			return wire.E(
				nsRegister,
				"query",
				wire.E(nsRegister, "registered"),
				wire.T(nsRegister, "username", mine.Nick),
			), nil
		}
		f := form.New(form.Ask, nsRegForm)
		f.Title, f.Instructions = "Registration in "+r.jid.String(), "Choose your nickname in this room."
		f.Add(regNick, form.TextSingle, "Nickname", mine.Nick).Required()
		return wire.E(nsRegister, "query", wire.T(nsRegister, "instructions", f.Instructions), f.Element()), nil
	}
	if q.Child(nsRegister, "remove") != nil {
		return nil, k.unregister(ctx, st.From, mine.Affiliation)
	}
	f, err := form.Parse(q.Child(wire.NSForm, "x"))
	if err != nil || f.About() != nsRegForm && f.About() != "" {
		return nil, server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil, nil
	}
	nick, err := CheckNick(f.Get(regNick))
	if err != nil {
		return nil, err
	}
	if k.Reserved(nick, who) || r.taken(nick, who) {
		return nil, ErrConflict
	}
	if mine.Affiliation == "" && k.asks(who) {
		return nil, k.askMembership(ctx, who, nick)
	}
	return nil, k.enroll(ctx, nil, who, nick)
}

// asks says that nobody becomes a member of a free room just by registering: members may enter, speak or read where
// others may not, so membership has to be granted. People who know the password are in already.
func (k *free) asks(who jid.JID) bool {
	r := k.r
	c := &r.cfg
	return c.MembersOnly || c.Moderated || c.HistoryFor != "" || c.Password != "" && !r.IsIn(who)
}

// enroll makes somebody a member under a nick; a higher affiliation stays.
func (k *free) enroll(ctx context.Context, actor *Occupant, who jid.JID, nick string) error {
	r := k.r
	affiliation := k.people[who].Affiliation
	if affiliation == "" {
		affiliation = Member
	}
	return r.affiliate(ctx, acts.System, actor, Change{Who: who, Affiliation: affiliation, Nick: nick, SetNick: true})
}

func (k *free) unregister(ctx context.Context, from jid.JID, affiliation string) error {
	r := k.r
	switch affiliation {
	case "":
		return server.ItemNotFound
	case Member:
		return r.affiliate(ctx, acts.System, nil, Change{Who: from.Bare(), Affiliation: None})
	}
	return server.WithText(server.NotAllowed, "owners and administrators cannot leave in this way")
}

// maxRequests is how many people may wait for an answer of one room.
const maxRequests = 100

// askMembership keeps a request, and passes it on to those who may make members; those of them who enter later get it
// then.
func (k *free) askMembership(ctx context.Context, who jid.JID, nick string) error {
	r := k.r
	q := store.RoomRequest{JID: who.String(), Nick: nick, Since: r.s.host.Clock.Now().UTC()}
	if err := r.s.st.AddRoomRequest(ctx, r.s.cfg.Domain, r.name, q, maxRequests); err != nil {
		return err
	}
	k.requests = slices.DeleteFunc(k.requests, func(x store.RoomRequest) bool { return x.JID == q.JID })
	k.requests = append(k.requests, q)
	r.tell(ctx, r.asksFor(q), r.those(func(m *Occupant) bool { return rank[m.affiliation] >= rank[Admin] }))
	return nil
}

// asksFor asks administrators for an answer (section 9.9).
func (r *Room) asksFor(q store.RoomRequest) *wire.Stanza {
	ask := form.New(form.Ask, nsRegForm)
	ask.Title = "Registration request"
	ask.Instructions = "To approve this registration request, select the checkbox and send the form."
	ask.Add(regJID, form.JIDSingle, "User ID", q.JID).Add(regNick, form.TextSingle, "Desired nickname", q.Nick).
		AddBool(regAllow, "Allow this person to register with the room?", false)
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
	return st.Add(ask.Element())
}

// sendRequests sends the waiting requests to an administrator who enters. The room keeps them, not the administrator's
// account: otherwise its archive would get each request again and again.
func (k *free) sendRequests(ctx context.Context, o *Occupant, to jid.JID) {
	r := k.r
	if rank[o.affiliation] >= rank[Admin] {
		for _, q := range k.requests {
			r.send(ctx, r.asksFor(q), []jid.JID{to})
		}
	}
}

// answered forgets a request.
func (k *free) answered(ctx context.Context, who jid.JID) error {
	r := k.r
	n := len(k.requests)
	k.requests = slices.DeleteFunc(k.requests, func(q store.RoomRequest) bool { return q.JID == who.String() })
	if len(k.requests) == n {
		return nil
	}
	return r.s.st.DeleteRoomRequest(ctx, r.s.cfg.Domain, r.name, who.String())
}

// Answer is an administrator's answer (section 9.9).
func (k *free) Answer(ctx context.Context, o *Occupant, _ *wire.Stanza, f form.Form) error {
	r := k.r
	if o == nil {
		return errNotOccupant
	}
	if rank[o.affiliation] < rank[Admin] {
		return server.Forbidden
	}
	js, err := f.JIDs(regJID)
	if err != nil || len(js) != 1 {
		return server.BadRequest
	}
	who := js[0].Bare()
	if allow, _ := f.Bool(regAllow); !allow {
		return k.answered(ctx, who)
	}
	nick, err := CheckNick(f.Get(regNick))
	if err != nil {
		return err
	}
	if k.Reserved(nick, who) || k.people[who].Affiliation == Outcast {
		return ErrConflict
	}
	was := k.people[who].Affiliation
	if err := k.enroll(ctx, o, who, nick); err != nil || was != "" || r.IsIn(who) {
		return err
	}
	r.s.host.Router.Send(ctx, r.invitation(r.s.host.NewID(), o.jid, who, nil)) // section 9.5
	return nil
}
