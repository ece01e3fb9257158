package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/server"
	"parley/wire"
)

// catchAgain is how long after a failure catchUp tries again.
const catchAgain = time.Second

// catchUp has nothing remembered of the database, and browsers load everything anew, whenever this node may have missed
// what another one did. What fails is done again.
func (n *Node) catchUp(ctx context.Context) error {
	again := time.NewTimer(0)
	defer again.Stop()
	<-again.C
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.peers.missed:
		case <-again.C:
		}
		err := n.told.Forget(ctx)
		for _, chat := range n.chats {
			chat.Reset(ctx)
		}
		for _, h := range n.hosts {
			h.rooms.Recheck()
		}
		n.askOthers()
		err = errors.Join(err, n.endDisabled(ctx), n.endRevoked(ctx), n.giveWaiting(ctx))
		if err != nil && ctx.Err() == nil {
			n.Log.Warn("cannot read again what another server may have changed", "err", err)
			again.Reset(catchAgain)
		}
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

// eachHere calls f with the accounts of a host that have a session of this node, some at a time.
func (n *Node) eachHere(f func(h *host, names []string) error) error {
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
			if err := f(h, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// endDisabled ends the sessions here of accounts that are disabled or deleted: another node may have tried to have this
// one do so.
func (n *Node) endDisabled(ctx context.Context) error {
	return n.eachHere(func(h *host, names []string) error {
		enabled, err := n.Store.FullNames(ctx, h.Domain, names)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, ok := enabled[name]; !ok {
				h.KickHere(name, nil,
					&wire.StreamError{Condition: "not-authorized", Text: "the account has been disabled"})
			}
		}
		return nil
	})
}

// giveWaiting gives clients here what waits for them: another node may have kept it, and died before it told this one.
func (n *Node) giveWaiting(ctx context.Context) error {
	return n.eachHere(func(h *host, names []string) error {
		names, err := n.Store.HaveWaiting(ctx, h.Domain, names)
		if err != nil {
			return err
		}
		for _, name := range names {
			for _, s := range h.Account(name).Sessions() {
				if pr, prio := s.Presence(); pr != nil && prio >= 0 && s.Node() == "" {
					h.WaitingHere(ctx, s)
					break
				}
			}
		}
		return nil
	})
}
