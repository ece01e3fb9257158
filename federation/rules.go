package federation

import (
	"strings"

	"parley/store"
)

// rules holds the administrators' rules by domain or "*.domain". They never change once made.
type rules struct {
	of   map[string]store.DomainRule
	only bool
}

// SetRules replaces the administrators' rules. onlyListed says that the server communicates only with domains that a
// rule or the configuration allows. Streams that are no longer allowed end.
func (s *Server) SetRules(rs []store.DomainRule, onlyListed bool) {
	r := &rules{of: make(map[string]store.DomainRule, len(rs)), only: onlyListed}
	for _, d := range rs {
		r.of[d.Domain] = d
	}
	s.rules.Store(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	for in := range s.streams {
		if st := in.status.Load(); st != nil && !s.stillFine(st.From, st.How) {
			// the stream counts in wg, until it has left streams under this lock
			s.wg.Go(func() { in.goodbye(errBlocked) })
		}
	}
	for p, pe := range s.peers {
		if !s.stillFine(p.to, pe.status().How) {
			pe.reconsider()
		}
	}
}

func (s *Server) stillFine(domain, how string) bool {
	return s.permits(domain) && (how != "dialback" || !s.certificateFrom(domain) && s.dialbackWith(domain))
}

// rule returns the rule for a domain. Its own rule takes precedence over rules for the domains above it.
func (s *Server) rule(domain string) (store.DomainRule, bool) {
	r := s.rules.Load()
	if r == nil || len(r.of) == 0 {
		return store.DomainRule{}, false
	}
	if d, ok := r.of[domain]; ok {
		return d, true
	}
	for {
		_, parent, ok := strings.Cut(domain, ".")
		if !ok {
			return store.DomainRule{}, false
		}
		if d, ok := r.of["*."+parent]; ok {
			return d, true
		}
		domain = parent
	}
}

// RuleFor returns the action of the rule for a domain, or "".
func (s *Server) RuleFor(domain string) string {
	d, _ := s.rule(domain)
	return d.Action
}

// permits reports whether the server communicates with a remote domain.
func (s *Server) permits(domain string) bool {
	if d, ok := s.rule(domain); ok {
		return d.Action != store.DomainBlock
	}
	p, r := &s.cfg.Policy, s.rules.Load()
	if listed(p.Block, domain) {
		return false
	}
	return len(p.Allow) == 0 && (r == nil || !r.only) || listed(p.Allow, domain)
}

// certificateFrom reports whether only a valid certificate proves a domain.
func (s *Server) certificateFrom(domain string) bool {
	switch d, _ := s.rule(domain); d.Action {
	case store.DomainCertificate:
		return true
	case store.DomainDialback:
		return false
	}
	return s.cfg.Policy.RequireCertificate
}

// dialbackWith reports whether dialback may prove a domain; "" stands for a peer that has not named a domain.
func (s *Server) dialbackWith(domain string) bool {
	switch d, _ := s.rule(domain); d.Action {
	case store.DomainCertificate:
		return false
	case store.DomainDialback:
		return true
	}
	return !s.cfg.Policy.RefuseDialback
}

func listed(list []string, domain string) bool {
	for _, e := range list {
		if below, ok := strings.CutPrefix(e, "*"); ok && strings.HasSuffix(domain, below) || e == domain {
			return true
		}
	}
	return false
}
