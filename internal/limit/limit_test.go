package limit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/limit"
)

func TestKeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now time.Time
		k := limit.New[string](rate.Every(30*time.Second), 2, 2)
		for i, want := range []bool{true, true, false} {
			if got := k.Allow("a", now); got != want {
				t.Errorf("%d: %v", i, got)
			}
		}
		if !k.Allow("b", now) || k.Allow("c", now) {
			t.Error("one key too many")
		}
		time.Sleep(time.Minute)
		if !k.Allow("c", now) || !k.Allow("a", now) {
			t.Error("nothing was forgotten")
		}
	})
}

func TestPerMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, n := limit.PerMinute[int](3), 0
		for range 10 {
			if k.Allow(1, time.Time{}) {
				n++
			}
		}
		time.Sleep(20 * time.Second)
		if n != 3 || !k.Allow(1, time.Time{}) || k.Allow(1, time.Time{}) {
			t.Errorf("%d at once, or not one more after the third of a minute", n)
		}
	})
	none := limit.PerMinute[string](0)
	for range 1000 {
		if !none.Allow("a", time.Time{}) {
			t.Fatal("a limit where there is none")
		}
	}
}

// TestPaceIsOfWhenItWasReceived checks that things received at a legal pace and handled all at once are not a flood,
// that things received at once are, and that another stream with older times does not help.
func TestPaceIsOfWhenItWasReceived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := limit.NewPace(1, 5)
		var sent []time.Time
		for range 60 {
			sent = append(sent, time.Now())
			time.Sleep(time.Second)
		}
		for i, at := range sent {
			if !p.Allow(at) {
				t.Fatalf("%d of a legal writer is too fast", i)
			}
		}
		time.Sleep(time.Minute)
		n := 0
		now := time.Now()
		for range 30 {
			for _, at := range []time.Time{now, now.Add(-50 * time.Second), {}} {
				if p.Allow(at) {
					n++
				}
			}
		}
		if n != 5 {
			t.Errorf("%d at once", n)
		}
	})
}
