package testrig_test

import (
	"testing"

	"parley/testrig"
)

// A component stands in the host's list while it is connected.
func TestComponentsInTheList(t *testing.T) {
	r := testrig.Start(t, testrig.WithComponent("bots.example.org"))
	r.Account("romeo")
	ask := func(id, want string) {
		t.Helper()
		r.Run(t, "romeo signs in as romeo/"+id+
			"\nromeo sends: <iq type='get' id='1' to='example.org'>"+
			"<query xmlns='http://jabber.org/protocol/disco#items'/></iq>\n"+
			"romeo gets: <iq type='result' id='1'><query xmlns='http://jabber.org/protocol/disco#items'>"+
			"<item jid='groups.example.org'/>"+want+"</query></iq>")
	}
	ask("before", "<never><item jid='bots.example.org'/></never>")
	if _, err := r.Component("bots.example.org"); err != nil {
		t.Fatal(err)
	}
	ask("connected", "<item jid='bots.example.org'/>")
}
