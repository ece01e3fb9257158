package c2s

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/slot"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// bound is a session and the way to its client, from binding to its end. It outlives connections (XEP-0198).
type bound struct {
	srv  *Server
	out  *outbound
	smid string // the id for a resumption; "" if the session cannot be resumed

	session *server.Session
	window  wire.Window // counts the client's stanzas; they are acknowledged from <enable/> on

	// These fields belong to the stream that carries the session now; resume hands them on.
	enabled bool
	conn    *wire.Conn
	reader  chan struct{} // closed when that stream's goroutine has ended

	moving slot.Slot // taken while another stream takes the session over
	over   atomic.Bool
	ended  chan struct{} // closed when the session has ended for good
}

// end ends the session for good, with a stream error to the client if why is not nil. It passes the unacknowledged
// stanzas on. When it returns, the session has ended, whoever began that.
func (b *bound) end(why *wire.StreamError) {
	if !b.over.CompareAndSwap(false, true) {
		<-b.ended
		return
	}
	defer close(b.ended)
	b.srv.resume.drop(b)
	left, conn := b.out.kill()
	if conn != nil && why != nil {
		conn.Close(appendStreamError(nil, why), b.footer())
	}
	ctx := context.WithoutCancel(b.srv.ctx)
	b.session.Host.Unbind(ctx, b.session, left...)
}

func (b *bound) footer() []byte {
	if b.session.Info.Transport == "websocket" {
		return wsClose
	}
	return []byte(`</stream:stream>`)
}

// nonza handles elements that are not stanzas on a bound stream: stream management and the client's state. Any other is
// an error.
func (st *stream) nonza(x *wire.Stanza) error {
	if x.Name.Space == nsCSI {
		return st.state(x.Name.Local)
	}
	if x.Name.Space != wire.NSSM {
		return &wire.StreamError{Condition: "unsupported-stanza-type"}
	}
	switch x.Name.Local {
	case "r":
		if !st.bound.enabled {
			return st.smFailed("unexpected-request", nil)
		}
		return st.conn.WriteRaw(appendAck(nil, st.bound.window.Handled()))
	case "a":
		return st.acked(x)
	case "enable":
		return st.enable(x)
	}
	return st.smFailed("unexpected-request", nil)
}

func appendAck(b []byte, h uint32) []byte {
	b = append(b, `<a xmlns='urn:xmpp:sm:3' h='`...)
	b = strconv.AppendUint(b, uint64(h), 10)
	return append(b, `'/>`...)
}

func (st *stream) acked(x *wire.Stanza) error {
	h, err := strconv.ParseUint(x.Attr("h"), 10, 32)
	if err != nil || !st.bound.enabled {
		return st.smFailed("unexpected-request", nil)
	}
	if !st.bound.out.acknowledge(uint32(h)) {
		return st.bound.tooHigh(h)
	}
	return nil
}

// tooHigh returns the error for a client that acknowledges more than it was sent (XEP-0198, section 4).
func (b *bound) tooHigh(h uint64) *wire.StreamError {
	b.out.mu.Lock()
	sent := b.out.sent
	b.out.mu.Unlock()
	return &wire.StreamError{
		Condition: "undefined-condition",
		Text:      "You acknowledged more stanzas than were sent",
		App: wire.E(wire.NSSM, "handled-count-too-high").Set("h", strconv.FormatUint(h, 10)).Set("send-count",
			strconv.FormatUint(uint64(sent), 10)),
	}
}

func (st *stream) smFailed(condition string, h *uint32) error {
	st.send(smFailure(condition, h))
	return nil
}

func smFailure(condition string, h *uint32) *wire.Element {
	e := wire.E(wire.NSSM, "failed", wire.E(wire.NSStanzas, condition))
	if h != nil {
		e.Set("h", strconv.FormatUint(uint64(*h), 10))
	}
	return e
}

func (st *stream) enable(x *wire.Stanza) error {
	b := st.bound
	if b.enabled {
		return st.smFailed("unexpected-request", nil)
	}
	e := b.enable(x.Attr("resume"))
	// The answer goes out before anything that counts.
	b.out.enable(b.smid != "", e.AppendXML(nil, wire.NSClient))
	return nil
}

// enable starts to count the client's stanzas, and returns the answer. Stanzas to the client count from out.enable on.
func (b *bound) enable(resume string) *wire.Element {
	b.enabled = true
	b.window.Restart()
	e := wire.E(wire.NSSM, "enabled")
	if timeout := b.srv.cfg.SM.ResumeTimeout; yes(resume) && timeout > 0 {
		b.smid = newSMID()
		e.Set("id", b.smid).Set("resume", "true").Set("max", strconv.Itoa(int(timeout/time.Second)))
		b.srv.resume.put(b)
		b.session.Set(server.Resumable)
	}
	b.session.Set(server.Acknowledges)
	return e
}

// yes reads an xs:boolean.
func yes(s string) bool { return s == "true" || s == "1" }

