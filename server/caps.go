package server

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"hash"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// The server learns from entity capabilities (XEP-0115) which nodes its clients follow: their features that end in
// +notify (XEP-0060, section 9.2).

const (
	notify       = "+notify"
	maxKnown     = 10_000 // kinds of clients to remember
	maxWanted    = 100    // nodes per client
	maxWantedLen = 1024   // bytes per node name
	askTimeout   = 30 * time.Second
)

// capsKey identifies a kind of client by its hash algorithm and verification string.
type capsKey struct{ hash, ver string }

// Wants reports whether the session's client follows this node.
func (s *Session) Wants(node string) bool {
	w := s.wants.Load()
	if w == nil {
		return false
	}
	_, ok := slices.BinarySearch(w.nodes, node)
	return ok
}

// Wanted returns the nodes that the session's client follows, sorted. Do not change the slice.
func (s *Session) Wanted() []string {
	if w := s.wants.Load(); w != nil {
		return w.nodes
	}
	return nil
}

type wanted struct {
	key   capsKey
	nodes []string // sorted
}

// capsIn returns the capabilities in a presence; zero if it has none.
func capsIn(st *wire.Stanza) capsKey {
	c := st.Element(wire.NSCaps, "c")
	return capsKey{c.Attr("hash"), c.Attr("ver")}
}

// learn finds out which nodes a client follows, from the capabilities in its presence: from memory, or by asking the
// client.
func (h *Host) learn(ctx context.Context, s *Session, st *wire.Stanza) {
	c := st.Element(wire.NSCaps, "c")
	key := capsIn(st)
	if key.ver == "" {
		return
	}
	was := s.wants.Load()
	if was != nil && was.key == key {
		return
	}
	if nodes, ok := h.known.Get(key); ok {
		h.learned(ctx, s, was, &wanted{key, nodes})
		return
	}
	q := &capsQuestion{key: key}
	if !s.asking.CompareAndSwap(nil, q) {
		if open := s.asking.Load(); open != nil && open.key != key {
			open.abandon() // the presence has changed: when the question ends, the new presence is looked at
			return
		} else if open != nil {
			return // only one question at a time
		} else if !s.asking.CompareAndSwap(nil, q) {
			return // another goroutine asked just now
		}
	}
	q.began(h.questions.ask(ctx, func(ctx context.Context) {
		nodes, ok := h.askCaps(ctx, s.JID.Bare(), s.JID, c.Attr("node"), key)
		if ok {
			h.learned(ctx, s, was, &wanted{key, nodes})
		}
		s.asking.Store(nil)
		// The presence may have changed meanwhile. If the client did not answer, the server asks again at its next
		// presence.
		if now, _ := s.Presence(); now != nil && now != st && (ok || q.abandoned() || capsIn(now) != key) {
			h.learn(ctx, s, now)
		}
	}))
}

// capsQuestion is an open question to a client about its capabilities.
type capsQuestion struct {
	key capsKey

	mu     sync.Mutex
	over   bool
	cancel func()
}

func (q *capsQuestion) began(cancel func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.cancel = cancel; q.over {
		cancel()
	}
}

func (q *capsQuestion) abandoned() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.over
}

// abandon ends the question without waiting for its answer.
func (q *capsQuestion) abandon() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over = true; q.cancel != nil {
		q.cancel()
	}
}

func (h *Host) learned(ctx context.Context, s *Session, was, now *wanted) {
	if !s.wants.CompareAndSwap(was, now) || s.closed.Load() {
		return
	}
	s.announce(true)
	added := now.nodes
	if was != nil {
		added = slices.DeleteFunc(slices.Clone(now.nodes), func(n string) bool {
			_, had := slices.BinarySearch(was.nodes, n)
			return had
		})
	}
	if len(added) == 0 {
		return
	}
	for _, f := range h.Features {
		if f.Wants != nil {
			f.Wants(ctx, s, added)
		}
	}
}

// askCaps asks a client for its features. An answer that does not match the hash holds for this client alone.
func (h *Host) askCaps(ctx context.Context, from, to jid.JID, node string, key capsKey) ([]string, bool) {
	if node != "" {
		node += "#" + key.ver
	}
	q := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: "get",
		From: from,
		To:   to,
	}
	answer, err := h.Ask(ctx, q.Add(wire.E(wire.NSDiscoInfo, "query").Set("node", node)), askTimeout)
	if err != nil || answer.Type != "result" {
		return nil, false
	}
	e := answer.Element(wire.NSDiscoInfo, "query")
	if e == nil {
		return nil, false
	}
	nodes := wantedBy(e)
	if sum, ok := capsOf(e, key.hash); ok && sum == key.ver {
		h.known.Put(key, nodes)
	}
	return nodes, true
}

func wantedBy(e *wire.Element) []string {
	var nodes []string
	for _, c := range e.Elements() {
		n, ok := strings.CutSuffix(c.Attr("var"), notify)
		if c.Name.Local == "feature" && ok && len(n) <= maxWantedLen && len(nodes) < maxWanted {
			nodes = append(nodes, strings.Clone(n))
		}
	}
	slices.Sort(nodes)
	return slices.Compact(nodes)
}

// capsOf returns the verification string of a disco#info answer (XEP-0115, section 5.1). It returns false for an
// unknown algorithm, and for an answer that names something twice, which is an attack (section 5.4).
func capsOf(e *wire.Element, algorithm string) (string, bool) {
	var ids, fs, forms []string
	for _, c := range e.Elements() {
		switch c.Name.Local {
		case "identity":
			ids = append(ids, c.Attr("category")+"/"+c.Attr("type")+"/"+lang(c)+"/"+c.Attr("name"))
		case "feature":
			fs = append(fs, c.Attr("var"))
		case "x":
			if f := capsForm(c); !strings.HasPrefix(f, "<") && f != "" {
				forms = append(forms, f)
			}
		}
	}
	for _, l := range [][]string{ids, fs, forms} {
		slices.Sort(l)
		if len(slices.Compact(slices.Clone(l))) != len(l) {
			return "", false
		}
	}
	return capsHash(algorithm, ids, fs, forms)
}

func lang(e *wire.Element) string {
	for _, a := range e.Attrs {
		if a.Name == (wire.Name{Space: wire.NSXML, Local: "lang"}) {
			return a.Value
		}
	}
	return ""
}

// capsHash hashes the sorted parts of a verification string.
func capsHash(algorithm string, ids, features, forms []string) (string, bool) {
	var sum hash.Hash
	switch algorithm {
	case "sha-1":
		sum = sha1.New()
	case "sha-256":
		sum = sha256.New()
	case "sha-512":
		sum = sha512.New()
	default:
		return "", false
	}
	for _, l := range [][]string{ids, features} {
		for _, s := range l {
			sum.Write([]byte(s + "<"))
		}
	}
	for _, f := range forms {
		sum.Write([]byte(f))
	}
	return base64.StdEncoding.EncodeToString(sum.Sum(nil)), true
}
