// Package places keeps from which networks people sign in, so that password guesses from elsewhere
// do not lock them out.
package places

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"parley/auth"
	"parley/internal/changes"
	"parley/internal/clock"
	"parley/internal/everywhere"
	"parley/server"
	"parley/store"
)

const (
	perAccount = 20
	kept       = 180 * 24 * time.Hour // time after the last sign-in from there
	every      = 2 * time.Second      // how often new ones are written
	waiting    = 10_000               // places beyond are noted at a later sign-in, after a restart
)

// Places holds the networks from which accounts have signed in, and those to be written.
type Places struct {
	*auth.Places
	st   store.Places
	log  *slog.Logger
	wait chan auth.Place
}

// Config holds what New needs.
type Config struct {
	Store  store.Places
	Clock  clock.Clock
	Log    *slog.Logger
	Secret []byte   // stays the same over restarts
	Hosts  []string // the domains whose accounts sign in

	Everywhere everywhere.Part // has new places known on other nodes; zero: there are none
}

// placesName is the name under which other nodes hear of places. One that misses some knows them after its next start.
const placesName = "places"

// New reads the places of the accounts of all hosts, and forgets those where nobody signs in any more. What is new is
// written by Run.
func New(ctx context.Context, c Config) (*Places, error) {
	p := &Places{st: c.Store, log: c.Log, wait: make(chan auth.Place, waiting)}
	p.Places = auth.NewPlaces(auth.PlacesConfig{
		Secret:     c.Secret,
		PerAccount: perAccount,
		Clock:      c.Clock,
		Keep: func(x auth.Place) {
			select {
			case p.wait <- x:
			default:
			}
			c.Everywhere.Tell(placesName, x)
		},
	})
	everywhere.On(c.Everywhere, placesName, func(_ context.Context, x auth.Place) (any, error) {
		p.Load([]auth.Place{x})
		return nil, nil
	})
	if err := c.Store.DeletePlaces(ctx, c.Clock.Now().Add(-kept)); err != nil {
		return nil, fmt.Errorf("forget where nobody signs in any more: %w", err)
	}
	for _, host := range c.Hosts {
		if err := p.load(ctx, host); err != nil {
			return nil, fmt.Errorf("read where accounts of %s sign in: %w", host, err)
		}
	}
	return p, nil
}

func (p *Places) load(ctx context.Context, host string) error {
	const page = 1000
	var after store.Place
	for {
		found, err := p.st.Places(ctx, host, after, page)
		if err != nil {
			return err
		}
		xs := make([]auth.Place, len(found))
		for i, k := range found {
			xs[i] = auth.Place{Account: k.Owner + "@" + k.Host, Network: k.Network, Used: k.Used}
			after = k
		}
		if p.Load(xs); len(found) < page {
			return nil
		}
	}
}

// Feature makes the feature that forgets the places of a deleted account.
func (p *Places) Feature(h *server.Host) *server.Feature {
	h.On(changes.Deleted, func(account string) {
		if account != "" { // otherwise nothing is known of one: a place gives nobody a right
			p.Forget(account + "@" + h.Domain)
		}
	})
	return &server.Feature{Name: "places"}
}

// Run writes new places in batches, so that sign-ins do not wait, until ctx ends.
func (p *Places) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			// what was taken from the queue is written even when the server stops
			p.write(context.WithoutCancel(ctx))
		case <-ctx.Done():
			p.write(context.WithoutCancel(ctx))
			return nil
		}
	}
}

// write writes the collected places.
func (p *Places) write(ctx context.Context) {
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
		err := p.st.PutPlaces(ctx, ps, perAccount)
		cancel()
		if err != nil {
			p.log.Error("cannot keep the places of sign-ins", "err", err)
			return
		}
	}
}
