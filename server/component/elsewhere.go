package component

import (
	"context"

	"parley/internal/everywhere"
	"parley/server"
	"parley/wire"
)

// A program connects to one node. The others know that it is there, and pass on what is for it. What it sends goes to
// the clients of all nodes as everything does.

// place says that a program serves a domain at a node, or that it does no more.
type place struct {
	Domain, Node string
	On           bool
}

// passed is a stanza for a program that is connected to another node.
type passed struct {
	Domain string
	Stanza []byte
}

// The names under which nodes tell and ask each other of programs.
const (
	placeName  = "component"
	placesName = "components"
	passedName = "component stanza"
)

// maxPassing is how many stanzas may be on their way to other nodes.
const maxPassing = 1000

// beEverywhere has programs known at all nodes.
func (s *Server) beEverywhere() {
	everywhere.On(s.cfg.Everywhere, placeName, func(_ context.Context, p place) (any, error) {
		s.note(p)
		return nil, nil
	})
	everywhere.On(s.cfg.Everywhere, placesName, func(context.Context, struct{}) (any, error) {
		return s.places(), nil
	})
	everywhere.On(s.cfg.Everywhere, passedName, func(_ context.Context, p passed) (any, error) {
		return s.take(p)
	})
}

// note notes where a program is. It replaces an older connection of the same domain at this node.
func (s *Server) note(p place) {
	s.mu.Lock()
	c := s.domains[p.Domain]
	s.mu.Unlock()
	if c == nil {
		return
	}
	if p.On {
		c.leave(&wire.StreamError{Condition: "conflict"})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.On {
		delete(c.at, p.Node)
		return
	}
	c.at = map[string]bool{p.Node: true}
}

// places gives the programs that are connected to this node.
func (s *Server) places() []place {
	all := []place{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for domain, c := range s.domains {
		c.mu.Lock()
		if c.stream != nil {
			all = append(all, place{domain, s.cfg.Node, true})
		}
		c.mu.Unlock()
	}
	return all
}

// CatchUp asks the other nodes which programs are connected to them. The node calls it when it has joined them, when it
// may have missed something, and when one has ended.
func (s *Server) CatchUp() {
	at := make(map[string]map[string]bool)
	for _, ps := range everywhere.Asked[[]place](s.cfg.Everywhere, placesName, struct{}{}) {
		for _, p := range ps {
			at[p.Domain] = map[string]bool{p.Node: true}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for domain, c := range s.domains {
		c.mu.Lock()
		c.at = at[domain]
		c.mu.Unlock()
	}
}

// tell tells the other nodes that a program is connected to this one, or is no more.
func (c *Component) tell(on bool) {
	c.srv.cfg.Everywhere.Tell(placeName, place{c.domain, c.srv.cfg.Node, on})
}

// pass gives a stanza to the node at which the program is. The sender gets an error later if it is there no more.
func (c *Component) pass(st *wire.Stanza) error {
	s := c.srv
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.passing.Load() >= maxPassing {
		return errAway
	}
	s.passing.Add(1)
	wait := s.cfg.Everywhere.Begin(passedName, passed{c.domain, st.AppendXML(nil, st.To, wire.Client)})
	s.wg.Go(func() {
		defer s.passing.Add(-1)
		for _, a := range wait() {
			if a.Err == nil && string(a.Data) == "true" {
				return
			}
		}
		if reply := server.ErrorReply(st, errAway); reply != nil {
			s.cfg.Router.Send(s.ctx, reply)
		}
	})
	return nil
}

// take takes a stanza from another node, and says whether the program is here.
func (s *Server) take(p passed) (here bool, err error) {
	s.mu.Lock()
	c := s.domains[p.Domain]
	s.mu.Unlock()
	if c == nil {
		return false, nil
	}
	st, err := wire.ParseStanza(p.Stanza, wire.Limits{Stanza: len(p.Stanza)})
	if err != nil {
		return false, err
	}
	return c.give(st), nil
}
