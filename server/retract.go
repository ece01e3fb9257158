package server

import (
	"bytes"
	"context"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// Tombstone returns what replaces an archived message that was retracted (XEP-0424, section 4): the sender, the ids,
// and the time of the retraction. why adds elements about the reason (XEP-0425).
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

// OnRetraction registers f, which is called with the account's name and the message when an author or a moderator
// retracted an archived message of a local account. Call it before the host serves.
func (h *Host) OnRetraction(f func(ctx context.Context, account string, kept []byte)) {
	h.retracted = append(h.retracted, f)
}

// Retracted tells the functions registered by OnRetraction that an archived message was retracted. The archive now
// holds only a tombstone.
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

// Retracts returns the id of the message that st retracts, or "". Clients that follow XEP-0424 before version 0.4
// fasten the retraction to the message (XEP-0422) and name its origin-id; fastened is true then.
func Retracts(st *wire.Stanza) (id string, fastened bool) {
	if st.Has(wire.NSRetract, "retract") {
		return st.Element(wire.NSRetract, "retract").Attr("id"), false
	}
	if !st.Has(nsFasten, "apply-to") {
		return "", false
	}
	a := st.Element(nsFasten, "apply-to")
	if c := a.Attr("clear"); c == "true" || c == "1" ||
		a.Child(nsRetract0, "retract") == nil && a.Child(wire.NSRetract, "retract") == nil {
		return "", false
	}
	return a.Attr("id"), true
}

// IsMessage reports whether an archived message has this id, as its own id or as its origin-id (XEP-0359). It also
// returns the sender and the message's own id.
func IsMessage(stanza []byte, id string) (from jid.JID, own string, ok bool) {
	st, err := wire.ParseStanza(stanza, wire.Limits{Stanza: len(stanza)})
	if err != nil || id == "" {
		return from, "", false
	}
	return st.From, st.ID, st.ID == id ||
		st.Has(wire.NSSID, "origin-id") && st.Element(wire.NSSID, "origin-id").Attr("id") == id
}

const nsCorrect = "urn:xmpp:message-correct:0"

// CorrectionsRead is how many messages are searched: after a retracted message for its corrections, and among the
// newest for a message that is named by its origin-id.
const CorrectionsRead = 1000

// Corrects reports whether an archived message corrects the message with this id (XEP-0308), and who sent it. A
// retraction of a message retracts its corrections, too.
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
