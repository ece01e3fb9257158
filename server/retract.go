package server

import (
	"bytes"
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

// Retracts gives the id of the message that a message takes back; "" if it takes back none.
func Retracts(st *wire.Stanza) string {
	if !st.Has(wire.NSRetract, "retract") {
		return ""
	}
	return st.Element(wire.NSRetract, "retract").Attr("id")
}

const nsCorrect = "urn:xmpp:message-correct:0"

// CorrectionsRead is how many messages after one that is taken back are looked at for its corrections.
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
