// Package membership tells package org of accounts: of new and changed ones, of sign-ins, and of the rooms
// that people's clients enter.
package membership

import (
	"context"
	"time"

	"parley/org"
	"parley/server"
	"parley/wire/jid"
)

// Config is what the feature needs.
type Config struct {
	// Idle is how long a theme has no messages until people are dormant in it; 0: for ever.
	Idle    time.Duration
	Changed func(account string) // Changed is called when somebody's account has changed.
}

type membership struct {
	h   *server.Host
	org *org.Org
	cfg Config
}

// New makes the feature of a host.
func New(h *server.Host, o *org.Org, c Config) *server.Feature {
	m := &membership{h, o, c}
	fault := func(what, account string, err error) {
		if err != nil {
			h.Log.Error(what, "account", account, "err", err)
		}
	}
	return &server.Feature{
		Name: "membership",
		Created: func(ctx context.Context, account string) {
			fault("a new account is not told of to its groups", account, o.Arrived(ctx, h.Domain, account))
		},
		Bound: func(ctx context.Context, s *server.Session) {
			fault("cannot add a person to mandatory groups again", s.JID.Local(),
				o.AssertMandatory(ctx, h.Domain, s.JID.Local()))
		},
		Run: func(ctx context.Context) error { return m.doze(ctx) },
		Changed: func(account string) {
			c.Changed(account)
			fault("a name is not told of to its teams", account,
				o.PersonRenamed(context.Background(), h.Domain, account))
		},
	}
}

// Marked gives the function that tells o which rooms a person's clients enter (bookmarks.Config.Changed).
func Marked(h *server.Host, o *org.Org) func(ctx context.Context, account string, room jid.JID, was, is bool) {
	return func(ctx context.Context, account string, room jid.JID, was, is bool) {
		if err := o.Marked(ctx, h.Domain, account, room, was, is); err != nil {
			h.Log.Error("cannot note the change of a bookmark", "account", account, "err", err)
		}
	}
}

// doze makes people dormant in themes without recent messages.
func (m *membership) doze(ctx context.Context) error {
	idle := m.cfg.Idle
	if idle <= 0 {
		return nil
	}
	t := time.NewTicker(time.Hour)
	defer t.Stop()
	for {
		if err := m.org.DozeIdle(ctx, m.h.Domain, m.h.Clock.Now().Add(-idle)); err != nil && ctx.Err() == nil {
			m.h.Log.Error("cannot find idle themes", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}
