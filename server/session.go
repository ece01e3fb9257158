package server

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Outbound is the way to a session's client: a connection's queue, a resumable stream that waits for its client, a
// session on another node.
type Outbound interface {
	// Send queues a stanza, addressed to `to`, and returns; it never waits for the client. st is shared.
	Send(st *wire.Stanza, to jid.JID) error
	// Close ends the stream; with an error, if there is one. The session is unbound by who bound it, soon after.
	Close(err *wire.StreamError)
}

// Session is a bound resource: one client of one account. Safe from any goroutine.
type Session struct {
	JID     jid.JID // full
	Host    *Host
	Started time.Time
	Info    SessionInfo

	account *Account
	out     Outbound
	closed  atomic.Bool
	wants   atomic.Pointer[wanted]
	asking  atomic.Pointer[capsQuestion]
	told    atomic.Pointer[archivePart]
	arrival atomic.Pointer[arrival]
	pause   atomic.Int64 // see Pause

	mu       sync.Mutex
	presence *wire.Stanza // last broadcast available presence, from the full JID; nil: unavailable
	priority int8
	arrived  int64 // when presence was last sent: the later is the more available among equals
	flags    Flag
	directed map[jid.JID]struct{} // who got presence from it without being subscribed
	values   map[any]any
}

// SessionInfo is for people who look at sessions.
type SessionInfo struct {
	StreamID  string
	Remote    string // address of the peer
	Transport string // "tcp", "tls", "websocket"
	Mechanism string
	Client    Client
	// Credential is what it has signed in with: the id of an app password, the hash of a browser's session (EXTERNAL); "" is
	// the account's own password.
	Credential string
}

// Client is what a client's installation says of itself (XEP-0388, section 2.3). It is for its own account and for the
// server's people, never for others.
type Client struct {
	ID               string // a UUID in lower case; "" if it is not told
	Software, Device string
}

// Flag is something a session has asked for.
type Flag uint32

const (
	Interested Flag = 1 << iota // has asked for the roster: gets roster pushes
	Carbons                     // XEP-0280
	Blocklist                   // XEP-0191: has asked for the blocklist
	Resumable                   // XEP-0198
)

// Send queues a stanza for the client as it is addressed.
func (s *Session) Send(st *wire.Stanza) error { return s.SendTo(st, st.To) }

// SendTo queues a stanza that many get, addressed to `to`.
func (s *Session) SendTo(st *wire.Stanza, to jid.JID) error {
	if s.closed.Load() {
		return ErrClosed
	}
	return s.out.Send(st, to)
}

// Asleep is called by the session's door when a stanza waits for a client that is not connected now.
func (s *Session) Asleep(st *wire.Stanza) {
	for _, f := range s.Host.Features {
		if f.Asleep != nil {
			f.Asleep(s, st)
		}
	}
}

// Close ends the session's stream with this error; nil for an ordinary end.
func (s *Session) Close(err *wire.StreamError) { s.out.Close(err) }

// Set and Clear change what the session has asked for; Is asks.
func (s *Session) Set(f Flag) {
	s.mu.Lock()
	s.flags |= f
	s.mu.Unlock()
}

func (s *Session) Clear(f Flag) {
	s.mu.Lock()
	s.flags &^= f
	s.mu.Unlock()
}

func (s *Session) Is(f Flag) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.flags&f == f
}

// Presence gives the last available presence the client has broadcast (shared, not to be changed) and its priority;
// nil if it is not available.
func (s *Session) Presence() (*wire.Stanza, int8) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presence, s.priority
}

// Available says that the client has sent available presence.
func (s *Session) Available() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.presence != nil
}

// setPresence keeps a presence and says what was before.
func (s *Session) setPresence(st *wire.Stanza, priority int8) (was *wire.Stanza) {
	s.mu.Lock()
	defer s.mu.Unlock()
	was, s.presence, s.priority, s.arrived = s.presence, st, priority, time.Now().UnixNano()
	return was
}

// maxDirected is to how many addresses a session may send directed presence that it has to be withdrawn from later.
const maxDirected = 1000

// Direct notes that `to` has got directed presence (or no more); false if there are too many.
func (s *Session) direct(to jid.JID, available bool) bool {
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

// Directed gives to whom the session has sent directed presence.
func (s *Session) Directed() []jid.JID {
	s.mu.Lock()
	defer s.mu.Unlock()
	tos := make([]jid.JID, 0, len(s.directed))
	for to := range s.directed {
		tos = append(tos, to)
	}
	return tos
}

// DirectedTo says that `to`, or with a bare JID any resource of it, has got directed presence of the session.
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

// Value gives what a feature has kept with the session under its own key type, nil if nothing.
func (s *Session) Value(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key]
}

// SetValue keeps something of a feature with the session.
func (s *Session) SetValue(key, value any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values == nil {
		s.values = make(map[any]any, 1)
	}
	s.values[key] = value
}

// archivePart is what of an account's archive a client knows to be there, from the first entry to the last.
type archivePart struct{ first, last store.ID }

// TellArchive finds out where the account's archive begins and ends, and notes that the session's client is told so: what
// is between, it reads there and nowhere else (XEP-0386, section 3.2). An error of bounds leaves the client told nothing.
func (s *Session) TellArchive(ids *store.IDs, bounds func() (first, last store.ID, err error)) (first, last store.ID, err error) {
	// Noted before it is read: of what is committed after that under an id of before, archivedLate says so.
	s.told.Store(&archivePart{last: ids.Next()})
	if first, last, err = bounds(); err != nil {
		s.told.Store(nil)
		return 0, 0, err
	}
	for {
		old := s.told.Load()
		if s.told.CompareAndSwap(old, &archivePart{first: first, last: min(old.last, last)}) {
			return first, last, nil
		}
	}
}

// ToldOf says that the client was told of an archive that has this entry; of 0, which is none, it was not.
func (s *Session) ToldOf(id store.ID) bool {
	t := s.told.Load()
	return t != nil && id != 0 && t.first <= id && id <= t.last
}

// archivedLate notes an entry that has been committed just now. Entries of one moment are not committed in the order of
// their ids: the end that a client was told of may be later than one that was not there yet.
func (s *Session) archivedLate(id store.ID) {
	for {
		t := s.told.Load()
		if t == nil || id == 0 || t.last < id || s.told.CompareAndSwap(t, &archivePart{first: t.first, last: id - 1}) {
			return
		}
	}
}
