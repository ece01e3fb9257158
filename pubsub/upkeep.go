package pubsub

import (
	"context"
	"time"

	"parley/server"
)

// sweepEvery is how often what has expired is removed. It is not shown from the moment on at which it expires.
const sweepEvery = 10 * time.Minute

// expire removes items and subscriptions whose time is over, until ctx ends.
func (e *engine) expire(ctx context.Context, host string) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if err := e.st.ExpireNodes(ctx, host, time.Now()); err != nil && ctx.Err() == nil {
			e.h.Log.Error("cannot remove what has expired of nodes", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// offline is pubsub#purge_offline: with the last of an account's clients go the items it has published.
func (s *accounts) offline(ctx context.Context, p *server.Pass) error {
	if p.Stanza.Type != "unavailable" || p.Was == nil {
		return nil
	}
	for _, o := range s.h.Account(p.Account).Sessions() {
		if o.Available() {
			return nil
		}
	}
	a, err := s.own(p.Account)
	if err != nil {
		return err
	}
	gone, err := s.st.PurgeOffline(ctx, a.host, a.owner, a.jid.String())
	if err != nil {
		s.h.Log.Error("publish-subscribe", "what", "items of who went offline", "err", err)
		return nil
	}
	for i := 0; i < len(gone); {
		n := &node{ask: a, name: gone[i].Node}
		if n.cfg, err = parseConfig(gone[i].Config, a.def); err != nil {
			return err
		}
		var ids []string
		for ; i < len(gone) && gone[i].Node == n.name; i++ {
			ids = append(ids, gone[i].ID)
		}
		if n.cfg.OnRetract {
			n.logged("items of who went offline", n.tell(ctx, server.PEPEvent{Retract: ids}))
		}
	}
	return nil
}
