package webhooks

import (
	"context"
	"net/url"
	"strings"
	"sync"
)

// Limits of concurrent requests: in all, to one host, and to hosts that failed last time, which may be dead and use up
// the whole timeout.
const (
	maxSeats   = 16
	maxOfHost  = 4
	maxFailing = 8
)

// seats limits outgoing requests. A request that waits for a slow host takes no seat from other hosts.
type seats struct {
	all, failing chan struct{}

	mu    sync.Mutex // guards the fields below
	hosts map[string]*place
}

// place is the share of one host.
type place struct {
	seats   chan struct{}
	users   int // how many have a seat or wait for one
	failing bool
}

func newSeats() *seats {
	return &seats{
		all:     make(chan struct{}, maxSeats),
		failing: make(chan struct{}, maxFailing),
		hosts:   make(map[string]*place),
	}
}

// take waits for a seat for a request to an address. done gives it back and says how the request went; done is nil if
// ctx has ended.
func (s *seats) take(ctx context.Context, address string) (done func(ok bool)) {
	host := address
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		host = strings.ToLower(u.Host)
	}
	s.mu.Lock()
	p := s.hosts[host]
	if p == nil {
		p = &place{seats: make(chan struct{}, maxOfHost)}
		s.hosts[host] = p
	}
	p.users++
	s.mu.Unlock()
	leave := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if p.users--; p.users == 0 && !p.failing {
			delete(s.hosts, host)
		}
	}
	if !sit(ctx, p.seats) {
		leave()
		return nil
	}
	s.mu.Lock()
	of := s.all
	if p.failing {
		of = s.failing
	}
	s.mu.Unlock()
	if !sit(ctx, of) {
		<-p.seats
		leave()
		return nil
	}
	return func(ok bool) {
		s.mu.Lock()
		p.failing = !ok
		s.mu.Unlock()
		<-of
		<-p.seats
		leave()
	}
}

func sit(ctx context.Context, seats chan struct{}) bool {
	select {
	case seats <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}
