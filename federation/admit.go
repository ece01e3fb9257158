package federation

import (
	"net"
	"net/netip"

	"parley/netaddr"
)

// accept takes a connection in if there is room.
func (s *Server) accept(nc net.Conn, direct bool) {
	in := &incoming{ear: ear{srv: s, voice: voice{local: s.cfg.Router.Local}}, raw: nc, id: newID(), direct: direct, over: make(chan struct{})}
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
	go func() {
		defer s.wg.Done()
		in.serve()
		s.leave(in)
	}()
}

// admit counts a connection; why it may not come in, "" if it may.
func (s *Server) admit(in *incoming) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := in.addr.String()
	switch {
	case s.stopping:
		return "stopping"
	case len(s.streams) >= s.cfg.MaxIncoming:
		return "connections"
	case s.perAddr[in.addr] >= s.cfg.MaxPerAddress:
		return "connections of an address"
	case s.unproven[""] >= s.cfg.MaxUnproven, s.unproven[key] >= s.cfg.MaxUnprovenFrom:
		return "unproven"
	}
	s.streams[in] = struct{}{}
	s.perAddr[in.addr]++
	s.unproven[""]++
	s.unproven[key]++
	in.claims = []string{"", key}
	s.wg.Add(1)
	s.gauge.WithLabelValues("in").Inc()
	return ""
}

// claim counts an unproven stream for the domain it says it comes from; false if there are too many.
func (s *Server) claim(in *incoming, domain string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(in.claims) == 0 || len(in.claims) > 2 { // proven, or counted already
		return true
	}
	key := "domain " + domain
	if s.unproven[key] >= s.cfg.MaxUnprovenFrom {
		return false
	}
	s.unproven[key]++
	in.claims = append(in.claims, key)
	return true
}

// proven takes a stream out of the count of those that are not.
func (s *Server) proven(in *incoming) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.provenLocked(in)
}

func (s *Server) provenLocked(in *incoming) {
	for _, key := range in.claims {
		if s.unproven[key]--; s.unproven[key] <= 0 {
			delete(s.unproven, key)
		}
	}
	in.claims = nil
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
	if s.perAddr[in.addr]--; s.perAddr[in.addr] <= 0 {
		delete(s.perAddr, in.addr)
	}
	s.gauge.WithLabelValues("in").Dec()
}
