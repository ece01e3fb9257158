package server

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := Rates{PerMinute: 2, Keys: 2}
		for i, want := range []bool{true, true, false} {
			if got := r.Allow("a"); got != want {
				t.Errorf("%d: %v", i, got)
			}
		}
		if !r.Allow("b") || r.Allow("c") {
			t.Error("one key too many")
		}
		time.Sleep(time.Minute)
		if !r.Allow("c") || !r.Allow("a") {
			t.Error("nothing was forgotten")
		}
		var none Rates
		for range 1000 {
			if !none.Allow("a") {
				t.Fatal("a limit where there is none")
			}
		}
	})
}
