package muc

import (
	"context"

	"parley/wire"
	"parley/wire/form"
	"parley/wire/jid"
)

// Rule makes what one rule does in one room. It is called when the room is loaded, once its keeper and its
// configuration are known. The functions that it returns keep the rule's state of that room.
type Rule func(r *Room) Hooks

// Hooks are the points in a room's life at which a rule acts. Each may be nil. They are called in the order of the
// rules, on the room's goroutine unless their comment says otherwise, and must not wait for anything but the store.
type Hooks struct {
	// Come is called for a client that wants to enter, or to enter again. An error refuses it.
	Come func(st *wire.Stanza) error

	// Nick returns the nick under which a person is in the room; nick is the one that the person asks for.
	Nick func(ctx context.Context, who jid.JID, affiliation, nick string) (string, error)

	// Role gives the role that goes with an affiliation, where role is what the rules before have it be.
	Role func(affiliation, role string) string

	// Hats gives what a person wears in the room besides the room's own hats (XEP-0317).
	Hats func(ctx context.Context, who jid.JID) []Hat

	// Enter is called before a client is sent anything of the room. x is the <x/> of its presence. The element that it
	// returns, if any, is part of the client's own presence.
	Enter func(ctx context.Context, st *wire.Stanza, affiliation string, x *wire.Element) *wire.Element

	// In is called for each client that is in from now on, and Out for each that is not any more.
	In, Out func(client jid.JID)

	// Came is called once a client that enters has been sent all that it gets.
	Came func(ctx context.Context, o *Occupant, client jid.JID)

	// Left is called when an occupant has gone with its last client, or is not kept as a speaker any more.
	Left func(o *Occupant)

	// Sent is called for each stanza that is sent to the room or to an occupant, whoever sends it.
	Sent func(st *wire.Stanza)

	// Receive is called for each message to all that is neither too large nor too early. An error refuses it. A stanza
	// that is returned goes on in its place; nil says that the rule has dealt with it.
	Receive func(ctx context.Context, o *Occupant, st *wire.Stanza) (*wire.Stanza, error)

	// Accept is the last word on a message that the occupant may say. An error refuses it.
	Accept func(o *Occupant, st *wire.Stanza) error

	// ToRoom is called for a message to the room that is not for all. o is nil if its sender is not in the room. With
	// done the rule has dealt with it.
	ToRoom func(ctx context.Context, o *Occupant, st *wire.Stanza) (done bool, err error)

	// Private is called before an occupant's request, or an error, is passed on to an occupant. An error refuses it.
	Private func(from, to *Occupant, st *wire.Stanza) error

	// Voice is called for an occupant who asks to be a participant. An error refuses it.
	Voice func(o *Occupant) error

	// Shown is called for each message to all once it is kept and has been sent to everyone.
	Shown func(m *Message)

	// Answered is called for each answer to the room's own requests.
	Answered func(ctx context.Context, st *wire.Stanza)

	// IQ answers requests to the room by the namespace of their payload. A nil element is an empty result.
	IQ map[string]func(ctx context.Context, st *wire.Stanza, q *wire.Element) (*wire.Element, error)

	// Affiliated is called for each change of an affiliation. The element that it returns, if any, becomes part of the
	// presence that tells everyone.
	Affiliated func(who jid.JID, affiliation string) *wire.Element

	// Unknown is called when affiliations may have changed without Affiliated.
	Unknown func()

	// Moving is what the rule remembers, which goes with the room to another node.
	Moving Moving

	// Features gives what the room announces (XEP-0030). It is called on any goroutine, and so are Info and Forms.
	Features func() []string

	// Info adds to what the room says of its configuration c to a person of an affiliation (section 6.4).
	Info func(ctx context.Context, f *form.Form, c RoomConfig, affiliation string)

	// Forms returns further forms for the room's information (XEP-0128).
	Forms func() []*wire.Element
}

