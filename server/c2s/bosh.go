package c2s

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"parley/internal/door"
	"parley/wire"
	"parley/wire/jid"
)

// BOSH (XEP-0124, XEP-0206) carries a stream over pairs of HTTP requests and answers, for browsers behind proxies that
// allow nothing else. The stream itself is the same as over TCP.

const (
	nsBOSH  = "http://jabber.org/protocol/httpbind"
	nsXBOSH = "urn:xmpp:xbosh"

	boshInactivity = 60 * time.Second // the longest time that a client may have no open request
	boshPause      = 120 * time.Second
	boshIdle       = 10 * time.Second // the longest wait for the rest of a request's body after sign-in
	boshHold       = 1
	boshRequests   = boshHold + 1 // open at once; also the window of request ids
	boshPolling    = 2            // seconds; announced for clients that poll
)

// bosh is the HTTP handler. It holds the sessions by their ids.
type bosh struct {
	srv    *Server
	secure bool

	mu       sync.Mutex
	sessions map[string]*boshSession
}

// BOSH returns the HTTP handler for BOSH. secure says that a proxy in front of it ends TLS.
func (s *Server) BOSH(secure bool) http.Handler {
	return &bosh{srv: s, secure: secure, sessions: make(map[string]*boshSession)}
}

// ServeHTTP handles one HTTP request of a client.
func (b *bosh) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type")
	h.Set("Access-Control-Max-Age", "86400")
	h.Set("Cache-Control", "no-store")
	switch r.Method {
	case http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
		return
	case http.MethodPost:
	default:
		h.Set("Allow", "POST, OPTIONS")
		http.Error(w, "this is a BOSH endpoint (XEP-0206): send a POST request", http.StatusMethodNotAllowed)
		return
	}
	body, err := b.read(r)
	switch {
	case errors.Is(err, errTooLarge):
		b.terminate(w, "policy-violation")
		return
	case errors.Is(err, door.ErrTooManyBodies):
		http.Error(w, "too many connections", http.StatusServiceUnavailable)
		return
	case err != nil:
		return // the client has gone
	}
	e, err := wire.ParseElement(body, "")
	if err != nil || e.Name != (wire.Name{Space: nsBOSH, Local: "body"}) {
		b.terminate(w, "bad-request")
		return
	}
	rid, err := strconv.ParseInt(e.Attr("rid"), 10, 64)
	if err != nil || rid < 0 || rid >= 1<<53 {
		b.terminate(w, "bad-request")
		return
	}
	if e.Attr("sid") == "" {
		b.create(w, r, e, rid)
		return
	}
	s := b.session(e.Attr("sid"))
	if s == nil {
		b.terminate(w, "item-not-found")
		return
	}
	s.request(w, r, e, rid)
}

var errTooLarge = errors.New("c2s: the request is too large")

// read reads a request's body. Before sign-in it accepts no more than the limit for a stanza at that time, which is
// enough to find the session.
func (b *bosh) read(r *http.Request) ([]byte, error) {
	const around = 4096 // bytes for the <body/> itself
	limit := int64(b.srv.cfg.Unauthenticated.Stanza) + around
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil || int64(len(body)) <= limit {
		return body, err
	}
	more := int64(0)
	if s := b.session(sidOf(body)); s != nil {
		more = int64(s.limits().Stanza) + around - limit
	}
	if more <= 0 {
		return nil, errTooLarge
	}
	door.Allow(r.Context(), boshIdle, time.Minute)
	rest, err := io.ReadAll(io.LimitReader(r.Body, more+1))
	if err == nil && int64(len(rest)) > more {
		err = errTooLarge
	}
	return append(body, rest...), err
}

// sidOf reads the session id from the beginning of a request.
func sidOf(b []byte) string {
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		t, err := d.RawToken()
		if err != nil {
			return ""
		}
		e, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range e.Attr {
			if a.Name.Space == "" && a.Name.Local == "sid" {
				return a.Value
			}
		}
		return ""
	}
}

// session returns the session with this id, or nil.
func (b *bosh) session(sid string) *boshSession {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.sessions[sid]
}

// terminate answers a request that has no session (section 17.2).
func (b *bosh) terminate(w http.ResponseWriter, condition string) {
	writeBody(w, wire.E(nsBOSH, "body").Set("type", "terminate").Set("condition", condition), nil)
}

// writeBody writes a <body/> around serialised elements.
func writeBody(w http.ResponseWriter, body *wire.Element, frames [][]byte) {
	out := append([]byte(nil),
		`<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams' xmlns:xmpp='urn:xmpp:xbosh'`...)
	for _, a := range body.Attrs {
		name := a.Name.Local
		if a.Name.Space == nsXBOSH {
			name = "xmpp:" + name
		}
		out = append(out, " "+name+"='"...)
		out = wire.AppendEscaped(out, a.Value)
		out = append(out, '\'')
	}
	if len(frames) == 0 {
		out = append(out, "/>"...)
	} else {
		out = append(out, '>')
		for _, f := range frames {
			out = append(out, f...)
		}
		out = append(out, "</body>"...)
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out) // a client that has gone asks again
}

// create begins a session (section 7).
func (b *bosh) create(w http.ResponseWriter, r *http.Request, e *wire.Element, rid int64) {
	to, err := jid.Parse(e.Attr("to"))
	switch {
	case e.Attr("to") == "" || err != nil || to.Local() != "" || !to.IsBare():
		b.terminate(w, "improper-addressing")
		return
	case b.srv.cfg.Router.Host(to.Domain()) == nil:
		b.terminate(w, "host-unknown")
		return
	case b.srv.isStopping():
		b.terminate(w, "system-shutdown")
		return
	}
	s := &boshSession{
		b:       b,
		nextID:  rid,
		lim:     b.srv.cfg.Unauthenticated,
		wait:    b.srv.cfg.Quiet,
		hold:    boshHold,
		in:      make(chan boshIn, 16),
		answers: make(map[int64]*boshAnswer),
		secure:  r.TLS != nil || b.secure,
	}
	if n, err := strconv.Atoi(e.Attr("wait")); err == nil && n >= 0 && time.Duration(n)*time.Second < s.wait {
		s.wait = time.Duration(n) * time.Second
	}
	if n, err := strconv.Atoi(e.Attr("hold")); err == nil && n == 0 {
		s.hold = 0
	}
	s.moved = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancel(b.srv.ctx)
	var id [16]byte
	rand.Read(id[:])
	s.id = hex.EncodeToString(id[:])
	nc := &boshConn{s: s, remote: r.RemoteAddr}
	st := b.srv.newStream(nc)
	if st == nil {
		b.terminate(w, "policy-violation")
		return
	}
	s.st, st.secure, st.t = st, s.secure, s
	cfg := b.srv.connConfig()
	cfg.WriteFrame = s.write
	st.use(wire.NewConn(nc, cfg))
	b.mu.Lock()
	b.sessions[s.id] = s
	b.mu.Unlock()
	_ = nc.SetReadDeadline(time.Now().Add(b.srv.cfg.AuthTimeout))
	b.srv.wg.Go(func() {
		defer st.finish()
		st.serve()
	})
	s.request(w, r, e, rid)
}

func (b *bosh) drop(s *boshSession) {
	b.mu.Lock()
	delete(b.sessions, s.id)
	b.mu.Unlock()
}

// errGone is the end of a session whose client had no open request for too long.
var errGone = errors.New("c2s: the BOSH client stopped sending requests")
