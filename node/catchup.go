package node

import (
	"context"
	"slices"

	"parley/server"
	"parley/wire"
)

// catchUp has nothing remembered of the database, and browsers load everything anew, whenever this node may have missed
// what another one did.
func (n *Node) catchUp(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.peers.missed:
		}
		if err := n.told.Forget(ctx); err != nil && ctx.Err() == nil {
			n.Log.Warn("cannot read again what another server may have changed", "err", err)
		}
		for _, chat := range n.chats {
			chat.Reset(ctx)
		}
		for _, h := range n.hosts {
			h.rooms.Recheck()
		}
		n.askOthers()
		n.endDisabled(ctx)
		n.endRevoked(ctx)
	}
}

// askOthers asks the other nodes for what only they know.
func (n *Node) askOthers() {
	for _, h := range n.hosts {
		h.CatchUp()
	}
	if n.components != nil {
		n.components.CatchUp()
	}
}

// Missed has the node do what it does when it may have missed what another one did. It is for tests.
func (n *Node) Missed() {
	if n.peers != nil {
		n.peers.miss()
	}
}

// checkedAtOnce is how many accounts are looked up with one statement.
const checkedAtOnce = 200

// endDisabled ends the sessions here of accounts that are disabled or deleted: another node may have tried to have this
// one do so.
func (n *Node) endDisabled(ctx context.Context) {
	for _, h := range n.hosts {
		var names []string
		h.Accounts(func(a *server.Account) bool {
			if slices.ContainsFunc(a.Sessions(), func(s *server.Session) bool { return s.Node() == "" }) {
				names = append(names, a.Name)
			}
			return true
		})
		slices.Sort(names)
		for some := range slices.Chunk(names, checkedAtOnce) {
			enabled, err := n.Store.FullNames(ctx, h.Domain, some)
			if err != nil {
				n.Log.Warn("cannot look which accounts have been disabled", "err", err)
				return
			}
			for _, name := range some {
				if _, ok := enabled[name]; !ok {
					h.KickHere(name, nil,
						&wire.StreamError{Condition: "not-authorized", Text: "the account has been disabled"})
				}
			}
		}
	}
}
