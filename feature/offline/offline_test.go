package offline

import (
	"testing"

	"parley/server"
)

// TestWhoComesMeanwhile checks that a client that comes while messages are given to another one gets them next if the
// other is gone by then.
func TestWhoComesMeanwhile(t *testing.T) {
	o := &offline{now: make(map[string]*delivery)}
	first, second, third := new(server.Session), new(server.Session), new(server.Session)
	if o.begin("romeo", first) != nil {
		t.Fatal("nobody is at it, and it is not begun")
	}
	d := o.begin("romeo", second)
	if d == nil || o.begin("romeo", third) != d {
		t.Fatal("two are at it")
	}
	if o.begin("juliet", first) != nil {
		t.Error("one account waits for another")
	}
	if s := o.next("romeo"); s != third {
		t.Error("the last to come is forgotten")
	}
	select {
	case <-d.over:
		t.Error("it is over before the last to come has anything")
	default:
	}
	if s := o.next("romeo"); s != nil {
		t.Error("there is no end")
	}
	<-d.over
	if o.begin("romeo", first) != nil {
		t.Error("nobody may be at it any more")
	}
}
