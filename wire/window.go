package wire

import (
	"bytes"
	"context"
	"sync"
	"time"

	"parley/wire/jid"
)

// The limits of a Window. A stream that reaches one of them is not read until a stanza is handled.
const (
	WindowStanzas = 256
	WindowBytes   = 1 << 20 // of payloads, plus slotCost for each stanza
)

// slotCost is what a stanza under way counts besides its payload, in bytes.
const slotCost = 256

// Window counts the stanzas that one stream has read and that are not handled yet (XEP-0198, section 4). Most are
// handled when the stream's reader has routed them; one that is handed to a queue (a room's inbox, the way to another
// server) is held until whoever has it settles it. What a stream acknowledges is the length of the finished prefix.
//
// Begin, End, Wait, Restart and Resume are for the stream's reader alone; everything else is safe from any goroutine.
// The zero value is ready for use.
type Window struct {
	now   *Stanza // between Begin and End: the stanza that the reader is routing
	nowTo jid.JID // its recipient, as the client wrote it

	mu      sync.Mutex
	first   uint64 // number of the oldest stanza that is not handled; numbers never restart
	next    uint64 // number of the stanza that is read next or is being routed
	handled uint32 // length of the handled prefix, modulo 2^32
	slots   []slot // ring of the stanzas from first on; nil while nothing is under way
	head    int
	n       int
	bytes   int
	moved   chan struct{} // closed when a stanza is settled; nil: nobody waits
	over    func()        // of Follow: called once when its stanza is handled
	routed  bool          // of Follow: its stanza was routed

	// After a resumption: the stanzas under way that the client may send again.
	again []resent
	told  uint32 // the largest number that may be acknowledged meanwhile
}

type slot struct {
	open  int       // holders; 0: handled
	void  bool      // not counted, because the client's count leaves these stanzas out
	until time.Time // when the stream stops waiting for it; zero: never
	sent  resent
}

// resent holds what identifies a stanza that its client sends again.
type resent struct {
	st *Stanza
	to jid.JID
}

// same reports whether st is this stanza, sent again. Clients resend exactly what they sent before.
func (r resent) same(st *Stanza) bool {
	return r.st.Kind == st.Kind && r.st.ID == st.ID && r.to == st.To && bytes.Equal(r.st.Payload, st.Payload)
}

// Receipt is a stanza's place in the window of the stream that it came in on. The zero value belongs to no stream.
type Receipt struct {
	w *Window
	n uint64
}

// Hold keeps the stanza from counting as handled until Settle is called on its Receipt, once for each Hold. Call it
// while the stanza is being routed, or while another Hold is open.
func (st *Stanza) Hold() { st.Receipt.hold(time.Time{}) }

// HoldFor is like Hold, for at most d: afterwards the stanza counts as handled even without Settle. It is for work that
// depends on others.
func (st *Stanza) HoldFor(d time.Duration) {
	if st.Receipt.w != nil {
		st.Receipt.hold(time.Now().Add(d))
	}
}

// Begin numbers a stanza that was just read, before it is routed; End must follow. It returns false for a stanza that
// the client sends again after a resumption while the first copy is under way: then there is nothing to do, and no End.
func (w *Window) Begin(st *Stanza) bool {
	if len(w.again) > 0 && w.recognise(st) {
		return false
	}
	w.now, w.nowTo = st, st.To
	st.Receipt = Receipt{w, w.next}
	return true
}

// End says that the stanza of the last Begin was routed; it is handled unless somebody holds it. full says that the
// caller must Wait before it reads on.
func (w *Window) End() (full bool) {
	st := w.now
	w.now = nil
	w.mu.Lock()
	defer w.mu.Unlock()
	w.routed = true
	if w.n == 0 {
		w.first++
		w.next++
		w.handled++
		return false
	}
	if uint64(w.n) == w.next-w.first { // nobody held it
		w.push(slot{sent: resent{st, w.nowTo}})
	}
	w.next++
	w.advance()
	return w.full()
}

func (w *Window) full() bool { return w.n >= WindowStanzas || w.bytes >= WindowBytes }

// Wait returns true when the window has room, and false if done is closed first.
func (w *Window) Wait(done <-chan struct{}) bool {
	return w.until(done, time.Time{}, func() bool { return !w.full() })
}

// Finished waits until nothing is under way. It returns false if the deadline passes first.
func (w *Window) Finished(deadline time.Time) bool {
	return w.until(nil, deadline, func() bool { return w.n == 0 })
}

// Handled returns how many of the stream's stanzas are handled without a gap since the last Restart, modulo 2^32.
func (w *Window) Handled() uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if len(w.again) > 0 && int32(w.handled-w.told) > 0 {
		return w.told
	}
	return w.handled
}

// Idle reports whether nothing is under way, so that Handled will not change.
func (w *Window) Idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return w.n == 0
}

// Restart counts from zero again. Stanzas that are under way do not count any more.
func (w *Window) Restart() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.n {
		w.at(i).void = true
	}
	w.handled, w.again = 0, nil
}

// Resume returns the number of handled stanzas for the client (XEP-0198, section 5), and prepares for what the client
// sends again.
func (w *Window) Resume() uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	h := w.handled
	if len(w.again) > 0 && int32(h-w.told) > 0 { // the client resumed before and has not sent everything again yet
		h = w.told
	}
	again := w.again
	if len(again) > 0 && h != w.told {
		again = nil
	}
	if again == nil {
		for i := range w.n {
			if s := w.at(i); !s.void {
				again = append(again, s.sent)
			}
		}
	}
	w.again, w.told = again, h
	return h
}

