package server

import (
	"parley/acts"
	"parley/wire/jid"
)

// By is the actor of what somebody asks for by a stanza from this address. Of a client that is signed in here it has
// the address that the client came from.
func (h *Host) By(who jid.JID, door acts.Door) acts.Actor {
	a := acts.Person(who, h.Domain, door)
	if who.Domain() == h.Domain {
		a.Remote = h.Remote(who)
	}
	return a
}

// Remote is the address that the client with the full address who comes from; "" where it is not known.
func (h *Host) Remote(who jid.JID) string {
	if who.Domain() != h.Domain {
		return ""
	}
	if s := h.Account(who.Local()).Session(who.Resource()); s != nil {
		return s.Info.Remote
	}
	return ""
}
