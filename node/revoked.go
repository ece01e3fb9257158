package node

import (
	"context"
	"errors"
	"maps"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// endRevoked ends the sessions here whose app password, browser session or token is no more: another node that could
// not be heard may have revoked it.
func (n *Node) endRevoked(ctx context.Context) error {
	for _, h := range n.hosts {
		with := make(map[string][]*server.Session) // by account
		h.Accounts(func(a *server.Account) bool {
			for _, s := range a.Sessions() {
				if s.Node() == "" && s.Info.Credential != "" {
					with[a.Name] = append(with[a.Name], s)
				}
			}
			return true
		})
		for _, account := range slices.Sorted(maps.Keys(with)) {
			if err := n.endRevokedOf(ctx, h.Domain, account, with[account]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (n *Node) endRevokedOf(ctx context.Context, host, account string, ss []*server.Session) error {
	apps, err := n.Store.AppPasswords(ctx, host, account)
	if err != nil {
		return err
	}
	for _, s := range ss {
		id := s.Info.Credential
		if slices.ContainsFunc(apps, func(a store.AppPassword) bool { return a.ID == id }) {
			continue
		}
		now := n.clock.Now()
		_, err := n.Store.WebSession(ctx, host, id, now)
		if errors.Is(err, store.ErrNotFound) {
			_, err = n.Store.APIToken(ctx, host, id, now)
		}
		if errors.Is(err, store.ErrNotFound) {
			s.Close(&wire.StreamError{Condition: "reset", Text: "your credential has been revoked"})
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}
