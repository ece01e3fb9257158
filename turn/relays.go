package turn

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// minBurst is how many bytes may always go at once: the largest datagram.
const minBurst = 64 << 10

// user is a person with relays. All relays of a person share one limit for both directions. Datagrams beyond it are
// dropped, as a full network does; call software then slows down.
type user struct {
	*rate.Limiter // nil: no limit
	relays        map[*relay]bool
}

// relay is an open relay's socket.
type relay struct {
	net.PacketConn
	s    *Server
	user *user
	port uint16
	once sync.Once
}

// relayOf wraps a socket in the name of its person. While the library looks for a free port, name is empty.
func (s *Server) relayOf(name string, c net.PacketConn) net.PacketConn {
	s.mu.Lock()
	defer s.mu.Unlock()
	// people without relays whose limiter is full again: opening a new relay must not reset a limit
	for n, u := range s.people {
		if len(u.relays) == 0 && (u.Limiter == nil || u.Tokens() >= float64(u.Burst())) {
			delete(s.people, n)
		}
	}
	if name == "" {
		return c
	}
	u := s.people[name]
	if u == nil {
		u = &user{relays: make(map[*relay]bool)}
		if s.cfg.Rate > 0 {
			u.Limiter = rate.NewLimiter(rate.Limit(s.cfg.Rate), max(s.cfg.Rate, minBurst))
		}
		s.people[name] = u
	}
	r := &relay{PacketConn: c, s: s, user: u}
	if a, ok := c.LocalAddr().(*net.UDPAddr); ok {
		r.port = uint16(a.Port)
		s.open[r.port]++
	}
	u.relays[r] = true
	return r
}

func (r *relay) may(n int) bool {
	if r.user.Limiter == nil || r.user.AllowN(time.Now(), n) {
		return true
	}
	r.s.dropped.Inc()
	return false
}

// ReadFrom reads a datagram within the person's limit.
func (r *relay) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := r.PacketConn.ReadFrom(b)
		if err != nil || r.may(n) {
			return n, from, err
		}
	}
}

// WriteTo sends a datagram within the person's limit, if the address may be reached.
func (r *relay) WriteTo(b []byte, to net.Addr) (int, error) {
	if !r.s.reaches(to) || !r.may(len(b)) {
		return len(b), nil
	}
	return r.PacketConn.WriteTo(b, to)
}

// Close closes the socket and gives its place back.
func (r *relay) Close() error {
	r.once.Do(func() {
		r.s.mu.Lock()
		defer r.s.mu.Unlock()
		delete(r.user.relays, r)
		if r.port != 0 {
			if r.s.open[r.port]--; r.s.open[r.port] <= 0 {
				delete(r.s.open, r.port)
			}
		}
	})
	return r.PacketConn.Close()
}

// reaches reports whether a datagram may go to an address that Server.may allows. On this machine it may only go to
// relays, for calls whose two sides both have one here.
func (s *Server) reaches(to net.Addr) bool {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return false
	}
	at := a.AddrPort()
	addr := at.Addr().Unmap().WithZone("")
	if s.allowed(addr) || !s.own(addr) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[at.Port()] > 0
}

// own reports whether an address is this machine's.
func (s *Server) own(a netip.Addr) bool {
	return a == s.cfg.Public || a == s.cfg.Local || s.mine[a]
}

// machine returns the addresses of this machine's interfaces.
func machine() map[netip.Addr]bool {
	mine := make(map[netip.Addr]bool)
	all, _ := net.InterfaceAddrs() // on failure, the configured addresses remain
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			mine[p.Addr().Unmap().WithZone("")] = true
		}
	}
	return mine
}

// watch closes the relays of people who lose the permission: credentials are valid for a day, but an account can change
// earlier.
func (s *Server) watch(ctx context.Context) {
	t := time.NewTicker(s.cfg.Check)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		s.mu.Lock()
		var names []string
		for name, u := range s.people {
			if len(u.relays) > 0 {
				names = append(names, name)
			}
		}
		s.mu.Unlock()
		for _, name := range names {
			if !s.cfg.Allowed(name) {
				s.end(name)
			}
		}
	}
}

func (s *Server) end(name string) {
	s.mu.Lock()
	var all []*relay
	if u := s.people[name]; u != nil {
		for r := range u.relays {
			all = append(all, r)
		}
	}
	s.mu.Unlock()
	for _, r := range all {
		_ = r.Close() // the library notices and cleans up the rest
	}
}
