package server

import (
	"parley/wire"
	"parley/wire/jid"
)

// What a stanza says in the name of this deployment is taken out where the stanza comes in: when it was sent, under which
// id it is kept, who an occupant is, what a service has passed on. Clients believe it. What is in it later is ours.

const (
	nsOldDelay   = "jabber:x:delay"
	nsAddress    = "http://jabber.org/protocol/address"
	nsOccupantID = "urn:xmpp:occupant-id:0"
	nsHats       = "urn:xmpp:hats:0"
	nsInbox      = "urn:xmpp:inbox:1"
)

// Unforged gives st without what its sender may not say; st itself, where there is nothing of that. person: a client has
// sent it, which also may not say what only rooms, archives and other services do.
func (r *Router) Unforged(st *wire.Stanza, person bool) *wire.Stanza {
	for _, c := range st.Children {
		if r.forged(st, c, person) {
			out := st.Copy()
			out.Receipt = st.Receipt
			return out.Remove(func(c wire.Child) bool { return r.forged(st, c, person) })
		}
	}
	return st
}

func (r *Router) forged(st *wire.Stanza, c wire.Child, person bool) bool {
	switch c.Name.Space {
	case wire.NSDelay, nsOldDelay: // XEP-0203, section 6
		return r.another(st, attrOf(st, c, "from"), person)
	case wire.NSSID: // XEP-0359, section 6
		if c.Name.Local != "stanza-id" {
			return false
		}
		by := attrOf(st, c, "by")
		j, err := jid.Parse(by)
		return err != nil || r.Local(j.Domain()) && (person || j.Bare() != st.From.Bare())
	case wire.NSCarbons: // XEP-0280, section 11
		return (c.Name.Local == "sent" || c.Name.Local == "received") && (person || st.From.Bare() != st.To.Bare())
	case nsOccupantID, nsHats, nsInbox:
		return person
	case wire.NSMAM:
		return person && (c.Name.Local == "result" || c.Name.Local == "fin")
	case nsAddress:
		return person && relayed(st, c)
	case wire.NSMUCUser: // empty it says nothing; a room, which may be on another server, sees to the rest by itself
		return person && !st.To.IsZero() && r.Host(st.To.Domain()) != nil && hasChild(st.Raw(c))
	}
	return false
}

// another says that an address, of who is said to have done something, is served here, and is not the sender's. Rooms of
// other servers may say which of our people has sent what they pass on, but not to that person.
func (r *Router) another(st *wire.Stanza, address string, person bool) bool {
	j, err := jid.Parse(address)
	if address == "" || err != nil || !r.Local(j.Domain()) || j.Bare() == st.From.Bare() {
		return false
	}
	return person || j.Local() == "" || r.Host(j.Domain()) == nil || j.Bare() == st.To.Bare()
}

// relayed says that addresses tell of who has sent the stanza first, or to whom it was delivered (XEP-0033, section 4.5):
// services do.
func relayed(st *wire.Stanza, c wire.Child) bool {
	e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
	if err != nil {
		return true
	}
	for _, a := range e.Elements() {
		if t := a.Attr("type"); t == "ofrom" || a.Attr("delivered") != "" {
			return true
		}
	}
	return false
}

func attrOf(st *wire.Stanza, c wire.Child, name string) string {
	e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
	if err != nil {
		return ""
	}
	return e.Attr(name)
}
