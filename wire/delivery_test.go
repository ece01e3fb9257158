package wire

import "testing"

// TestDelivery: for a message to several clients, exactly one loss reports that nobody has it.
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
	// The delivering code holds the message: a client that is lost before the next one gets it settles nothing.
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
