package muc

import (
	"time"

	"parley/internal/limit"
	"parley/wire"
	"parley/wire/jid"
)

// Occupant is a person in the room under one nick, with one or more clients, or a person who speaks there without being
// in it (speak.go) and is not among Room.Occupants. The room's goroutine owns it: its methods are called there.
type Occupant struct {
	nick        string
	jid         jid.JID // occupant JID: room@service/nick
	bare        jid.JID // real
	id          string  // XEP-0421
	affiliation string
	role        string
	clients     []client
	session     jid.JID // of a speaker: the session that spoke last
	pace        *limit.Pace
	shown       [2]*wire.Stanza // presence as broadcast: without and with the real JID; nil: to be made
	seen        bool            // the other occupants have been shown this client
	hats        *wire.Element   // XEP-0317; nil: none
	came        time.Time
}

// Nick gives the nick.
func (o *Occupant) Nick() string { return o.nick }

// JID gives the address in the room, which ends in the nick.
func (o *Occupant) JID() jid.JID { return o.jid }

// Person gives the person's own bare address.
func (o *Occupant) Person() jid.JID { return o.bare }

// Client gives the full address of one of the person's clients in the room, or of the session that a speaker used last.
func (o *Occupant) Client() jid.JID {
	if len(o.clients) == 0 {
		return o.session
	}
	return o.clients[0].jid
}

// ID gives the occupant-id (XEP-0421).
func (o *Occupant) ID() string { return o.id }

// Affiliation gives the affiliation as the room has shown it.
func (o *Occupant) Affiliation() string { return o.affiliation }

// Role gives the role: moderator, participant or visitor.
func (o *Occupant) Role() string { return o.role }

// Attentive says whether one of the person's clients is not away and not to be left alone.
func (o *Occupant) Attentive() bool {
	for i := range o.clients {
		show := ""
		if e := o.clients[i].presence.Element(wire.NSClient, "show"); e != nil {
			show = e.Text()
		}
		if show == "" || show == "chat" {
			return true
		}
	}
	return false
}
