package server

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/wire"
)

// A person has a burst, then a pace. A person whose stanzas came at that pace is not penalised for a stall of the
// server.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace{perSecond: 1000, burst: 10_000}
		s, start := &share{left: p.burst, at: time.Now(), since: time.Now()}, time.Now()
		take := func(at time.Time, bytes int, pause time.Duration, ok bool) {
			t.Helper()
			if d, is := s.take(p, at, bytes); d.Round(time.Millisecond) != pause || is != ok {
				t.Errorf("a pause of %v, %v; not %v, %v", d, is, pause, ok)
			}
		}
		take(start, 10_000, 0, true)
		time.Sleep(10 * time.Second)
		for i := range 10 { // one came each second, but they are handled together
			take(start.Add(time.Duration(i+1)*time.Second), 1000, 0, true)
		}
		take(time.Now(), 2000, 2*time.Second, true)
		take(time.Now(), 14_000, longestPause, true) // 16 s ahead
		take(time.Now(), 1, longestPause, false)
		time.Sleep(time.Second)
		take(time.Now(), 1, longestPause, true)
		if s.rests(p) {
			t.Error("it is at rest")
		}
		time.Sleep(26 * time.Second)
		if !s.rests(p) {
			t.Error("it is not at rest")
		}
	})
}

// A person's share outlives the sessions; the host keeps no more idle shares than necessary.
func TestSharesAreKept(t *testing.T) {
	h := &Host{
		Limits:   Limits{ArchiveBytesPerSecond: 1, ArchiveBytesBurst: 1000},
		accounts: make(map[string]*Account),
		shares:   make(map[string]*share),
	}
	busy := h.shareLocked("busy")
	busy.take(h.Limits.pace(), time.Time{}, 1000)
	live := h.shareLocked("live")
	h.accounts["live"] = &Account{Name: "live", share: live}
	for i := range 10 * fewShares {
		h.shareLocked(fmt.Sprint(i))
	}
	if h.shareLocked("busy") != busy || h.shareLocked("live") != live {
		t.Error("a share was forgotten that is in use")
	}
	if n := len(h.shares); n > 2*fewShares {
		t.Errorf("%d are kept", n)
	}
	h.dropShare("busy")
	if h.shareLocked("busy") == busy {
		t.Error("a new account goes on with the share of one that was deleted")
	}
}

// Recent writing counts less as time passes.
func TestWrittenLately(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Host{accounts: make(map[string]*Account), shares: make(map[string]*share)}
		h.Wrote("romeo", 1000)
		s := &Session{account: &Account{share: h.shareLocked("romeo")}}
		st, err := wire.ParseStanza([]byte("<message xmlns='jabber:client' type='chat'><body>x</body></message>"),
			wire.Limits{Stanza: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if err := h.checkShare(s, st); err != nil {
			t.Error(err)
		}
		h.Allow(1000)
		if err := h.checkShare(s, st); err == nil {
			t.Error("nothing is refused")
		}
		time.Sleep(halfLife)
		if err := h.checkShare(s, st); err != nil {
			t.Error(err)
		}
		h.Allow(1 << 40)
		if n := testing.AllocsPerRun(100, func() { _ = h.checkShare(s, st) }); n != 0 {
			t.Errorf("it allocates %v times", n)
		}
	})
}
