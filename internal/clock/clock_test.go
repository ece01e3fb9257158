package clock

import (
	"testing"
	"time"
)

func TestNow(t *testing.T) {
	before := time.Now()
	if now := Clock(nil).Now(); now.Before(before) || now.After(time.Now()) {
		t.Errorf("the nil clock gives %v", now)
	}
	at := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	if now := Clock(func() time.Time { return at }).Now(); !now.Equal(at) {
		t.Errorf("a clock that was handed in gives %v", now)
	}
}