func newSMID() string {
	var b [20]byte
	rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func (st *stream) resume(x *wire.Stanza) error {
	failed, err := st.takeOver(x.Attr("previd"),
		x.Attr("h"), func(resumed *wire.Element, _ *bound) *wire.Element { return resumed })
	if failed != nil {
		st.send(failed)
	}
	return err
}

// takeOver resumes a session whose connection is lost, or that its client believes lost (XEP-0198, section 5). hello
// makes what the client gets before the missed stanzas. failed is the answer if the session cannot be resumed.
func (st *stream) takeOver(previd, count string,
	hello func(resumed *wire.Element, b *bound) *wire.Element) (failed *wire.Element, err error) {
	h, err := strconv.ParseUint(count, 10, 32)
	if err != nil || previd == "" {
		return smFailure("bad-request", nil), nil
	}
	who, _ := jid.New(st.user, st.host.Domain, "")
	b, last := st.srv.resume.take(previd, who)
	if b == nil {
		if last == nil {
			return smFailure("item-not-found", nil), nil
		}
		handled := last.count()
		return smFailure("item-not-found", &handled), nil
	}
	// A session is tied to the app password or browser session that it began with; no other credential resumes it.
	if b.session.Info.Credential != st.credential {
		return smFailure("item-not-found", nil), nil
	}
	if err := st.revoked(); err != nil {
		return nil, err
	}
	if !b.release(st.srv.cfg.WriteTimeout) {
		return smFailure("item-not-found", nil), nil
	}
	defer b.moving.Free()
	// the client sends again what is not handled by then, and the server recognises it
	b.window.Finished(time.Now().Add(finishTime))
	handled := b.window.Resume()
	resumed := wire.E(wire.NSSM, "resumed").Set("previd", b.smid).Set("h", strconv.FormatUint(uint64(handled), 10))
	switch err := b.out.attach(st.conn, uint32(h), hello(resumed, b).AppendXML(nil, wire.NSClient)); {
	case errors.Is(err, errTooHigh):
		b.end(nil)
		return nil, b.tooHigh(h)
	case err != nil:
		return smFailure("item-not-found", &handled), nil
	}
	b.conn, b.reader = st.conn, st.done
	st.bound = b
	return nil, nil
}

// release cuts the connection that carries the session, waits until its goroutine has handled what it had read, and
// leaves b.moving taken for the new stream. It returns false if that takes too long or the session is over.
func (b *bound) release(patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(b.srv.ctx, patience)
	defer cancel()
	if b.moving.Take(ctx) != nil {
		return false
	}
	b.conn.Abort(errResumed)
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-b.reader:
		return true
	case <-t.C:
		b.moving.Free()
		return false
	}
}

// finishTime is how long a client that resumes waits for its stanzas under way, so that it sends fewer of them again.
const finishTime = 5 * time.Second

var errResumed = errors.New("c2s: resumed on another connection")

// resumables holds the sessions that can be resumed, and for a while the counts of those that ended.
type resumables struct {
	mu    sync.Mutex
	m     map[string]*bound
	ended map[string]*endedSession
}

type endedSession struct {
	who     jid.JID
	handled uint32
	window  *wire.Window // nil: nothing is under way
	at      time.Time
}

// count returns how many of the client's stanzas were handled. It waits for those under way at the session's end, no
// longer than finishTime.
func (e *endedSession) count() uint32 {
	if e.window == nil {
		return e.handled
	}
	e.window.Finished(time.Now().Add(finishTime))
	return e.window.Handled()
}

const (
	keepEnded = time.Hour
	maxEnded  = 50_000
)

func (r *resumables) put(b *bound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil {
		r.m = make(map[string]*bound)
		r.ended = make(map[string]*endedSession)
	}
	r.m[b.smid] = b
}

func (r *resumables) drop(b *bound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.smid == "" || r.m[b.smid] != b {
		return
	}
	delete(r.m, b.smid)
	if len(r.ended) < maxEnded {
		e := &endedSession{who: b.session.JID.Bare(), handled: b.window.Handled(), at: time.Now()}
		if !b.window.Idle() {
			e.window = &b.window
		}
		r.ended[b.smid] = e
	}
}

// take returns the account's session with this id, or what is known of it if it has ended.
func (r *resumables) take(smid string, who jid.JID) (*bound, *endedSession) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if b := r.m[smid]; b != nil && b.session.JID.Bare() == who {
		return b, nil
	}
	if e := r.ended[smid]; e != nil && e.who == who {
		return nil, e
	}
	return nil, nil
}

func (r *resumables) all() []*bound {
	r.mu.Lock()
	defer r.mu.Unlock()
	var bs []*bound
	for _, b := range r.m {
		bs = append(bs, b)
	}
	return bs
}

// run forgets ended sessions after a while.
func (r *resumables) run(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		r.mu.Lock()
		for id, e := range r.ended {
			if time.Since(e.at) > keepEnded {
				delete(r.ended, id)
			}
		}
		r.mu.Unlock()
	}
}