// nickOf returns the nick under which a person is in the room; nick is the one that the person asks for.
func (r *Room) nickOf(ctx context.Context, who jid.JID, affiliation, nick string) (string, error) {
	for i := range r.hooks {
		if f := r.hooks[i].Nick; f != nil {
			var err error
			if nick, err = f(ctx, who, affiliation, nick); err != nil {
				return "", err
			}
		}
	}
	return nick, nil
}

// RoleFor gives the role that goes with an affiliation (section 5.1.2). It is called on the room's goroutine.
func (r *Room) RoleFor(affiliation string) string {
	role := "participant"
	switch affiliation {
	case Owner, Admin:
		role = "moderator"
	case Member:
	case Outcast:
		role = "none"
	default:
		if r.cfg.Moderated {
			role = "visitor"
		}
	}
	for i := range r.hooks {
		if f := r.hooks[i].Role; f != nil {
			role = f(affiliation, role)
		}
	}
	return role
}

// mayCome asks the rules whether a client may enter now.
func (r *Room) mayCome(st *wire.Stanza) error {
	for i := range r.hooks {
		if f := r.hooks[i].Come; f != nil {
			if err := f(st); err != nil {
				return err
			}
		}
	}
	return nil
}

// entering is Hooks.Enter. Of several elements the first is taken.
func (r *Room) entering(ctx context.Context, st *wire.Stanza, affiliation string, x *wire.Element) (e *wire.Element) {
	for i := range r.hooks {
		if f := r.hooks[i].Enter; f != nil {
			if made := f(ctx, st, affiliation, x); e == nil {
				e = made
			}
		}
	}
	return e
}

// affiliatedBy is Hooks.Affiliated. Of several elements the first is taken. Who spoke before is asked for their place
// anew.
func (r *Room) affiliatedBy(who jid.JID, affiliation string) (e *wire.Element) {
	r.silence(func(o *Occupant) bool { return o.bare == who || o.bare.Host() == who })
	for i := range r.hooks {
		if f := r.hooks[i].Affiliated; f != nil {
			if made := f(who, affiliation); e == nil {
				e = made
			}
		}
	}
	return e
}

// clientIn and clientOut tell the rules that a client has entered or left.
func (r *Room) clientIn(client jid.JID) {
	for i := range r.hooks {
		if f := r.hooks[i].In; f != nil {
			f(client)
		}
	}
}

func (r *Room) clientOut(client jid.JID) {
	for i := range r.hooks {
		if f := r.hooks[i].Out; f != nil {
			f(client)
		}
	}
}

func (r *Room) occupantLeft(o *Occupant) {
	for i := range r.hooks {
		if f := r.hooks[i].Left; f != nil {
			f(o)
		}
	}
}

// receive has the rules look at a message to all. A nil stanza says that a rule has dealt with it.
func (r *Room) receive(ctx context.Context, o *Occupant, st *wire.Stanza) (*wire.Stanza, error) {
	for i := range r.hooks {
		if f := r.hooks[i].Receive; f != nil {
			var err error
			if st, err = f(ctx, o, st); err != nil || st == nil {
				return nil, err
			}
		}
	}
	return st, nil
}

func (r *Room) accept(o *Occupant, st *wire.Stanza) error {
	for i := range r.hooks {
		if f := r.hooks[i].Accept; f != nil {
			if err := f(o, st); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Room) mayReach(from, to *Occupant, st *wire.Stanza) error {
	for i := range r.hooks {
		if f := r.hooks[i].Private; f != nil {
			if err := f(from, to, st); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Room) mayAskVoice(o *Occupant) error {
	for i := range r.hooks {
		if f := r.hooks[i].Voice; f != nil {
			if err := f(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// iqOf returns the rule that answers requests with a payload of this namespace; nil if no rule does.
func (r *Room) iqOf(space string) func(context.Context, *wire.Stanza, *wire.Element) (*wire.Element, error) {
	for i := range r.hooks {
		if f := r.hooks[i].IQ[space]; f != nil {
			return f
		}
	}
	return nil
}
