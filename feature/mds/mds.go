// Package mds tells a person's clients what the others have displayed (XEP-0490): the server takes the mark from a
// message that the client sends anyway, and publishes it in the account's node.
package mds

import (
	"context"

	"parley/server"
	"parley/wire"
)

const ns = "urn:xmpp:mds:displayed:0"

// maxMark is the largest mark that is kept, in bytes.
const maxMark = 4096

type marks struct{ h *server.Host }

// New makes the feature.
func New(h *server.Host) *server.Feature {
	m := marks{h}
	return &server.Feature{
		Name: "mds",
		XEP: []server.XEP{
			{Number: 490, Title: "Message Displayed Synchronization", Version: "1.0.1", Notes: "with server assist"},
			{
				Number:  333,
				Title:   "Displayed Markers",
				Version: "1.0.0",
				Notes:   "kept in archives, copied to a person's other clients",
			},
		},
		Account: []string{"urn:xmpp:mds:server-assist:0"},
		Steps:   []server.Step{{Stage: server.SentStamp, Kind: wire.Message, Do: m.sent}},
	}
}

// sent removes the mark from a message before it is archived, copied or sent on, because its stanza-id is private
// (section 5.2). The message goes on without it, even if the mark is not valid.
func (m marks) sent(ctx context.Context, p *server.Pass) error {
	c, ok := p.Stanza.Child(ns, "displayed")
	if !ok {
		return nil
	}
	mark := p.Stanza.Element(ns, "displayed")
	raw := p.Stanza.Raw(c)
	p.Stanza = p.Stanza.Copy().Remove(func(c wire.Child) bool {
		return c.Name == wire.Name{Space: ns, Local: "displayed"}
	})
	pep := m.h.PEP()
	if pep == nil || len(raw) > maxMark || mark.Child(wire.NSSID, "stanza-id") == nil {
		return nil
	}
	it := server.PEPItem{ID: p.Stanza.To.String(), Payload: append([]byte(nil), raw...)}
	account := p.Account
	p.After(func(ctx context.Context) {
		err := pep.Publish(ctx, account, ns, "whitelist", it)
		if _, ok := server.Refusal(err); ok {
			m.h.Log.Debug("cannot keep what is displayed", "account", account, "err", err)
		} else if err != nil && ctx.Err() == nil {
			m.h.Log.Error("cannot keep what is displayed", "account", account, "err", err)
		}
	})
	return nil
}
