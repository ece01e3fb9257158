package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	"parley/internal/netaddr"
)

// What is guessed at. Each kind is counted by itself: who fails at one is not refused at another.
type What string

const (
	Password  What = "password"  // of an account, at any door
	Code      What = "code"      // of the second step, by somebody who has the password
	APIToken  What = "api"       // a token that there is not
	Invited   What = "invited"   // an invitation that there is not, in a client (XEP-0445)
	Forgotten What = "forgotten" // links for a new password that are asked for
	Accounts  What = "accounts"  // accounts that are made
)

// ThrottleConfig bounds failed authentications. Zero values mean the defaults.
type ThrottleConfig struct {
	PerAccount int           // failures of one account from one address within Window; default 10
	PerAddress int           // failures from one address within Window, for each kind; default 100
	Window     time.Duration // default 10 minutes
	Max        int           // entries kept in memory; default 100,000
	Places     *Places       // where accounts have signed in; nil: those since the start
	Now        func() time.Time
}

const (
	// fromAll is how many times PerAccount an account may fail from all addresses together.
	fromAll = 10
	// spread is how many failures at one account count against the address, until that account has rested for a while. A
	// client with an old password that uses SCRAM fails anew each time: it is one account's, and no search among many.
	spread = 3
	// mark is the time that every refusal takes at an address or an account that is guessed at: it does not show whether
	// the password was looked at, which is done only for who is known there.
	mark = time.Second
)

// Throttle slows down who guesses passwords. An address (IPv6: its /64) that fails too often at one account has to wait. One
// that fails at many accounts, or an account that is guessed at from many addresses, is narrow: only who has signed in to
// the account from there before gets in, with the right password; whatever else comes is answered alike. So nobody shuts
// others out of where they usually are. Safe from any goroutine.
type Throttle struct {
	cfg    ThrottleConfig
	secret [32]byte // makes sums of wrong passwords that are worth nothing elsewhere

	mu sync.Mutex
	m  map[string]*bucket
}

// bucket leaks: within Window as much as it may hold.
type bucket struct {
	level float64
	at    time.Time
	wide  int     // of an account at an address: how many of its failures the address was charged with
	wrong []wrong // passwords that were wrong there, the latest last
}

// wrong is a password that was tried, as a sum.
type wrong struct {
	sum [8]byte
	at  time.Time
}

// NewThrottle makes one.
func NewThrottle(c ThrottleConfig) *Throttle {
	if c.PerAccount <= 0 {
		c.PerAccount = 10
	}
	if c.PerAddress <= 0 {
		c.PerAddress = 100
	}
	if c.Window <= 0 {
		c.Window = 10 * time.Minute
	}
	if c.Max <= 0 {
		c.Max = 100_000
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Places == nil {
		c.Places = NewPlaces(PlacesConfig{})
	}
	t := &Throttle{cfg: c, m: make(map[string]*bucket)}
	rand.Read(t.secret[:])
	return t
}

// rule is one of the limits that an attempt meets.
type rule struct {
	key   string
	limit int
}

func (t *Throttle) byAddress(what What, a netip.Addr) rule {
	return rule{string(what) + " " + netaddr.Key(a).String(), t.cfg.PerAddress}
}

func (t *Throttle) byAccount(what What, account string) rule {
	return rule{string(what) + " @" + account, fromAll * t.cfg.PerAccount}
}

func (t *Throttle) byBoth(what What, a netip.Addr, account string) rule {
	return rule{string(what) + " " + netaddr.Key(a).String() + "|" + account, t.cfg.PerAccount}
}

// leakLocked gives the bucket of a rule as it is now; nil if there is nothing in it.
func (t *Throttle) leakLocked(r rule, now time.Time) *bucket {
	b := t.m[r.key]
	if b == nil {
		return nil
	}
	if b.level -= now.Sub(b.at).Seconds() / t.cfg.Window.Seconds() * float64(r.limit); b.level <= 0 {
		b.level, b.wide = 0, 0
	}
	b.at = now
	for len(b.wrong) > 0 && now.Sub(b.wrong[0].at) > t.cfg.Window {
		b.wrong = b.wrong[1:]
	}
	if b.level == 0 && len(b.wrong) == 0 {
		delete(t.m, r.key)
		return nil
	}
	return b
}

// waitLocked says how long a rule refuses; 0: not at all.
func (t *Throttle) waitLocked(r rule, now time.Time) time.Duration {
	b := t.leakLocked(r, now)
	if b == nil || b.level <= float64(r.limit)-1 {
		return 0
	}
	return time.Duration((b.level - float64(r.limit) + 1) / float64(r.limit) * float64(t.cfg.Window))
}

// addLocked counts a failure.
func (t *Throttle) addLocked(r rule, now time.Time) *bucket {
	b := t.leakLocked(r, now)
	if b == nil {
		if len(t.m) >= t.cfg.Max {
			t.shrinkLocked(now)
		}
		b = &bucket{at: now}
		t.m[r.key] = b
	}
	b.level++
	return b
}

// shrinkLocked makes room: what has leaked away first, then anything.
func (t *Throttle) shrinkLocked(now time.Time) {
	for k, b := range t.m {
		if now.Sub(b.at) > t.cfg.Window {
			delete(t.m, k)
		}
	}
	for k := range t.m {
		if len(t.m) < t.cfg.Max/2 {
			return
		}
		delete(t.m, k)
	}
}

// Wrong counts a secret that there is not, or something else that an address may not do without end. What is right is never
// asked about here: whoever has it is let in whatever others behind the address have done. Gives false, and when to try
// again, if there were too many of the kind from there.
func (t *Throttle) Wrong(a netip.Addr, what What) (ok bool, wait time.Duration) {
	now, r := t.cfg.Now(), t.byAddress(what, a)
	t.mu.Lock()
	defer t.mu.Unlock()
	if wait := t.waitLocked(r, now); wait > 0 {
		return false, wait
	}
	t.addLocked(r, now)
	return true, 0
}

// Room says whether Wrong would say yes, without counting.
func (t *Throttle) Room(a netip.Addr, what What) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waitLocked(t.byAddress(what, a), t.cfg.Now()) == 0
}

