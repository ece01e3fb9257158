package server

import (
	"math"
	"sync"
	"time"

	"parley/wire"
)

// entryCost is what an entry of an archive is counted for besides the stanza's payload, in bytes.
const entryCost = 256

// How a stream is slowed whose person is ahead of their pace.
const (
	longestPause = 5 * time.Second  // after one stanza: pings and acknowledgements behind it are answered in time
	farAhead     = 15 * time.Second // one who is more ahead than this is refused what they send
)

// pace is how fast one person may fill archives; a zero rate is no limit.
type pace struct{ perSecond, burst float64 }

func (l *Limits) pace() pace {
	return pace{float64(l.ArchiveBytesPerSecond), float64(l.ArchiveBytesBurst)}
}

// share is what one person puts into archives: their own, those of the people they write to, those of rooms.
type share struct {
	mu   sync.Mutex
	left float64 // bytes that may come at once; negative: the person is ahead of their pace
	at   time.Time

	lately float64   // bytes: of what came halfLife before, half is counted
	since  time.Time // when lately was last brought down
}

// halfLife is how long what somebody has written counts for them, while there is little room for what others write.
const halfLife = 12 * time.Hour

// take counts a stanza of so many bytes, by when it was received (see Pace), and gives how long the stream that it came on
// is not to be read from. It is false, and nothing is counted, if the person is too far ahead.
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

// wrote adds to what was written lately, and gives it.
func (s *share) wrote(bytes int64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wroteLocked(time.Now(), float64(bytes))
	return s.lately
}

// littleWritten is so little that it may be forgotten.
const littleWritten = 64 << 10

// rests says that forgetting the share changes next to nothing.
func (s *share) rests(p pace) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wroteLocked(time.Now(), 0)
	return s.left+p.perSecond*time.Since(s.at).Seconds() >= p.burst && s.lately < littleWritten
}

// fewShares is how many are kept without looking whether they are at rest.
const fewShares = 1000

// shareLocked gives an account's share. It outlives the account's sessions.
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

var errTooMuch = WithText(ResourceConstraint, "you are sending more than the server keeps of one person in so short a time: wait a minute")

var errNoRoom = WithText(ResourceConstraint, "the server's disk is nearly full: it keeps what others write first, since you have written much lately. Its administrators have to make room")

// Allow bounds what each person may have written lately, in bytes, while there is hardly any room to keep it; 0: no bound.
func (h *Host) Allow(bytes int64) { h.allowed.Store(bytes) }

// Wrote adds to what a person has written lately.
func (h *Host) Wrote(account string, bytes int64) {
	h.mu.Lock()
	s := h.shareLocked(account)
	h.mu.Unlock()
	s.wrote(bytes)
}

// checkShare bounds how fast a person fills archives, with however many clients: the client is read from more slowly, and
// one who is far ahead all the same is refused.
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

// Pause gives for how long the session's client is not to be read from, once: its person sends more than may be kept.
func (s *Session) Pause() time.Duration {
	if s.pause.Load() == 0 {
		return 0
	}
	return time.Duration(s.pause.Swap(0))
}
