package wire

import "testing"

// TestDelivery: of a message to several clients exactly one loss is the one after which nobody has it.
func TestDelivery(t *testing.T) {
	var none *Delivery
	none.Held()
	if !none.Lost() {
		t.Error("what one client alone gets is not lost with it")
	}
	d := &Delivery{}
	d.Held()
	d.Held()
	if d.Lost() || !d.Lost() {
		t.Error("not the last loss is the one that counts")
	}
	d = &Delivery{}
	d.Held()
	d.Held()
	d.Acknowledged()
	if d.Lost() {
		t.Error("a client has it, and it is lost")
	}
	d = &Delivery{}
	d.Held()
	d.Taken()
	if d.Lost() {
		t.Error("a client that acknowledges nothing was sent it, and it is lost")
	}
	// Somebody who still gives it out holds it: a client that is gone before the next one gets it settles nothing.
	d = &Delivery{}
	d.Held()
	d.Held()
	if d.Lost() {
		t.Error("lost while it is given out")
	}
	d.Held()
	if d.Lost() || !d.Lost() {
		t.Error("the end of giving it out does not settle it")
	}
}
