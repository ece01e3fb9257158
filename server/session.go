package server

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Outbound is the way to a session's client: the queue of a connection, or a resumable stream that waits for its
// client.
type Outbound interface {
	// Send queues a stanza, addressed to `to`, and returns without waiting for the client. st is shared. An error says
	// that the stanza was not queued.
	Send(st *wire.Stanza, to jid.JID) error
	// Close ends the stream, with a stream error if err is not nil. The code that bound the session unbinds it soon
	// afterwards.
	Close(err *wire.StreamError)
}

// Session is a bound resource: one client of one account. It is safe from any goroutine.
type Session struct {
	JID     jid.JID // the full address
	Host    *Host
	Started time.Time
	Info    SessionInfo

	account *Account
	out     Outbound
	node    string // the id of the other node whose session it is; "": of this one
	stamp   int64  // an id of the moment at which it was bound
	closed  atomic.Bool
	orphan  atomic.Bool // see Orphan
	// abandoned says that this node has withdrawn it, or does so, for another one. A session that has lost its address
	// is closed before.
	abandoned atomic.Bool
	wants     atomic.Pointer[wanted]
	asking    atomic.Pointer[capsQuestion]
	told      atomic.Pointer[archivePart]
	arrival   atomic.Pointer[arrival]
	pause     atomic.Int64 // see Pause

	mu       sync.Mutex
	presence *wire.Stanza // the last broadcast available presence, from the full address; nil: unavailable
	priority int8
	arrived  int64 // when presence was last sent: among equal priorities the latest counts as the most available
	flags    Flag
	directed map[jid.JID]struct{} // who got directed presence without a subscription
	values   map[any]any
}

// SessionInfo describes a session for people who look at it.
type SessionInfo struct {
	StreamID  string
	Remote    string // address of the peer
	Transport string // "tcp", "tls", "websocket"
	Mechanism string
	Client    Client
	// Credential says what the client signed in with: the id of an app password, or the hash of a browser's session
	// (EXTERNAL). "" stands for the account's own password.
	Credential string
}

// Client is what a client's installation says of itself (XEP-0388, section 2.3). Its own account and the server's
// administrators may see it, others never.
type Client struct {
	ID               string // a UUID in lower case; "" if the client sent none
	Software, Device string
}

// Flag is a property of a session that its client asked for. Flags are bits.
type Flag uint32

const (
	Interested   Flag = 1 << iota // the client fetched the roster and gets roster pushes
	Carbons                       // XEP-0280
	Blocklist                     // XEP-0191: the client fetched the blocklist and gets its pushes
	Acknowledges                  // XEP-0198: it is known what the client has
	Watched                       // a browser that somebody looks at
	Resumable                     // XEP-0198: another connection may go on with the session
	Spaces                        // XEP-0503: the client has shown that it knows spaces
)

// Send queues a stanza for the client as it is addressed. It returns ErrClosed after the session has ended.
func (s *Session) Send(st *wire.Stanza) error { return s.SendTo(st, st.To) }

// SendTo queues a stanza with many recipients, addressed to `to`. It returns ErrClosed after the session has ended.
func (s *Session) SendTo(st *wire.Stanza, to jid.JID) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.out.Send(st, to)
}

// Asleep tells the features that a stanza waits for a client without a connection. The session's stream calls it.
func (s *Session) Asleep(st *wire.Stanza) {
	for _, f := range s.Host.Features {
		if f.Asleep != nil {
			f.Asleep(s, st)
		}
	}
}

// Close ends the session's stream with this error; nil ends it normally.
func (s *Session) Close(err *wire.StreamError) { s.out.Close(err) }

// Set sets a flag. All nodes know of it when Set returns, so that the client gets every later change.
func (s *Session) Set(f Flag) {
	s.mu.Lock()
	had := s.flags&f == f
	s.flags |= f
	s.mu.Unlock()
	if !had {
		s.announce(true)
	}
}

// Clear removes a flag.
func (s *Session) Clear(f Flag) {
	s.mu.Lock()
	s.flags &^= f
	s.mu.Unlock()
	s.announce(false)
}

// Mark sets or clears a flag for which nobody waits.
func (s *Session) Mark(f Flag, on bool) {
	s.mu.Lock()
	was := s.flags
	if s.flags |= f; !on {
		s.flags &^= f
	}
	changed := s.flags != was
	s.mu.Unlock()
	if changed {
		s.announce(false)
	}
}

// Is reports whether a flag is set.
func (s *Session) Is(f Flag) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flags&f == f
}

// Presence returns the available presence that the client broadcast last and its priority, or nil if it is unavailable.
// The stanza is shared: do not change it.
func (s *Session) Presence() (*wire.Stanza, int8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presence, s.priority
}

// Available reports whether the client has sent available presence.
func (s *Session) Available() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presence != nil
}

// setPresence keeps a presence and returns the previous one.
func (s *Session) setPresence(st *wire.Stanza, priority int8) (was *wire.Stanza) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, s.presence, s.priority, s.arrived = s.presence, st, priority, time.Now().UnixNano()
	return was
}

// maxDirected is how many addresses may have directed presence of a session; the session withdraws it from all of them
// at its end.
const maxDirected = 1000

// direct notes that `to` has got directed presence, or that it was withdrawn. It returns false if there are too many.
func (s *Session) direct(to jid.JID, available bool) bool {
	if s.node == "" && s.Host != nil && s.Host.Others != nil {
		s.Host.Others.Directed(s, to, available)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !available {
		delete(s.directed, to)
		return true
	}
	if s.directed == nil {
		s.directed = make(map[jid.JID]struct{})
	}
	if len(s.directed) >= maxDirected {
		_, ok := s.directed[to]
		return ok
	}
	s.directed[to] = struct{}{}
	return true
}

// Directed returns the addresses that have directed presence of the session.
func (s *Session) Directed() []jid.JID {
	s.mu.Lock()
	defer s.mu.Unlock()
	tos := make([]jid.JID, 0, len(s.directed))
	for to := range s.directed {
		tos = append(tos, to)
	}
	return tos
}

// DirectedTo reports whether `to` has directed presence of the session. For a bare address, any of its resources
// counts.
func (s *Session) DirectedTo(to jid.JID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.directed[to]; ok {
		return true
	}
	if to.IsBare() {
		for d := range s.directed {
			if d.Bare() == to {
				return true
			}
		}
	}
	return false
}

func (s *Session) takeDirected() []jid.JID {
	tos := s.Directed()
	s.mu.Lock()
	s.directed = nil
	s.mu.Unlock()
	return tos
}

// Value returns what a feature kept with the session under its own key type, or nil. Other nodes do not know of it.
func (s *Session) Value(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key]
}

// SetValue keeps a feature's value with the session.
func (s *Session) SetValue(key, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = make(map[any]any, 1)
	}
	s.values[key] = value
}

// archivePart is the part of an account's archive that a client knows of, from the first entry to the last.
type archivePart struct{ first, last store.ID }

// TellArchive notes that the session's client knows where the account's archive begins and ends: the client fetches
// what is between from the archive and from nowhere else (XEP-0386, section 3.2). What is archived later comes after
// last.
func (s *Session) TellArchive(first, last store.ID) { s.told.Store(&archivePart{first, last}) }

// ToldOf reports whether the client knows of a part of the archive that contains this entry. It returns false for the
// id 0.
func (s *Session) ToldOf(id store.ID) bool {
	t := s.told.Load()
	return t != nil && id != 0 && t.first <= id && id <= t.last
}
