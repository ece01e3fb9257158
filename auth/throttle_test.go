package auth

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// ticked is a time that tests set.
type ticked struct{ now time.Time }

func (c *ticked) throttle(account, address int) *Throttle {
	get := func() time.Time { return c.now }
	return NewThrottle(ThrottleConfig{
		PerAccount: account,
		PerAddress: address,
		Window:     time.Minute,
		Now:        get,
		Places:     NewPlaces(PlacesConfig{Clock: get}),
	})
}

// try tries a password: "in", "wrong", "shut" (the password is not looked at), "crowded" (refused or not looked at
// because of others).
func try(t *Throttle, a, account, password string) string {
	at := t.Attempt(netip.MustParseAddr(a), Password, account)
	if at.Shut {
		return "shut"
	}
	right := at.Worth(password, nil) && password == "right"
	switch in, crowded := at.Done(right); {
	case in:
		return "in"
	case crowded:
		return "crowded"
	}
	return "wrong"
}

func TestThrottleOfOneAccount(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	th := c.throttle(3, 50)
	for i := range 3 {
		if got := try(th, "192.0.2.1", "romeo", fmt.Sprint(i)); got != "wrong" {
			t.Fatalf("try %d: %s", i, got)
		}
	}
	at := th.Attempt(netip.MustParseAddr("192.0.2.1"), Password, "romeo")
	if !at.Shut || at.Wait <= 0 || at.Wait > time.Minute {
		t.Errorf("a fourth guess: %+v", at)
	}
	for _, other := range [][2]string{{"192.0.2.1", "juliet"}, {"192.0.2.2", "romeo"}} {
		if got := try(th, other[0], other[1], "right"); got != "in" {
			t.Errorf("%v: %s", other, got)
		}
	}
	if c.now = c.now.Add(2 * time.Minute); try(th, "192.0.2.1", "romeo", "right") != "in" {
		t.Error("still shut when the window has passed")
	}
}

// The same wrong password, repeated, is one failure, and is not checked again.
func TestThrottleOfTheSamePassword(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	th := c.throttle(3, 5)
	for account := range 4 { // four clients that have an old password
		for range 100 {
			if got := try(th, "192.0.2.1", fmt.Sprint("stale", account), "old"); got != "wrong" {
				t.Fatal(got)
			}
			c.now = c.now.Add(time.Second / 100)
		}
	}
	if got := try(th, "192.0.2.1", "romeo", "right"); got != "in" {
		t.Errorf("somebody else behind the address: %s", got)
	}
	at := th.Attempt(netip.MustParseAddr("192.0.2.1"), Password, "stale1")
	if at.Worth("old", nil) || !at.Worth("new", nil) {
		t.Error("what is looked at again")
	}
	if at = th.Attempt(netip.MustParseAddr("192.0.2.1"), Password, "stale1"); !at.Worth("old",
		[]byte("another password is set")) {
		t.Error("a password that was set meanwhile is not looked at")
	}
}

// A client that uses SCRAM does not reveal whether it repeats an old password: it is shut out, others are not.
func TestThrottleOfWhatCannotBeTold(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	th := c.throttle(10, 100)
	a := netip.MustParseAddr("192.0.2.1")
	for i := range 300 {
		if at := th.Attempt(a, Password, fmt.Sprint("stale", i%10)); !at.Shut {
			at.Done(false)
		}
	}
	if got := try(th, "192.0.2.1", "romeo", "right"); got != "in" {
		t.Errorf("somebody else behind the address: %s", got)
	}
}

// A search among many accounts makes the address narrow: accounts that signed in from there before still do, and the
// answers reveal nothing else.
func TestThrottleOfAnAddress(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	th := c.throttle(3, 5)
	if try(th, "2001:db8::1", "romeo", "right") != "in" {
		t.Fatal("romeo")
	}
	for i := range 50 {
		try(th, "2001:db8::2", fmt.Sprint("n", i), "guess")
	}
	for _, x := range [][3]string{
		{"romeo", "right", "in"},
		{"juliet", "right", "crowded"},
		{"nobody", "guess", "crowded"},
	} {
		if got := try(th, "2001:db8::3", x[0], x[1]); got != x[2] { // an address of the same /64
			t.Errorf("%s: %s, want %s", x[0], got, x[2])
		}
	}
	// The answers must not reveal whether somebody has signed in from there: they are the same, step by step.
	ask := func(account string) (got []string) {
		for i := range 6 {
			at := th.Attempt(netip.MustParseAddr("2001:db8::4"), Password, account)
			got = append(got, fmt.Sprint(at.Shut, at.Wait))
			if !at.Shut {
				at.Worth(fmt.Sprint(i/2), nil)
				_, crowded := at.Done(false)
				got = append(got, fmt.Sprint(crowded))
			}
		}
		return got
	}
	if a, b := ask("romeo"), ask("nobody at all"); fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("an account that is known there and one that is not:\n%v\n%v", a, b)
	}
	if got := try(th, "2001:db8:0:1::1", "juliet", "right"); got != "in" {
		t.Errorf("another network: %s", got)
	}
}

