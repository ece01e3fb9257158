package wire

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"parley/wire/jid"
)

func message(id string, size int) *Stanza {
	return &Stanza{Kind: Message, ID: id, To: jid.MustParse("room@groups.example.org"), Payload: make([]byte, size)}
}

// enter puts a stanza into a window. held says whether somebody holds it.
func enter(t *testing.T, w *Window, st *Stanza, held bool) (full bool) {
	t.Helper()
	if !w.Begin(st) {
		t.Fatalf("%s is taken for one that was sent before", st.ID)
	}
	if held {
		st.Hold()
	}
	return w.End()
}

// The acknowledged number is the handled prefix, in whatever order stanzas are held and settled.
func TestWindowCountsPrefix(t *testing.T) {
	for range 2000 {
		var w Window
		var open []int // indexes of the stanzas that are held
		var sts []*Stanza
		done := make(map[int]bool)
		for range rand.IntN(80) {
			if len(open) > 0 && rand.IntN(2) == 0 {
				k := rand.IntN(len(open))
				sts[open[k]].Receipt.Settle()
				done[open[k]] = true
				open = append(open[:k], open[k+1:]...)
			} else {
				st := message(fmt.Sprint(len(sts)), rand.IntN(100))
				held := rand.IntN(3) > 0
				if held {
					open = append(open, len(sts))
				} else {
					done[len(sts)] = true
				}
				sts = append(sts, st)
				enter(t, &w, st, held)
			}
			want := 0
			for done[want] {
				want++
			}
			if got := w.Handled(); got != uint32(want) {
				t.Fatalf("%d are handled, not %d", got, want)
			}
			if w.Idle() != (len(open) == 0) {
				t.Fatalf("idle is %v with %d under way", w.Idle(), len(open))
			}
		}
		if len(open) == 0 && (w.bytes != 0 || w.n != 0) {
			t.Fatalf("%d bytes of %d stanzas are kept for nothing", w.bytes, w.n)
		}
	}
}

// Settling before the reader has returned, or holding twice, changes nothing.
func TestWindowHolds(t *testing.T) {
	var w Window
	st := message("a", 10)
	w.Begin(st)
	st.Hold()
	st.Receipt.Settle()
	if h := w.Handled(); h != 0 {
		t.Errorf("%d handled while the reader is at it", h)
	}
	w.End()
	if h := w.Handled(); h != 1 {
		t.Errorf("%d handled", h)
	}
	st = message("b", 10)
	w.Begin(st)
	st.Hold()
	st.Hold()
	w.End()
	st.Receipt.Settle()
	if h := w.Handled(); h != 1 {
		t.Errorf("%d handled though somebody holds it", h)
	}
	st.Receipt.Settle()
	if h := w.Handled(); h != 2 {
		t.Errorf("%d handled", h)
	}
	st.Receipt.Settle() // once too often
	if c := st.Copy(); c.Receipt != (Receipt{}) {
		t.Error("a copy belongs to the stream")
	}
}

func TestWindowIsFull(t *testing.T) {
	for name, size := range map[string]int{"stanzas": 0, "bytes": WindowBytes / 20} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var w Window
				var sts []*Stanza
				for n := 0; ; n++ {
					sts = append(sts, message(fmt.Sprint(n), size))
					if enter(t, &w, sts[n], true) {
						break
					}
				}
				if most := WindowStanzas; size == 0 && len(sts) != most || size > 0 && len(sts) > 20 {
					t.Fatalf("%d stanzas were let in", len(sts))
				}
				waited := make(chan bool)
				go func() { waited <- w.Wait(nil) }()
				synctest.Wait()
				select {
				case <-waited:
					t.Fatal("more is read though the window is full")
				default:
				}
				sts[1].Receipt.Settle() // not the first
				synctest.Wait()
				select {
				case <-waited:
					t.Fatal("more is read though the prefix has not moved")
				default:
				}
				sts[0].Receipt.Settle()
				if !<-waited {
					t.Error("nothing more is read")
				}
				done := make(chan struct{})
				for n := 0; !enter(t, &w, message(fmt.Sprint("more", n), size), true); n++ {
				}
				go func() { waited <- w.Wait(done) }()
				close(done)
				if <-waited {
					t.Error("a stream that has ended reads on")
				}
			})
		})
	}
}

// A server that does not answer delays acknowledgements but does not stop them.
func TestWindowHoldsForATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Window
		slow, room := message("slow", 1), message("room", 1)
		w.Begin(slow)
		slow.HoldFor(10 * time.Second)
		w.End()
		enter(t, &w, room, true)
		next := message("next", 1)
		w.Begin(next)
		go func() {
			time.Sleep(time.Second)
			room.Receipt.Settle()
		}()
		start := time.Now()
		if !next.Receipt.Earlier(context.Background()) || time.Since(start) != time.Second {
			t.Errorf("a request waited for %v, not for the room alone", time.Since(start))
		}
		w.End()
		if h := w.Handled(); h != 0 {
			t.Errorf("%d handled", h)
		}
		if !w.Finished(time.Now().Add(time.Minute)) || time.Since(start) != 10*time.Second {
			t.Errorf("finished after %v", time.Since(start))
		}
		if h := w.Handled(); h != 3 {
			t.Errorf("%d handled", h)
		}
		slow.Receipt.Settle() // the answer comes all the same
		if h := w.Handled(); h != 3 {
			t.Errorf("%d handled", h)
		}
	})
}

func TestWindowFinishedGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var w Window
		enter(t, &w, message("a", 1), true)
		start := time.Now()
		if w.Finished(start.Add(5*time.Second)) || time.Since(start) != 5*time.Second {
			t.Errorf("gave up after %v", time.Since(start))
		}
	})
}

// After a resumption, a stanza that is sent again while it is under way is handled once and counted once.
func TestWindowResumes(t *testing.T) {
	var w Window
	var sts []*Stanza
	for n := range 6 {
		sts = append(sts, message(fmt.Sprint(n), 5))
		enter(t, &w, sts[n], n >= 2)
	}
	sts[4].Receipt.Settle()
	if h := w.Resume(); h != 2 {
		t.Fatalf("resumed at %d", h)
	}
	for n := 2; n < 5; n++ {
		if w.Begin(message(fmt.Sprint(n), 5)) {
			t.Fatalf("%d is done twice", n)
		}
	}
	for n := range 6 {
		sts[n].Receipt.Settle()
	}
	if h := w.Handled(); h != 5 {
		t.Errorf("%d handled; the client has not sent the sixth again yet", h)
	}
	if w.Begin(message("5", 5)) {
		t.Error("the sixth is done twice")
	}
	if h := w.Handled(); h != 6 {
		t.Errorf("%d handled", h)
	}
	enter(t, &w, message("6", 5), false)
	if h := w.Handled(); h != 7 {
		t.Errorf("%d handled", h)
	}
}

// A client that resumes and does not resend its stanzas counts without them.
func TestWindowResumesWithSomethingElse(t *testing.T) {
	for settled := range 4 {
		var w Window
		var sts []*Stanza
		for n := range 5 {
			sts = append(sts, message(fmt.Sprint(n), 5))
			enter(t, &w, sts[n], n >= 2)
		}
		if h := w.Resume(); h != 2 {
			t.Fatalf("resumed at %d", h)
		}
		if w.Begin(message("2", 5)) {
			t.Fatal("the third is done twice")
		}
		for n := 2; n < 2+settled && n < 5; n++ {
			sts[n].Receipt.Settle()
		}
		other := message("other", 5)
		enter(t, &w, other, true)
		for _, st := range sts {
			st.Receipt.Settle()
		}
		if h := w.Handled(); h != 3 {
			t.Errorf("%d settled: %d handled, of three that the client has sent before the last", settled, h)
		}
		other.Receipt.Settle()
		if h := w.Handled(); h != 4 || !w.Idle() {
			t.Errorf("%d settled: %d handled", settled, h)
		}
	}
}

// A second resumption while the first is not through.
func TestWindowResumesTwice(t *testing.T) {
	var w Window
	var sts []*Stanza
	for n := range 4 {
		sts = append(sts, message(fmt.Sprint(n), 5))
		enter(t, &w, sts[n], true)
	}
	w.Resume()
	if w.Begin(message("0", 5)) {
		t.Fatal("done twice")
	}
	if h := w.Resume(); h != 0 {
		t.Fatalf("resumed at %d though nothing is handled", h)
	}
	sts[0].Receipt.Settle()
	sts[1].Receipt.Settle()
	for n := range 4 {
		if w.Begin(message(fmt.Sprint(n), 5)) {
			t.Fatalf("%d is done twice", n)
		}
	}
	sts[2].Receipt.Settle()
	sts[3].Receipt.Settle()
	if h := w.Handled(); h != 4 || !w.Idle() {
		t.Errorf("%d handled", h)
	}
}

func TestWindowRestarts(t *testing.T) {
	var w Window
	early := message("early", 1)
	enter(t, &w, message("0", 1), false)
	enter(t, &w, early, true)
	w.Restart()
	enter(t, &w, message("1", 1), false)
	early.Receipt.Settle()
	if h := w.Handled(); h != 1 {
		t.Errorf("%d handled since then", h)
	}
}

// A stanza that is given to a connection counts when it is written or cannot be.
func TestSendHeld(t *testing.T) {
	r := &recorder{}
	r.gate.Lock()
	c := NewConn(r, ConnConfig{})
	var w Window
	send := func(id string) error {
		st := message(id, 0)
		w.Begin(st)
		defer w.End()
		return c.SendHeld(st, st.To, time.Hour)
	}
	if err := send("a"); err != nil {
		t.Fatal(err)
	}
	if h := w.Handled(); h != 0 {
		t.Errorf("%d handled before anything is written", h)
	}
	r.gate.Unlock()
	if !w.Finished(time.Now().Add(time.Minute)) {
		t.Error("what is written is not handled")
	}
	r.gate.Lock()
	if send("b") != nil || send("c") != nil {
		t.Fatal("the connection takes nothing")
	}
	c.Abort(ErrClosed)
	r.gate.Unlock()
	if !w.Finished(time.Now().Add(time.Minute)) {
		t.Error("what cannot be written is still waited for")
	}
	if err := send("d"); err == nil || w.Handled() != 4 {
		t.Errorf("%v, %d handled", err, w.Handled())
	}
}
