// Package relay is the floor of the benchmark: the least a Go program can do
// that takes stanzas from TLS connections and passes them on. It knows no
// authentication, stores nothing, rewrites next to nothing, and writes from the
// reader's goroutine, which a real server must not do: one peer that does not
// read stops those who write to it.
package relay

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync"

	"parley/bench/load"
)

// Server relays between the connections that Serve accepts. The zero value is
// ready.
//
// A client sends a stream header whose 'from' is its full JID and gets one
// back. Then stanzas go to the session named by 'to', bare or full. The
// exceptions carry what the rooms and rosters of a server do: see route.
type Server struct {
	mu       sync.RWMutex
	sessions map[string]*peer // By full and by bare JID.
	rooms    map[string]*room // By the room's bare JID.
	contacts map[string][]string
}

type peer struct {
	mu       sync.Mutex // Held while writing.
	conn     *tls.Conn
	jid      string // Full JID.
	bare     string
	occupies map[*room]bool // Owned by the peer's reader.
}

type room struct {
	mu        sync.Mutex
	occupants []occupant
}

type occupant struct {
	p        *peer
	presence []byte
}

func (p *peer) write(b []byte) {
	p.mu.Lock()
	p.conn.Write(b)
	p.mu.Unlock()
}

// Serve accepts connections until ln is closed.
func (s *Server) Serve(ln net.Listener, cfg *tls.Config) error {
	s.sessions = make(map[string]*peer)
	s.rooms = make(map[string]*room)
	s.contacts = make(map[string][]string)
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go s.serve(tls.Server(conn, cfg))
	}
}

func (s *Server) serve(conn *tls.Conn) {
	defer conn.Close()
	sc := load.NewScanner(conn, 4096)
	head, err := sc.Next()
	if err != nil {
		return
	}
	p := &peer{conn: conn, jid: string(load.Attr(head, "from")), occupies: make(map[*room]bool)}
	p.bare, _, _ = strings.Cut(p.jid, "/")
	s.mu.Lock()
	s.sessions[p.jid], s.sessions[p.bare] = p, p
	s.mu.Unlock()
	defer s.leave(p)
	p.write([]byte("<stream:stream>"))
	for {
		st, err := sc.Next()
		if err == io.EOF {
			p.write([]byte("</stream:stream>"))
		}
		if err != nil {
			return
		}
		s.route(p, st)
	}
}

func (s *Server) leave(p *peer) {
	s.mu.Lock()
	delete(s.sessions, p.jid)
	if s.sessions[p.bare] == p {
		delete(s.sessions, p.bare)
	}
	s.mu.Unlock()
	for r := range p.occupies {
		r.mu.Lock()
		for i, o := range r.occupants {
			if o.p == p {
				r.occupants = append(r.occupants[:i], r.occupants[i+1:]...)
				break
			}
		}
		r.mu.Unlock()
	}
}

// route passes on one stanza:
//   - groupchat: to every occupant of the room;
//   - presence to room/nick: enters the room, see join;
//   - presence of type subscribe: makes the two contacts of each other;
//   - presence without 'to': to the contacts who are here, and back;
//   - an iq: answered with an empty result;
//   - anything else: to the session it names, or nowhere.
func (s *Server) route(p *peer, st []byte) {
	to := string(load.Attr(st, "to"))
	switch {
	case load.Is(st, "iq"):
		p.write([]byte("<iq type='result' id='" + string(load.Attr(st, "id")) + "'/>"))
	case load.Is(st, "presence") && to == "":
		for _, jid := range s.contactsOf(p.bare) {
			if q := s.find(jid); q != nil {
				q.write(st)
			}
		}
		p.write(st)
	case load.Is(st, "presence") && string(load.Attr(st, "type")) == "subscribe":
		s.befriend(p.bare, to)
		p.write([]byte("<presence from='" + to + "' type='subscribed'/><presence from='" + to + "' type='subscribe'/>"))
	case load.Is(st, "presence") && load.Attr(st, "type") == nil:
		s.join(p, to, st)
	case load.Is(st, "message") && string(load.Attr(st, "type")) == "groupchat":
		s.mu.RLock()
		r := s.rooms[to]
		s.mu.RUnlock()
		if r != nil {
			r.broadcast(st)
		}
	default:
		if q := s.find(to); q != nil {
			q.write(st)
		}
	}
}

func (s *Server) find(jid string) *peer {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.sessions[jid]
}

func (s *Server) contactsOf(bare string) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.contacts[bare]
}

func (s *Server) befriend(a, b string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.contacts[a] = append(s.contacts[a], b)
	s.contacts[b] = append(s.contacts[b], a)
}

// join tells all occupants of the new one, and the new one of all, itself
// last.
func (s *Server) join(p *peer, to string, st []byte) {
	bare, _, _ := strings.Cut(to, "/")
	s.mu.Lock()
	r := s.rooms[bare]
	if r == nil {
		r = new(room)
		s.rooms[bare] = r
	}
	s.mu.Unlock()
	p.occupies[r] = true
	own := append([]byte("<presence from='"+to+"'"), st[len("<presence"):]...)
	r.mu.Lock()
	defer r.mu.Unlock()
	var others bytes.Buffer
	for _, o := range r.occupants {
		o.p.write(own)
		others.Write(o.presence)
	}
	others.Write(own)
	p.write(others.Bytes())
	r.occupants = append(r.occupants, occupant{p, own})
}

func (r *room) broadcast(st []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, o := range r.occupants {
		o.p.write(st)
	}
}
