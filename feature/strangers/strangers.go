// Package strangers limits messages from people of other servers whom an account does not know: at a rate for each
// domain, or all of them.
package strangers

import (
	"context"

	"parley/internal/limit"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config says what strangers may send; zero values mean no limit.
type Config struct {
	Refuse    bool // return their messages; they may still ask for a subscription
	PerMinute int  // messages and requests from the strangers of one domain, to all accounts of the host
}

type strangers struct {
	h     *server.Host
	st    Store
	cfg   Config
	rates *limit.Keyed[string] // by domain
}

// New makes the feature. It must be behind the blocklist and before features that keep messages.
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
		// The same answer as for an account that does not exist, so that probing addresses reveals nothing.
		return server.ServiceUnavailable
	}
	if !s.rates.Allow(st.From.Domain(), st.At) {
		return server.WithText(server.ResourceConstraint,
			"people of your server who are strangers here are sending too many messages")
	}
	return nil
}

// matters says whether a person would see the stanza. Rooms speak only to their occupants, and errors answer something.
func matters(st *wire.Stanza) bool {
	switch st.Kind {
	case wire.Message:
		return st.Type != "groupchat" && st.Type != "error"
	case wire.Presence:
		return st.Type == "subscribe"
	}
	return false
}

// known says whether an account knows a sender: a contact, somebody to whom the account sent presence (such as a room),
// or somebody it exchanged messages with.
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
