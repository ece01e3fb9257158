package server

import (
	"context"
	"slices"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// Others are the other nodes that serve the same hosts. Each node knows the sessions of all: a session of another
// node is a Session whose Outbound is the way there. A host without Others is served by one node.
type Others interface {
	// Announce tells the other nodes of a session of this one as it is now. With wait it returns when every living
	// node has heard of it, so that none goes on as if the session were not there.
	Announce(s *Session, wait bool)
	// Ended tells the other nodes that a session is no more. Unless everyone who saw it has been told by this node,
	// one of them does so.
	Ended(s *Session, withdrawn bool)
	// Directed tells the other nodes that an address has directed presence of a session, or has it no more: they
	// withdraw it if this node ends without doing so.
	Directed(s *Session, to jid.JID, available bool)
	// End ends a session of another node with a stream error, and returns when it was unbound there.
	End(ctx context.Context, s *Session, err *wire.StreamError)
	// Kick is Host.KickHere on the other nodes, and returns when all that live have done so.
	Kick(h *Host, name string, only []int64, err *wire.StreamError)
	// Answered gives the other nodes an answer to a request that this node has not sent.
	Answered(h *Host, st *wire.Stanza)
	// Fanout has another node queue one stanza for sessions of it.
	Fanout(st *wire.Stanza, node string, ss []*Session) error
	// Waiting tells a session's node that a message was kept for its account because no client was known. It returns
	// false if that node cannot be told.
	Waiting(s *Session) bool
}

// SessionState is what other nodes know of a session.
type SessionState struct {
	JID      string
	Stamp    int64 // see Session.stamp
	Started  time.Time
	Info     SessionInfo
	Flags    Flag
	Presence []byte `json:",omitempty"` // nil: it is unavailable
	Priority int8
	Arrived  int64
	Wants    []string `json:",omitempty"`
	Directed []string `json:",omitempty"`
}

// Node returns the id of the other node whose session it is; "" for a session of this node.
func (s *Session) Node() string { return s.node }

// Closed says whether the session has ended.
func (s *Session) Closed() bool { return s.closed.Load() }

// Stamp tells sessions with one address apart: that with the higher one was bound later.
func (s *Session) Stamp() int64 { return s.stamp }

// State returns the session's state. It has the addresses with directed presence if directed is set.
func (s *Session) State(directed bool) SessionState {
	st := SessionState{JID: s.JID.String(), Stamp: s.stamp, Started: s.Started, Info: s.Info, Wants: s.Wanted()}
	if directed {
		for _, to := range s.Directed() {
			st.Directed = append(st.Directed, to.String())
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st.Flags, st.Priority, st.Arrived = s.flags, s.priority, s.arrived
	if s.presence != nil {
		st.Presence = s.presence.AppendXML(nil, s.presence.To, wire.Client)
	}
	return st
}

// Become gives a session of another node the state that it has there. With directed, st has all addresses with
// directed presence.
func (s *Session) Become(st SessionState, directed bool) error {
	if err := s.become(st, directed); err != nil {
		return err
	}
	s.Host.elsewhere(s.JID.Local())
	return nil
}

func (s *Session) become(st SessionState, directed bool) error {
	var presence *wire.Stanza
	if st.Presence != nil {
		var err error
		if presence, err = wire.ParseStanza(st.Presence, wire.Limits{Stanza: len(st.Presence)}); err != nil {
			return err
		}
		presence.Render()
	}
	s.wants.Store(&wanted{nodes: st.Wants})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flags, s.presence, s.priority, s.arrived = st.Flags, presence, st.Priority, st.Arrived
	if directed {
		s.directed = nil
		for _, to := range st.Directed {
			if j, err := jid.Parse(to); err == nil {
				if s.directed == nil {
					s.directed = make(map[jid.JID]struct{})
				}
				s.directed[j] = struct{}{}
			}
		}
	}
	return nil
}

// DirectsTo notes directed presence of a session of another node.
func (s *Session) DirectsTo(to jid.JID, available bool) { s.direct(to, available) }

// Join adds a session of another node, and returns it. It returns nil if the address belongs to a later session, of
// this node or of a third one; an earlier one of this node ends. A session of another node with that address is
// replaced.
func (h *Host) Join(ctx context.Context, node string, st SessionState, out Outbound) (*Session, error) {
	full, err := jid.Parse(st.JID)
	if err != nil {
		return nil, err
	}
	s := &Session{
		JID: full, Host: h, Started: st.Started, Info: st.Info, out: out, stamp: st.Stamp, node: node,
	}
	if err := s.become(st, true); err != nil {
		return nil, err
	}
	own := h.Account(full.Local()).Session(full.Resource())
	if own != nil && own.stamp > st.Stamp && !own.orphan.Load() {
		return nil, nil
	}
	h.add(s)
	h.elsewhere(full.Local())
	if own != nil && own.node == "" {
		h.questions.ask(ctx, func(ctx context.Context) { h.replaced(ctx, own) })
	}
	return s, nil
}

// replaced ends a session whose address a later one has taken.
func (h *Host) replaced(ctx context.Context, old *Session) {
	old.Close(&wire.StreamError{Condition: "conflict", Text: "another client has taken this resource"})
	h.Unbind(ctx, old)
}

// Orphan notes that a session's node is dead: every session that comes with its address is later, whatever the clock
// of that node said.
func (s *Session) Orphan() { s.orphan.Store(true) }

// Leave takes a session of another node away, without telling anybody.
func (h *Host) Leave(s *Session) {
	s.closed.Store(true)
	h.remove(s)
	h.elsewhere(s.JID.Local())
}

func (h *Host) elsewhere(account string) {
	for _, f := range h.Features {
		if f.Elsewhere != nil {
			f.Elsewhere(account)
		}
	}
}

// Abandoned does for a session what its node would have done at its end, because that node is no more: it becomes
// unavailable to everyone who saw it. One of the remaining nodes calls it.
func (h *Host) Abandoned(ctx context.Context, s *Session) {
	if s.abandoned.Swap(true) {
		return
	}
	s.closed.Store(true)
	h.withdraw(ctx, s, s.setPresence(nil, 0))
	h.remove(s)
}

// Deliver queues a stanza that another node has for a session of this one.
func (s *Session) Deliver(ctx context.Context, st *wire.Stanza) error {
	if st.Kind == wire.Message && waits(st) {
		s.awaitArrival(ctx)
	}
	return s.SendTo(st, st.To)
}

// EndHere is Others.End for a session of this node.
func (h *Host) EndHere(ctx context.Context, s *Session, err *wire.StreamError) {
	s.Close(err)
	h.Unbind(ctx, s)
}

// KickHere is Kick for the sessions of this node. only are the stamps of those that are ended; nil: all.
func (h *Host) KickHere(name string, only []int64, err *wire.StreamError) {
	h.kicks.add(name)
	for _, s := range h.Account(name).Sessions() {
		if s.node == "" && (only == nil || slices.Contains(only, s.stamp)) {
			s.Close(err)
		}
	}
}

// AnsweredHere takes an answer that came to another node.
func (h *Host) AnsweredHere(st *wire.Stanza) { h.asks.answer(st) }

// WaitingHere has a session of this node get what waits for its account.
func (h *Host) WaitingHere(ctx context.Context, s *Session) {
	for _, f := range h.Features {
		if f.Waiting == nil {
			continue
		}
		if err := h.surely(func() error { return f.Waiting(ctx, s) }); err != nil {
			h.Log.Error("cannot give a client what waits for it", "err", err)
		}
	}
}

// announce tells other nodes of a session of this one.
func (s *Session) announce(wait bool) {
	if s.node == "" && s.Host != nil && s.Host.Others != nil && !s.closed.Load() {
		s.Host.Others.Announce(s, wait)
	}
}
