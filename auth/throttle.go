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

// What is a kind of secret that somebody may guess. Each kind is counted separately: failures at one do not affect
// another.
type What string

const (
	Password  What = "password"  // of an account, anywhere
	Code      What = "code"      // of the second step, by somebody who has the password
	APIToken  What = "api"       // an unknown API token
	Invited   What = "invited"   // an unknown invitation, in a client (XEP-0445)
	Forgotten What = "forgotten" // requests for links to set a new password
	Accounts  What = "accounts"  // new accounts
)

// ThrottleConfig holds the limits on failed authentications. Zero values mean the defaults.
type ThrottleConfig struct {
	PerAccount int           // failures at one account from one address within Window; 0: 10
	PerAddress int           // failures from one address within Window, for each kind; 0: 100
	Window     time.Duration // 0: 10 minutes
	Max        int           // entries kept in memory; 0: 100,000
	Places     *Places       // where accounts have signed in; nil: remembered since the start only
	Now        func() time.Time
}

const (
	// fromAll is how many times PerAccount an account may fail from all addresses together.
	fromAll = 10
	// spread is how many failures at one account count against the address, until the account has had a pause. A client
	// that uses SCRAM with an old password fails again and again, but at one account: that is no search among many.
	spread = 3
	// mark is the time that every refusal takes at an address or an account under attack. The time thus does not reveal
	// whether the password was checked, which is done only for accounts that are known there.
	mark = time.Second
)

// Throttle slows down password guessing. An address (or the /64 of an IPv6 address) that fails too often at one account
// must wait. An address that fails at many accounts, and an account that is attacked from many addresses, becomes
// narrow: only somebody who has signed in to the account from there before gets in, with the right password; everybody
// else gets the same answer. So nobody can shut others out of their usual places. It is safe from any goroutine.
type Throttle struct {
	cfg    ThrottleConfig
	secret [32]byte // for hashes of wrong passwords that are worthless elsewhere

	mu sync.Mutex
	m  map[string]*bucket
}

// bucket is a leaky bucket: its capacity leaks within one Window.
type bucket struct {
	level float64
	at    time.Time
	wide  int     // of an account at an address: how many of its failures count against the address
	wrong []wrong // the wrong passwords, the latest last
}

// wrong is a wrong password, as a hash.
type wrong struct {
	sum [8]byte
	at  time.Time
}

// NewThrottle returns a Throttle without failures.
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

// rule is one of the limits for an attempt.
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

// leakLocked returns the current bucket of a rule, or nil if it is empty.
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

// waitLocked returns for how long a rule refuses; 0 if it does not.
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

// shrinkLocked makes room: first it drops empty buckets, then any others.
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

// Wrong counts an unknown secret, or another thing that an address may not do without limit. Do not call it for a
// correct secret, which must work whatever others at the address have done. It returns false and how long to wait if
// there were too many of the kind from there.
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

// Room reports whether Wrong would return true, without counting.
func (t *Throttle) Room(a netip.Addr, what What) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.waitLocked(t.byAddress(what, a), t.cfg.Now()) == 0
}

// Attempt is one try at a password or a code of an account. Only one goroutine may use it. A nil Attempt has no limits.
type Attempt struct {
	// Wait is how long the client must wait after a refusal.
	Wait time.Duration
	// Shut says that there were too many tries at this account from here: the password is not looked at.
	Shut bool

	t              *Throttle
	what           What
	a              netip.Addr
	account        string
	began          time.Time
	known          bool // the account has signed in from there
	narrow, lost   bool // narrow: only known places get in; lost: not even those
	sum            [8]byte
	summed, before bool
}

// Attempt begins a try. It does not ask whether the account exists, and behaves the same in either case.
func (t *Throttle) Attempt(a netip.Addr, what What, account string) *Attempt {
	return t.attempt(a, what, account, false)
}

// Again is Attempt for somebody who is already signed in: failures of others at the address do not matter.
func (t *Throttle) Again(a netip.Addr, what What, account string) *Attempt {
	return t.attempt(a, what, account, true)
}

func (t *Throttle) attempt(a netip.Addr, what What, account string, in bool) *Attempt {
	now := t.cfg.Now()
	x := &Attempt{
		t:       t,
		what:    what,
		a:       a,
		account: account,
		began:   time.Now(),
		known:   what == Password && t.cfg.Places.Knows(a, account),
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	x.Wait = t.waitLocked(t.byBoth(what, a, account), now)
	x.Shut = x.Wait > 0
	wait := t.waitLocked(t.byAccount(what, account), now)
	x.lost = wait > 0 && !x.known
	if what == Password && !in { // a code is only asked for after the right password
		w := t.waitLocked(t.byAddress(what, a), now)
		x.lost = x.lost || w > 0 && !x.known
		wait = max(wait, w)
	}
	x.narrow = wait > 0
	x.Wait = max(x.Wait, wait)
	return x
}

// Worth reports whether a password should be compared with kept, the stored form. It should not if it is refused in any
// case, or was wrong here a moment ago. If kept has changed since, the earlier result does not count.
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
			if w.sum == x.sum { // it moves to the end: it is kept as long as it is tried
				b.wrong = append(append(b.wrong[:i:i], b.wrong[i+1:]...), wrong{x.sum, now})
				x.before = true
				break
			}
		}
	}
	return !x.before && !x.lost
}

// Done notes the outcome. in says whether the user may come in. If not, crowded says whether to report too many
// attempts; call Hold first.
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
	if !x.before { // repeats of the same wrong password are one failure
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
	// the answer revealed nothing, so this counts only against the account from here, as it would for a known place
	if x.lost {
		return
	}
	t.addLocked(t.byAccount(x.what, x.account), now)
	if x.what == Password && !x.known && b.wide < spread {
		b.wide++
		t.addLocked(t.byAddress(x.what, x.a), now)
	}
}

// Hold waits before a crowded refusal, so that all of them take the same time. It returns early if ctx ends.
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