// Attempt is one try to show a password or a code of an account. It is for one goroutine. A nil one limits nothing.
type Attempt struct {
	// Wait is when to try again, where it is refused.
	Wait time.Duration
	// Shut says that too many were made here at this account: nothing is looked at.
	Shut bool

	t              *Throttle
	what           What
	a              netip.Addr
	account        string
	began          time.Time
	known          bool // the account has signed in from there
	narrow, lost   bool // only who is known gets in; not even that
	sum            [8]byte
	summed, before bool
}

// Attempt begins one. Whether there is such an account is never asked, and makes no difference.
func (t *Throttle) Attempt(a netip.Addr, what What, account string) *Attempt {
	return t.attempt(a, what, account, false)
}

// Again is Attempt for somebody who has signed in already: others at the address do not matter.
func (t *Throttle) Again(a netip.Addr, what What, account string) *Attempt {
	return t.attempt(a, what, account, true)
}

func (t *Throttle) attempt(a netip.Addr, what What, account string, in bool) *Attempt {
	now := t.cfg.Now()
	x := &Attempt{t: t, what: what, a: a, account: account, began: time.Now(), known: what == Password && t.cfg.Places.Knows(a, account)}
	t.mu.Lock()
	defer t.mu.Unlock()
	x.Wait = t.waitLocked(t.byBoth(what, a, account), now)
	x.Shut = x.Wait > 0
	wait := t.waitLocked(t.byAccount(what, account), now)
	x.lost = wait > 0 && !x.known
	if what == Password && !in { // a code is asked for when the password was right
		w := t.waitLocked(t.byAddress(what, a), now)
		x.lost = x.lost || w > 0 && !x.known
		wait = max(wait, w)
	}
	x.narrow = wait > 0
	x.Wait = max(x.Wait, wait)
	return x
}

// Worth says whether a password is worth comparing with what is kept: not where it is refused in any case, and not if it was
// wrong here a moment ago. What is kept belongs to it: with another password set, nothing is known of this one.
func (x *Attempt) Worth(password string, kept []byte) bool {
	if x == nil {
		return true
	}
	m := hmac.New(sha256.New, x.t.secret[:])
	for _, part := range [][]byte{[]byte(x.account), []byte(password), kept} {
		n := len(part)
		m.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		m.Write(part)
	}
	copy(x.sum[:], m.Sum(nil))
	x.summed, x.before = true, false
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	now := x.t.cfg.Now()
	if b := x.t.leakLocked(x.t.byBoth(x.what, x.a, x.account), now); b != nil {
		for i, w := range b.wrong {
			if w.sum == x.sum { // it goes to the end: it is kept as long as it is tried
				b.wrong = append(append(b.wrong[:i:i], b.wrong[i+1:]...), wrong{x.sum, now})
				x.before = true
				break
			}
		}
	}
	return !x.before && !x.lost
}

// Done notes how it went. Gives whether whoever has tried may come in, and if not, whether to say that there were too many
// attempts: see Hold.
func (x *Attempt) Done(right bool) (in, crowded bool) {
	if x == nil {
		return right, false
	}
	if right && !x.lost {
		if x.what == Password {
			x.t.cfg.Places.Note(x.a, x.account)
		}
		return true, false
	}
	if !x.before { // the same wrong password is one failure
		x.count()
	}
	return false, x.narrow
}

func (x *Attempt) count() {
	t, now := x.t, x.t.cfg.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.addLocked(t.byBoth(x.what, x.a, x.account), now)
	if x.summed {
		if b.wrong = append(b.wrong, wrong{x.sum, now}); len(b.wrong) > t.cfg.PerAccount {
			b.wrong = b.wrong[1:]
		}
	}
	if x.lost { // nothing was told: it is no guess but for this account here, as it would be if it were known
		return
	}
	t.addLocked(t.byAccount(x.what, x.account), now)
	if x.what == Password && !x.known && b.wide < spread {
		b.wide++
		t.addLocked(t.byAddress(x.what, x.a), now)
	}
}

// Hold waits before a crowded refusal is told, so that all of them take the same time.
func (x *Attempt) Hold(ctx context.Context) {
	if x == nil || !x.narrow {
		return
	}
	d := time.NewTimer(mark - time.Since(x.began))
	defer d.Stop()
	select {
	case <-d.C:
	case <-ctx.Done():
	}
}
