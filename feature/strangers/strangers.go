// Package strangers is what people hear from those of other servers whom they do not know: all of it, at a bounded rate
// for each domain, or nothing.
package strangers

import (
	"context"

	"parley/internal/limit"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config of the feature; zero values mean no limit.
type Config struct {
	Refuse    bool // messages of strangers go back to them; they may still ask for a subscription
	PerMinute int  // messages and requests of the strangers of one domain, over all accounts of the host
}

type strangers struct {
	h     *server.Host
	st    Store
	cfg   Config
	rates *limit.Keyed[string] // by domain
}

// New makes the feature. It stands behind the blocklist and before what keeps anything.
func New(h *server.Host, st Store, c Config) *server.Feature {
	s := &strangers{h: h, st: st, cfg: c, rates: limit.PerMinute[string](c.PerMinute)}
	f := &server.Feature{Name: "strangers"}
	if c.Refuse || c.PerMinute > 0 {
		f.Steps = []server.Step{{Stage: server.ReceivedCheck, Do: s.received}}
	}
	return f
}

func (s *strangers) received(ctx context.Context, p *server.Pass) error {
	st := p.Stanza
	if !matters(st) || s.h.Router.Local(st.From.Domain()) {
		return nil
	}
	known, err := s.known(ctx, p.Account, st.From.Bare())
	if err != nil || known {
		return err
	}
	if s.cfg.Refuse && st.Kind == wire.Message {
		// The same as for an account that does not exist: who tries addresses learns nothing.
		return server.ServiceUnavailable
	}
	if !s.rates.Allow(st.From.Domain(), st.At) {
		return server.WithText(server.ResourceConstraint, "too much from people of your server who are not known here")
	}
	return nil
}

// matters: what a person would see. Rooms speak only to who has entered them, and errors answer something.
func matters(st *wire.Stanza) bool {
	switch st.Kind {
	case wire.Message:
		return st.Type != "groupchat" && st.Type != "error"
	case wire.Presence:
		return st.Type == "subscribe"
	}
	return false
}

// known: a contact, somebody who was shown presence (as the rooms are that one is in), or somebody spoken with before.
func (s *strangers) known(ctx context.Context, account string, who jid.JID) (bool, error) {
	c, err := s.h.Contacts(ctx, account)
	if err != nil {
		return false, err
	}
	if c.InRoster(who) || c.SubscribedFrom(who) || c.SubscribedTo(who) {
		return true, nil
	}
	if a := s.h.Account(account); a != nil {
		for _, session := range a.Sessions() {
			if session.DirectedTo(who) {
				return true, nil
			}
		}
	}
	es, _, _, err := s.st.ReadArchive(ctx, s.h.Domain, account, store.Page{With: who.String(), Max: 1})
	return len(es) > 0, err
}