// recognise compares a stanza with the next one that the client may send again. If the client continues with something
// else, its count leaves out the rest, and so does ours.
func (w *Window) recognise(st *Stanza) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.again[0].same(st) {
		w.told++
		if w.again = w.again[1:]; len(w.again) == 0 {
			w.again = nil
		}
		return true
	}
	k := len(w.again) // the last k of what is or was under way
	for i := max(0, w.n-k); i < w.n; i++ {
		w.at(i).void = true
	}
	if int32(w.handled-w.told) > 0 {
		w.handled = w.told
	}
	w.again = nil
	return false
}

func (r Receipt) hold(until time.Time) {
	w := r.w
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.n == w.next && uint64(w.n) == w.next-w.first {
		w.push(slot{open: 1, until: until, sent: resent{w.now, w.nowTo}})
		return
	}
	if s := w.slot(r.n); s != nil {
		s.open++
		if until.IsZero() {
			s.until = until
		}
	}
}

// Settle ends one Hold: the stanza was handled, or its sender got an error.
func (r Receipt) Settle() {
	w := r.w
	if w == nil {
		return
	}
	if done := w.settle(r.n); done != nil {
		done()
	}
}

func (w *Window) settle(n uint64) (done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.slot(n)
	if s == nil || s.open == 0 {
		return nil
	}
	if s.open--; s.open == 0 {
		w.advance()
		w.wake()
	}
	return w.takeOver()
}

// Follow routes a stanza that came on no stream of a client, and calls done once the stanza is handled: route has
// returned, and nobody holds it. done may be called on any goroutine, and must not wait.
func (st *Stanza) Follow(route, done func()) {
	w := &Window{over: done}
	w.Begin(st)
	route()
	w.End()
	w.mu.Lock()
	over := w.takeOver()
	w.mu.Unlock()
	if over != nil {
		over()
	}
}

// takeOver gives what to call if the stanza of Follow is handled, once. w.mu is held.
func (w *Window) takeOver() (done func()) {
	if w.over == nil || !w.routed || w.n > 0 {
		return nil
	}
	done, w.over = w.over, nil
	return done
}

func settle(rs []Receipt) {
	for _, r := range rs {
		r.Settle()
	}
}

// Earlier waits until everything that the stream read before the stanza is handled, except what is on its way to other
// servers. The stanza then sees the effects of what came before (RFC 6120, section 10.1). It returns false if that
// takes longer than 30 seconds, or if ctx ends.
func (r Receipt) Earlier(ctx context.Context) bool {
	w := r.w
	return w == nil || w.until(ctx.Done(), time.Now().Add(earlierTime), func() bool { return w.quietBefore(r.n) })
}

// earlierTime is how long a request waits for what the same client sent before it.
const earlierTime = 30 * time.Second

func (w *Window) quietBefore(n uint64) bool {
	for i := 0; i < w.n && w.first+uint64(i) < n; i++ {
		if s := w.at(i); s.open > 0 && s.until.IsZero() {
			return false
		}
	}
	return true
}

// until waits for ok, which it calls with the lock held. It returns false if done is closed or the deadline, if any,
// passes first.
func (w *Window) until(done <-chan struct{}, deadline time.Time, ok func() bool) bool {
	for {
		w.mu.Lock()
		w.advance()
		if ok() {
			w.mu.Unlock()
			return true
		}
		if w.moved == nil {
			w.moved = make(chan struct{})
		}
		moved, wake := w.moved, w.soonest(deadline)
		w.mu.Unlock()
		var timer *time.Timer
		var timeout <-chan time.Time
		if !wake.IsZero() {
			timer = time.NewTimer(time.Until(wake))
			timeout = timer.C
		}
		select {
		case <-moved:
		case <-timeout:
		case <-done:
			return false
		}
		if timer != nil {
			timer.Stop()
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.advance()
			return ok()
		}
	}
}

// soonest returns when the state changes by itself: at the deadline, or when a timed hold ends.
func (w *Window) soonest(deadline time.Time) time.Time {
	for i := range w.n {
		if s := w.at(i); s.open > 0 && !s.until.IsZero() && (deadline.IsZero() || s.until.Before(deadline)) {
			deadline = s.until
		}
	}
	return deadline
}

func (w *Window) at(i int) *slot { return &w.slots[(w.head+i)%len(w.slots)] }

// slot returns the slot of stanza n, or nil if it has left the window.
func (w *Window) slot(n uint64) *slot {
	if n < w.first || n-w.first >= uint64(w.n) {
		return nil
	}
	return w.at(int(n - w.first))
}

func (w *Window) push(s slot) {
	if w.n == len(w.slots) {
		now := make([]slot, max(4, 2*len(w.slots)))
		for i := range w.n {
			now[i] = *w.at(i)
		}
		w.slots, w.head = now, 0
	}
	w.n++
	*w.at(w.n - 1) = s
	w.bytes += len(s.sent.st.Payload) + slotCost
}

// advance removes the handled stanzas from the front.
func (w *Window) advance() {
	for w.n > 0 && w.first < w.next {
		s := w.at(0)
		if s.open > 0 && (s.until.IsZero() || time.Now().Before(s.until)) {
			return
		}
		w.bytes -= len(s.sent.st.Payload) + slotCost
		if !s.void {
			w.handled++
		}
		*s = slot{}
		w.head = (w.head + 1) % len(w.slots)
		w.n--
		w.first++
	}
	if w.n == 0 && len(w.slots) > 16 {
		w.slots, w.head = nil, 0
	}
}

func (w *Window) wake() {
	if w.moved != nil {
		close(w.moved)
		w.moved = nil
	}
}
