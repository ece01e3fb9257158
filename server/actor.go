package server

import (
	"parley/acts"
	"parley/wire/jid"
)

// By returns the actor for somebody who asks by a stanza through this door. For a client that is signed in here it
// contains the client's network address.
func (h *Host) By(who jid.JID, door acts.Door) acts.Actor {
	a := acts.Person(who, h.Domain, door)
	if who.Domain() == h.Domain {
		a.Remote = h.Remote(who)
	}
	return a
}

// Remote returns the network address of the client with the full address who, or "" if the host does not know it.
func (h *Host) Remote(who jid.JID) string {
	if who.Domain() != h.Domain {
		return ""
	}
	if s := h.Account(who.Local()).Session(who.Resource()); s != nil {
		return s.Info.Remote
	}
	return ""
}
