package muc

import (
	"context"
	"slices"

	"parley/server"
	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// People ask a room for things, and moderators and owners answer: for a voice (XEP-0045, sections 7.13 and 8.6) here,
// for membership (sections 7.10 and 9.9) in the room's keeper.

const (
	nsRequest    = "http://jabber.org/protocol/muc#request"
	nsRegForm    = "http://jabber.org/protocol/muc#register"
	nsRegister   = "jabber:iq:register"
	requestAllow = "muc#request_allow"
	regAllow     = "muc#register_allow"
	regNick      = "muc#register_roomnick"
)

// onForm takes a form that was sent to the room as a message.
func (r *Room) onForm(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	f, err := form.Parse(st.Element(wire.NSForm, "x"))
	if err != nil {
		return server.BadRequest
	}
	if f.Type == form.Cancel {
		return nil
	}
	if f.About() == nsRegForm && f.Type == form.Submit {
		return r.keeper.Answer(ctx, o, st, f)
	}
	if o == nil {
		return errNotOccupant
	}
	if f.Type != form.Submit {
		return server.BadRequest
	}
	if f.About() != nsRequest {
		return server.BadRequest
	}
	if _, answered := f.Bool(requestAllow); answered {
		return r.answerVoice(ctx, o, f)
	}
	return r.askVoice(ctx, o, f)
}

// askVoice passes a visitor's request on to the moderators.
func (r *Room) askVoice(ctx context.Context, o *Occupant, f form.Form) error {
	if role := f.Get("muc#role"); role != "participant" && role != "" {
		return server.BadRequest
	}
	if err := r.mayAskVoice(o); err != nil {
		return err
	}
	if o.role != "visitor" {
		return ErrVoice
	}
	ask := form.New(form.Ask, nsRequest)
	ask.Title, ask.Instructions = "Voice request",
		"To approve this request for voice, select the checkbox and send the form."
	ask.AddList("muc#role", "Requested role", "participant", form.Option{Label: "Participant", Value: "participant"})
	ask.Add("muc#jid", form.JIDSingle, "User ID", o.clients[0].jid.String()).Add("muc#roomnick", form.TextSingle,
		"Room nickname", o.nick).
		AddBool(requestAllow, "Grant voice to this person?", false)
	return r.tellModerators(ctx, ask, func(m *Occupant) bool { return m.role == "moderator" })
}

// tellModerators sends a form to the occupants who may answer it; an error if none is in the room.
func (r *Room) tellModerators(ctx context.Context, f *form.Form, may func(*Occupant) bool) error {
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, From: r.jid, ID: r.s.host.NewID()}
	if r.tell(ctx, st.Add(f.Element()), r.those(may)) == 0 {
		return server.WithText(server.ServiceUnavailable, "nobody in the room can answer the request")
	}
	return nil
}

// those returns the occupants for whom ok returns true.
func (r *Room) those(ok func(*Occupant) bool) (os []*Occupant) {
	for _, o := range r.order {
		if ok(o) {
			os = append(os, o)
		}
	}
	return os
}

// answerVoice is a moderator's answer.
func (r *Room) answerVoice(ctx context.Context, o *Occupant, f form.Form) error {
	if o.role != "moderator" {
		return server.Forbidden
	}
	who := r.nicks[f.Get("muc#roomnick")]
	if who == nil {
		return errNoOccupant
	}
	if allow, _ := f.Bool(requestAllow); allow && who.role == "visitor" {
		r.setRole(ctx, o, who, "participant", "")
	}
	return nil
}

// IsIn says whether a person is in the room. It is called on the room's goroutine.
func (r *Room) IsIn(who jid.JID) bool {
	return slices.ContainsFunc(r.order, func(o *Occupant) bool { return o.bare == who })
}
