package server

import (
	"bytes"
	"context"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// Tombstone gives what stays of an archived message that was taken back (XEP-0424, section 4): who sent it, its ids, and
// that it was. why are elements that say more (XEP-0425).
func Tombstone(stanza []byte, retraction string, at time.Time, why ...*wire.Element) ([]byte, error) {
	st, err := wire.ParseStanza(stanza, wire.Limits{Stanza: len(stanza)})
	if err != nil {
		return nil, err
	}
	left := st.Copy().Remove(func(c wire.Child) bool {
		switch c.Name.Space {
		case wire.NSSID, "urn:xmpp:occupant-id:0":
			return false
		}
		return true
	})
	e := wire.E(wire.NSRetract, "retracted", why...).Set("stamp", at.UTC().Format(TimeFormat)).Set("id", retraction)
	return left.Add(e).AppendXML(nil, st.To, wire.Client), nil
}

// OnRetraction has f called when a kept message of one of the host's accounts was taken back, by its author or a moderator:
// with the account's name, and what the message was. It is called before the host serves.
func (h *Host) OnRetraction(f func(ctx context.Context, account string, kept []byte)) {
	h.retracted = append(h.retracted, f)
}

// Retracted tells the features which have asked for it that a kept message was taken back. Only a tombstone is left of
// it.
func (r *Router) Retracted(ctx context.Context, author jid.JID, kept []byte) {
	h := r.Host(author.Domain())
	if h == nil {
		return
	}
	for _, f := range h.retracted {
		f(ctx, author.Local(), kept)
	}
}

const (
	nsFasten   = "urn:xmpp:fasten:0"
	nsRetract0 = "urn:xmpp:message-retract:0"
)

// Retracts gives the id of the message that a message takes back; "" if it takes back none. Clients of before version 0.4
// of XEP-0424 fasten it to the message (XEP-0422), whose origin-id it then is.
func Retracts(st *wire.Stanza) (id string, fastened bool) {
	if st.Has(wire.NSRetract, "retract") {
		return st.Element(wire.NSRetract, "retract").Attr("id"), false
	}
	if !st.Has(nsFasten, "apply-to") {
		return "", false
	}
	a := st.Element(nsFasten, "apply-to")
	if c := a.Attr("clear"); c == "true" || c == "1" || a.Child(nsRetract0, "retract") == nil && a.Child(wire.NSRetract, "retract") == nil {
		return "", false
	}
	return a.Attr("id"), true
}

// IsMessage says whether an archived message has this id, as its own or as its origin-id (XEP-0359), who sent it, and its
// own id.
func IsMessage(stanza []byte, id string) (from jid.JID, own string, ok bool) {
	st, err := wire.ParseStanza(stanza, wire.Limits{Stanza: len(stanza)})
	if err != nil || id == "" {
		return from, "", false
	}
	return st.From, st.ID, st.ID == id || st.Has(wire.NSSID, "origin-id") && st.Element(wire.NSSID, "origin-id").Attr("id") == id
}

const nsCorrect = "urn:xmpp:message-correct:0"

// CorrectionsRead is how many messages after one that is taken back are looked at for its corrections, and among how many
// of the newest one is looked for by its origin-id.
const CorrectionsRead = 1000

// Corrects says whether an archived message corrects the one with this id (XEP-0308), and who sent it. Who takes a message
// back takes back what it became, too.
func Corrects(stanza []byte, id string) (from jid.JID, ok bool) {
	if id == "" || !bytes.Contains(stanza, []byte(nsCorrect)) {
		return from, false
	}
	st, err := wire.ParseStanza(stanza, wire.Limits{Stanza: len(stanza)})
	if err != nil {
		return from, false
	}
	return st.From, st.Element(nsCorrect, "replace").Attr("id") == id
}
