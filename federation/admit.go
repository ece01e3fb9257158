package federation

import (
	"net"
	"net/netip"

	"parley/internal/door"
	"parley/internal/netaddr"
)

// accept admits a connection if there is room.
func (s *Server) accept(nc net.Conn, direct bool) {
	in := &incoming{
		receiver: receiver{srv: s, authz: authz{local: s.cfg.Router.Local}},
		raw:      nc,
		id:       newID(),
		direct:   direct,
		over:     make(chan struct{}),
	}
	if ap, err := netip.ParseAddrPort(nc.RemoteAddr().String()); err == nil {
		in.addr = netaddr.Key(ap.Addr())
	}
	in.log = s.log.With("stream", in.id, "remote", in.addr.String())
	if why := s.admit(in); why != "" {
		s.refused.WithLabelValues(why).Inc()
		in.log.Debug("connection refused", "why", why)
		nc.Close()
		return
	}
}

// admit counts a connection. It returns the reason to refuse it, or "".
func (s *Server) admit(in *incoming) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return "stopping"
	}
	if in.pass, why = s.gate.Enter(in.addr, door.Shared(in.raw)); why != "" {
		return why
	}
	s.streams[in] = struct{}{}
	s.gauge.WithLabelValues("in").Inc()
	s.wg.Go(func() {
		in.serve()
		s.leave(in)
	})
	return ""
}

// claim counts an unproven stream for the domain that it claims to come from. It returns false if there are too many.
func (s *Server) claim(in *incoming, domain string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.proven || in.claims != "" { // already counted
		return true
	}
	if s.claimed[domain] >= s.cfg.MaxUnprovenFrom {
		return false
	}
	s.claimed[domain]++
	in.claims = domain
	return true
}

// proven removes a stream from the count of unproven ones.
func (s *Server) proven(in *incoming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provenLocked(in)
}

func (s *Server) provenLocked(in *incoming) {
	in.proven = true
	in.pass.SignedIn()
	if in.claims == "" {
		return
	}
	if s.claimed[in.claims]--; s.claimed[in.claims] <= 0 {
		delete(s.claimed, in.claims)
	}
	in.claims = ""
}

func (s *Server) leave(in *incoming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provenLocked(in)
	for p, other := range s.back {
		if other == in {
			delete(s.back, p)
		}
	}
	delete(s.streams, in)
	in.pass.Leave()
	s.gauge.WithLabelValues("in").Dec()
}
