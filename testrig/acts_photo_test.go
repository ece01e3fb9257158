package testrig_test

import (
	"encoding/base64"
	"testing"

	"parley/acts"
	"parley/config"
	"parley/store"
	"parley/testrig"
)

// A picture that somebody publishes with a chat app is in the audit log once, whichever way it came, and the same one
// again is no change.
func TestPhotoByClientIsAudited(t *testing.T) {
	r := testrig.Start(t, func(*config.Config) {})
	r.Account("romeo")
	romeo := signIn(t, r, "romeo")
	card := "<vCard xmlns='vcard-temp'><PHOTO><TYPE>image/png</TYPE><BINVAL>" + base64.StdEncoding.EncodeToString(dot) +
		"</BINVAL></PHOTO></vCard>"
	publish := func(node, id, payload string) string {
		return "<pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='" + node + "'><item id='" + id + "'>" +
			payload + "</item></publish></pubsub>"
	}
	noted := func(want int) {
		t.Helper()
		es, err := r.Node.Store.AuditEntries(t.Context(), testrig.Host,
			store.AuditFilter{Action: string(acts.PersonPhoto), Limit: 10})
		if err != nil || len(es) != want {
			t.Fatalf("the log has %d entries, want %d: %+v, %v", len(es), want, es, err)
		}
		if e := es[0]; e.Actor != "romeo" || e.Target != "romeo@"+testrig.Host || e.Door != string(acts.Client) {
			t.Errorf("the newest is %+v", e)
		}
	}
	for range 2 {
		if e := ask(t, romeo, "romeo@"+testrig.Host, "set", card); !ok(e) {
			t.Fatal(e)
		}
		noted(1)
	}
	if e := ask(t, romeo, "romeo@"+testrig.Host, "set",
		publish("urn:xmpp:avatar:metadata", "none", "<metadata xmlns='urn:xmpp:avatar:metadata'/>")); !ok(e) {
		t.Fatal(e)
	}
	noted(2)
}
