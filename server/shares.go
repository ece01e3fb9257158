package server

import (
	"context"
	"math"
	"sync"
	"time"

	"parley/store"
	"parley/wire"
)

// entryCost is what an archive entry counts besides the stanza's payload, in bytes.
const entryCost = 256

// How a stream is slowed when its person exceeds their pace.
const (
	// after one stanza: pings and acknowledgements behind it still get their answers in time
	longestPause = 5 * time.Second
	farAhead     = 15 * time.Second // somebody further ahead than this is refused
)

// pace is how fast one person may fill archives; a zero rate means no limit.
type pace struct{ perSecond, burst float64 }

func (l *Limits) pace() pace {
	return pace{float64(l.ArchiveBytesPerSecond), float64(l.ArchiveBytesBurst)}
}

// share counts what one person adds to archives: their own, those of the people they write to, and those of rooms.
type share struct {
	mu   sync.Mutex
	left float64 // bytes that may come at once; negative: the person is ahead of their pace
	at   time.Time

	lately float64   // bytes written lately; those of halfLife ago count half
	since  time.Time // when lately was last reduced
}

// halfLife is how long a person's writing counts against them while the disk is nearly full.
const halfLife = 12 * time.Hour

// take counts a stanza of this many bytes, by the time it was received (see Pace). It returns for how long the server
// stops reading the stream that brought it. It returns false, and counts nothing, if the person is too far ahead.
func (s *share) take(p pace, at time.Time, bytes int) (pause time.Duration, ok bool) {
	if at.IsZero() {
		at = time.Now()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.After(s.at) {
		s.left = min(p.burst, s.left+p.perSecond*at.Sub(s.at).Seconds())
		s.at = at
	}
	if p.perSecond <= 0 {
		s.wroteLocked(at, float64(bytes))
		return 0, true
	}
	if ok = -s.left <= p.perSecond*farAhead.Seconds(); ok {
		s.left -= float64(bytes)
		s.wroteLocked(at, float64(bytes))
	}
	if s.left >= 0 {
		return 0, ok
	}
	behind := time.Duration(-s.left / p.perSecond * float64(time.Second))
	return min(max(behind-time.Since(s.at), 0), longestPause), ok
}

func (s *share) wroteLocked(at time.Time, bytes float64) {
	if d := at.Sub(s.since); d > time.Minute {
		s.lately *= math.Exp2(-float64(d) / float64(halfLife))
		s.since = at
	}
	s.lately += bytes
}

// wrote adds to what the person wrote lately, and returns the sum.
func (s *share) wrote(bytes int64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wroteLocked(time.Now(), float64(bytes))
	return s.lately
}

// littleWritten is an amount that may be forgotten, in bytes.
const littleWritten = 64 << 10

// rests reports whether forgetting the share would change next to nothing.
func (s *share) rests(p pace) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wroteLocked(time.Now(), 0)
	return s.left+p.perSecond*time.Since(s.at).Seconds() >= p.burst && s.lately < littleWritten
}

// fewShares is how many shares are kept without looking for those at rest.
const fewShares = 1000

// shareLocked returns an account's share, which outlives the account's sessions.
func (h *Host) shareLocked(account string) *share {
	if s := h.shares[account]; s != nil {
		return s
	}
	p := h.Limits.pace()
	if len(h.shares) >= max(h.manyShares, fewShares) {
		for name, s := range h.shares {
			if h.accounts[name] == nil && s.rests(p) {
				delete(h.shares, name)
			}
		}
		h.manyShares = 2 * len(h.shares)
	}
	s := &share{left: p.burst, at: time.Now(), since: time.Now()}
	h.shares[account] = s
	return s
}

func (h *Host) dropShare(account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.shares, account)
}

var errTooMuch = WithText(ResourceConstraint,
	"you are sending faster than the server stores messages of one person: wait a minute")

var errNoRoom = WithText(ResourceConstraint,
	"the server's disk is nearly full, and you have written much lately: others' messages come first until its "+
		"administrators make room")

// Allow limits what each person may write while the disk is nearly full: bytes is the limit for what they wrote lately;
// 0 removes it.
func (h *Host) Allow(bytes int64) { h.allowed.Store(bytes) }

// Wrote adds to what a person wrote lately.
func (h *Host) Wrote(account string, bytes int64) {
	h.mu.Lock()
	s := h.shareLocked(account)
	h.mu.Unlock()
	s.wrote(bytes)
}

// checkShare limits how fast a person fills archives, with any number of clients: the server reads their client more
// slowly, and refuses the stanza if they are still too far ahead.
func (h *Host) checkShare(s *Session, st *wire.Stanza) error {
	if st.Type == "error" || st.Type == "headline" || !Meaningful(st) {
		return nil
	}
	share := s.account.share
	if allowed := h.allowed.Load(); allowed > 0 && share.wrote(0) > float64(allowed) {
		return errNoRoom
	}
	pause, ok := share.take(h.Limits.pace(), st.At, len(st.Payload)+entryCost)
	if pause > 0 {
		s.pause.Store(int64(pause))
	}
	if !ok {
		return errTooMuch
	}
	return nil
}

// Pause returns, once, for how long the server must not read from the session's client because its person sends too
// much.
func (s *Session) Pause() time.Duration {
	if s.pause.Load() == 0 {
		return 0
	}
	return time.Duration(s.pause.Swap(0))
}

// Writings tells what accounts have written before.
type Writings interface {
	Written(ctx context.Context, host, rooms string, since, until store.ID,
		tell func(account string, bytes int64)) error
}

// CountWritten counts what people wrote in the day before the server began, which it does not remember. rooms is the
// domain of the rooms of the host.
func (h *Host) CountWritten(ctx context.Context, st Writings, rooms string, began time.Time) {
	since, until := store.FirstID(began.Add(-24*time.Hour)), store.FirstID(began)
	err := st.Written(ctx, h.Domain, rooms, since, until, h.Wrote)
	if err != nil && ctx.Err() == nil {
		h.Log.Error("cannot count what people wrote lately", "err", err)
	}
}
