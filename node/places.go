package node

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/auth"
	"parley/server"
	"parley/store"
)

const (
	placesPerAccount = 20
	placesKept       = 180 * 24 * time.Hour // after the last sign-in from there
	placesEvery      = 2 * time.Second      // how often new ones are written
	placesWaiting    = 10_000               // places beyond are noted at a later sign-in, after a restart
)

// places holds the networks from which accounts have signed in, and those to be written.
type places struct {
	*auth.Places
	st   store.Places
	wait chan auth.Place
}

// buildPlaces reads the places and makes the limiter of password guesses.
func (n *Node) buildPlaces(ctx context.Context) error {
	secret, err := n.secret(ctx, "places")
	if err != nil {
		return err
	}
	p := &places{st: n.Store, wait: make(chan auth.Place, placesWaiting)}
	p.Places = auth.NewPlaces(auth.PlacesConfig{Secret: secret, PerAccount: placesPerAccount, Keep: func(x auth.Place) {
		select {
		case p.wait <- x:
		default:
		}
	}})
	if err := n.Store.DeletePlaces(ctx, time.Now().Add(-placesKept)); err != nil {
		return fmt.Errorf("forget where nobody signs in any more: %w", err)
	}
	for _, h := range n.Config.Hosts {
		if err := p.load(ctx, h.Domain); err != nil {
			return fmt.Errorf("read where accounts of %s sign in: %w", h.Domain, err)
		}
	}
	t := n.Config.Auth.Throttle
	n.places = p
	n.throttle = auth.NewThrottle(auth.ThrottleConfig{
		PerAccount: t.PerAccount,
		PerAddress: t.PerAddress,
		Window:     t.Window,
		Places:     p.Places,
	})
	if n.Config.Log.FailedSignIns {
		n.failures = &auth.Failures{Log: n.Log}
	}
	return nil
}

func (p *places) load(ctx context.Context, host string) error {
	const page = 1000
	var after store.Place
	for {
		kept, err := p.st.Places(ctx, host, after, page)
		if err != nil {
			return err
		}
		xs := make([]auth.Place, len(kept))
		for i, k := range kept {
			xs[i] = auth.Place{Account: k.Owner + "@" + k.Host, Network: k.Network, Used: k.Used}
			after = k
		}
		if p.Load(xs); len(kept) < page {
			return nil
		}
	}
}

// forgetting makes the feature that forgets the places of a deleted account.
func (p *places) forgetting(h *server.Host) *server.Feature {
	return &server.Feature{
		Name:    "places",
		Deleted: func(_ context.Context, account string) { p.Forget(account + "@" + h.Domain) },
	}
}

// runPlaces writes new places in batches, so that sign-ins do not wait.
func (n *Node) runPlaces(ctx context.Context, g *errgroup.Group) {
	g.Go(func() error {
		tick := time.NewTicker(placesEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				// rows taken from the queue are written even when the node stops
				n.places.write(context.WithoutCancel(ctx), n)
			case <-ctx.Done():
				n.places.write(context.WithoutCancel(ctx), n)
				return nil
			}
		}
	})
}

// write writes the collected places.
func (p *places) write(ctx context.Context, n *Node) {
	const most = 500
	for {
		var ps []store.Place
		for len(ps) < most && len(p.wait) > 0 {
			x := <-p.wait
			name, host, _ := strings.Cut(x.Account, "@")
			ps = append(ps, store.Place{Host: host, Owner: name, Network: x.Network, Used: x.Used})
		}
		if len(ps) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := p.st.PutPlaces(ctx, ps, placesPerAccount)
		cancel()
		if err != nil {
			n.Log.Error("cannot keep the places of sign-ins", "err", err)
			return
		}
	}
}
