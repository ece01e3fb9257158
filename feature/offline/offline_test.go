package offline

import (
	"testing"

	"parley/server"
)

// TestWhoComesMeanwhile: a client that comes while messages are being given to another, which may be gone by then, is who
// they are given to next.
func TestWhoComesMeanwhile(t *testing.T) {
	o := &offline{now: make(map[string]*server.Session)}
	first, second, third := new(server.Session), new(server.Session), new(server.Session)
	if !o.begin("romeo", first) || o.begin("romeo", second) || o.begin("romeo", third) {
		t.Fatal("two are at it")
	}
	if !o.begin("juliet", first) {
		t.Error("one account waits for another")
	}
	if s := o.next("romeo"); s != third {
		t.Error("the last to come is forgotten")
	}
	if s := o.next("romeo"); s != nil {
		t.Error("there is no end")
	}
	if !o.begin("romeo", first) {
		t.Error("nobody may be at it any more")
	}
}
