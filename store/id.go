package store

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"parley/internal/clock"
)

// ID names an archived message for ever. The upper 51 bits are microseconds since 2020, the lower 12 bits tell nodes
// and messages of the same moment apart. The IDs of one node rise strictly.
type ID int64

// Epoch is the time of ID 0.
var Epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// String gives 13 characters of Crockford base32, which sort as the numbers do.
func (id ID) String() string {
	var b [13]byte
	v := uint64(id)
	for i := 12; i >= 0; i-- {
		b[i] = alphabet[v&31]
		v >>= 5
	}
	return string(b[:])
}

// ErrID is returned by ParseID for a text that String cannot have produced.
var ErrID = errors.New("store: malformed id")

// ParseID reads a text produced by String; ErrID for any other text.
func ParseID(s string) (ID, error) {
	if len(s) != 13 {
		return 0, ErrID
	}
	var v uint64
	for i := 0; i < 13; i++ {
		d := digits[s[i]]
		if d < 0 {
			return 0, ErrID
		}
		if i == 0 && d > 7 { // 63 bits
			return 0, ErrID
		}
		v = v<<5 | uint64(d)
	}
	return ID(v), nil
}

var digits = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i := 0; i < len(alphabet); i++ {
		t[alphabet[i]] = int8(i)
	}
	return t
}()

// Time gives the moment the ID was made, in UTC.
func (id ID) Time() time.Time { return Epoch.Add(time.Duration(id>>12) * time.Microsecond) }

// FirstID gives the smallest ID of a moment; 0 before 2020, and the greatest ID after 2091.
func FirstID(t time.Time) ID {
	d := t.Sub(Epoch)
	if d < 0 {
		return 0
	}
	if us := d / time.Microsecond; us < 1<<51 {
		return ID(us) << 12
	}
	return math.MaxInt64
}

// IDs makes IDs, one for each node. The zero value is ready. Safe from any goroutine.
type IDs struct {
	Clock clock.Clock // to be set before the first ID is made
	last  atomic.Int64
	salt  atomic.Int64 // 12 bits of this node, +1 so that 0 means not chosen yet
}

// Begin makes every later ID greater than id, the highest that is kept. Otherwise a clock that was set back would give
// new messages IDs below those that clients know, and clients would never ask for them.
func (g *IDs) Begin(id ID) {
	for last := g.last.Load(); last < int64(id) && !g.last.CompareAndSwap(last, int64(id)); last = g.last.Load() {
	}
}

// Now gives the clock's time or, if the clock is behind, the time of the newest ID. Use it to compare with IDs.
func (g *IDs) Now() time.Time {
	now, last := g.Clock.Now(), ID(g.last.Load()).Time()
	if last.After(now) {
		return last
	}
	return now
}

// Behind gives how far the clock is behind the newest ID; 0 if it is not.
func (g *IDs) Behind() time.Duration { return max(0, ID(g.last.Load()).Time().Sub(g.Clock.Now())) }

// behindAtMost is how far the clock may be behind the newest id without a warning: after a crash ids begin up to a
// second ahead.
const behindAtMost = 3 * time.Second

// CheckClock returns an error if the clock has been set back, or messages were stored by a clock that was ahead: if it
// is more than 3 seconds behind the newest ID.
func (g *IDs) CheckClock() error {
	d := g.Behind()
	if d <= behindAtMost {
		return nil
	}
	return fmt.Errorf("the clock is %v behind the newest message: until it catches up, new ones are dated "+
		"after that one", d.Round(time.Second))
}

// Next gives an ID greater than every one it gave before. Safe from any goroutine.
func (g *IDs) Next() ID {
	salt := g.salt.Load()
	if salt == 0 {
		var b [2]byte
		rand.Read(b[:])
		g.salt.CompareAndSwap(0, int64(binary.BigEndian.Uint16(b[:])&0xfff)+1)
		salt = g.salt.Load()
	}
	for {
		last := g.last.Load()
		next := int64(FirstID(g.Clock.Now())) | (salt - 1)
		if next <= last {
			next = last + 1<<12
		}
		if g.last.CompareAndSwap(last, next) {
			return ID(next)
		}
	}
}