// Many addresses guess at one account: it stays open at its usual places.
func TestThrottleOfDistributedGuesses(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	th := c.throttle(3, 5)
	if try(th, "2001:db8::1", "romeo", "right") != "in" {
		t.Fatal("romeo")
	}
	addr := netip.MustParseAddr("198.51.100.0")
	guesses := 0
	for i := range 200 {
		if got := try(th, addr.String(), "romeo", fmt.Sprint(i)); got == "wrong" {
			guesses++
		}
		addr = addr.Next()
	}
	if guesses > 30 {
		t.Errorf("%d guesses were looked at", guesses)
	}
	if got := try(th, "203.0.113.9", "romeo", "right"); got != "crowded" {
		t.Errorf("from yet another: %s", got)
	}
	if got := try(th, "2001:db8::2", "romeo", "right"); got != "in" {
		t.Errorf("romeo at home: %s", got)
	}
}

// Each kind of guess has limits of its own.
func TestThrottleOfKinds(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	th := c.throttle(3, 5)
	a := netip.MustParseAddr("192.0.2.1")
	for i := range 6 {
		if ok, wait := th.Wrong(a, APIToken); ok != (i < 5) || !ok && wait <= 0 {
			t.Fatalf("token %d: %v %v", i, ok, wait)
		}
	}
	if ok, _ := th.Wrong(a, Invited); !ok {
		t.Error("another kind is refused")
	}
	if got := try(th, "192.0.2.1", "romeo", "right"); got != "in" {
		t.Errorf("a password: %s", got)
	}
	for range 10 {
		th.Attempt(a, Code, "romeo").Done(false)
	}
	if !th.Attempt(a, Code, "romeo").Shut {
		t.Error("codes are tried without end")
	}
	if got := try(th, "192.0.2.1", "romeo", "right"); got != "in" {
		t.Errorf("a password after wrong codes: %s", got)
	}
	// Somebody who is signed in can prove it again whatever others do.
	for i := range 50 {
		try(th, "192.0.2.9", fmt.Sprint("n", i), "guess")
	}
	at := th.Again(netip.MustParseAddr("192.0.2.9"), Password, "juliet")
	if in, _ := at.Done(true); !in {
		t.Error("somebody signed in is refused for others")
	}
}

func TestThrottleStaysSmall(t *testing.T) {
	places := NewPlaces(PlacesConfig{Max: 100, PerAccount: 5})
	th := NewThrottle(ThrottleConfig{Max: 100, Places: places})
	addr := netip.MustParseAddr("10.0.0.0")
	for i := range 5000 {
		try(th, addr.String(), addr.String(), "wrong")
		try(th, addr.String(), "romeo", "right")
		try(th, addr.String(), fmt.Sprint("n", i), "right")
		addr = addr.Next()
	}
	if n := len(places.m["romeo"]); len(th.m) > 103 || places.n > 100 || n > 5 {
		t.Errorf("%d entries, %d places, %d of romeo", len(th.m), places.n, n)
	}
	n := 0
	for _, of := range places.m {
		n += len(of)
	}
	if n != places.n {
		t.Errorf("%d places are counted as %d", n, places.n)
	}
	b := NewThrottle(ThrottleConfig{PerAccount: 3})
	for i := range 50 {
		at := b.Attempt(addr, Password, "romeo")
		at.Worth(fmt.Sprint(i), nil)
		at.Done(false)
	}
	if w := len(b.m["password "+addr.String()+"|romeo"].wrong); w > 3 {
		t.Errorf("%d wrong passwords are remembered", w)
	}
}

// Refusals at a narrow address take the same time, however long the check took.
func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := NewThrottle(ThrottleConfig{PerAccount: 3, PerAddress: 1})
		a := netip.MustParseAddr("192.0.2.1")
		th.Attempt(a, Password, "n").Done(false)
		for _, took := range []time.Duration{0, 300 * time.Millisecond} {
			began := time.Now()
			at := th.Attempt(a, Password, "romeo")
			time.Sleep(took)
			if _, crowded := at.Done(false); !crowded {
				t.Fatal("not crowded")
			}
			if at.Hold(context.Background()); time.Since(began) != mark {
				t.Errorf("told after %v", time.Since(began))
			}
		}
		began := time.Now()
		th.Attempt(netip.MustParseAddr("192.0.2.2"), Password, "romeo").Hold(context.Background())
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		th.Attempt(a, Password, "romeo").Hold(ctx)
		if time.Since(began) != 0 {
			t.Error("held without need")
		}
	})
}

func TestPlaces(t *testing.T) {
	c := ticked{time.Unix(0, 0)}
	var kept []Place
	p := NewPlaces(PlacesConfig{
		Secret: []byte("s"),
		Keep:   func(x Place) { kept = append(kept, x) },
		Clock:  func() time.Time { return c.now },
	})
	home, away := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	p.Note(home, "romeo@x.example")
	p.Note(home, "romeo@x.example")
	if c.now = c.now.Add(2 * placeAge); len(kept) != 1 {
		t.Fatalf("kept %v", kept)
	}
	if p.Note(home, "romeo@x.example"); len(kept) != 2 {
		t.Fatalf("not kept anew: %v", kept)
	}
	if p.Note(home, "juliet@x.example"); kept[2].Network == kept[1].Network {
		t.Error("two accounts of one network can be told to be of one")
	}
	q := NewPlaces(PlacesConfig{Secret: []byte("s")})
	q.Load(kept)
	if !q.Knows(home, "romeo@x.example") || q.Knows(away, "romeo@x.example") {
		t.Error("what was kept is not known again")
	}
	if q.Forget("romeo@x.example"); q.Knows(home, "romeo@x.example") || !q.Knows(home, "juliet@x.example") {
		t.Error("forgotten")
	}
}
