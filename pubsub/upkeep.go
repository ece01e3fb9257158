package pubsub

import (
	"context"
	"time"

	"parley/server"
)

// sweepEvery is how often expired items are removed. They are hidden as soon as they expire.
const sweepEvery = 10 * time.Minute

// expire removes expired items and subscriptions until ctx ends.
func (e *engine) expire(ctx context.Context, host string) error {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		if err := e.st.ExpireNodes(ctx, host, e.h.Clock.Now()); err != nil && ctx.Err() == nil {
			e.h.Log.Error("cannot remove expired items of nodes", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
}

// offline removes the items that an account published when its last client goes offline (pubsub#purge_offline).
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
		s.failed(ctx, "items of publishers who went offline", err)
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
			n.logged("items of publishers who went offline", n.tell(ctx, server.PEPEvent{Retract: ids}))
		}
	}
	return nil
}
