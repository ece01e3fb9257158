package server

import (
	"parley/wire"
	"parley/wire/jid"
)

// Clients believe what a stanza says in the name of this deployment: when it was sent, its archive id, who an occupant
// is, what a service forwarded. Such statements are removed where a stanza comes in; any that are there later are ours.

const (
	nsOldDelay   = "jabber:x:delay"
	nsAddress    = "http://jabber.org/protocol/address"
	nsOccupantID = "urn:xmpp:occupant-id:0"
	nsHats       = "urn:xmpp:hats:0"
	nsInbox      = "urn:xmpp:inbox:1"
)

// Unforged returns st without what its sender may not say, or st itself if nothing had to go. person says that a client
// sent it: a client may also not say what only rooms, archives and other services may.
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
		return r.claimsOther(st, attrOf(st, c, "from"), person)
	case wire.NSSID: // XEP-0359, section 6
		return c.Name.Local == "stanza-id" && r.forgedID(st, c, person)
	case wire.NSCarbons: // XEP-0280, section 11
		return (c.Name.Local == "sent" || c.Name.Local == "received") && (person || st.From.Bare() != st.To.Bare())
	case nsOccupantID, nsHats, nsInbox:
		return person
	case wire.NSMAM:
		return person && (c.Name.Local == "result" || c.Name.Local == "fin")
	case nsAddress:
		return person && relayed(st, c)
	case wire.NSMUCUser: // an empty <x/> says nothing; a room, which may be on another server, checks the rest itself
		return person && !st.To.IsZero() && r.Host(st.To.Domain()) != nil && hasChild(st.Raw(c))
	}
	return false
}

// forgedID reports whether a stanza-id names an archive that is served here and is not the sender's.
func (r *Router) forgedID(st *wire.Stanza, c wire.Child, person bool) bool {
	j, err := jid.Parse(attrOf(st, c, "by"))
	return err != nil || r.Local(j.Domain()) && (person || j.Bare() != st.From.Bare())
}

// claimsOther reports whether a claimed address is served here and is not the sender's. A room of another server may
// say which of our people sent what it passes on, but not to that same person.
func (r *Router) claimsOther(st *wire.Stanza, address string, person bool) bool {
	j, err := jid.Parse(address)
	if address == "" || err != nil || !r.Local(j.Domain()) || j.Bare() == st.From.Bare() {
		return false
	}
	return person || j.Local() == "" || r.Host(j.Domain()) == nil || j.Bare() == st.To.Bare()
}

// relayed reports whether addresses name the first sender of a stanza or those it was delivered to (XEP-0033, section
// 4.5), which only services may do.
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
