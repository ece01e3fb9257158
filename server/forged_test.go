package server

import (
	"testing"

	"parley/wire"
	"parley/wire/jid"
)

// TestUnforged: what other servers and services may say, and what they may not say in our name.
func TestUnforged(t *testing.T) {
	r := NewRouter()
	if err := r.addHost(&Host{Domain: "example.org"}); err != nil {
		t.Fatal(err)
	}
	if err := r.Add("groups.example.org", &Service{}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		from, payload string
		kept          bool
	}{
		{"hall@other.example/Romeo", `<delay xmlns='urn:xmpp:delay' from='hall@other.example' stamp='x'/>`, true},
		{"hall@other.example/Romeo", `<delay xmlns='urn:xmpp:delay' stamp='x'/>`, true},
		// the author
		{"hall@other.example/Romeo", `<delay xmlns='urn:xmpp:delay' from='romeo@example.org/x' stamp='x'/>`, true},
		{"hall@other.example/Romeo", `<delay xmlns='urn:xmpp:delay' from='juliet@example.org' stamp='x'/>`, false},
		{"hall@other.example/Romeo", `<delay xmlns='urn:xmpp:delay' from='example.org' stamp='x'/>`, false},
		{"hall@other.example/Romeo", `<x xmlns='jabber:x:delay' from='EXAMPLE.org' stamp='x'/>`, false},
		{"hall@other.example/Romeo", `<delay xmlns='urn:xmpp:delay' from='hall@groups.example.org' stamp='x'/>`, false},
		{"hall@groups.example.org/Romeo",
			`<delay xmlns='urn:xmpp:delay' from='hall@groups.example.org' stamp='x'/>`, true},
		{"hall@other.example/Romeo", `<stanza-id xmlns='urn:xmpp:sid:0' by='hall@other.example' id='x'/>`, true},
		{"hall@groups.example.org/Romeo",
			`<stanza-id xmlns='urn:xmpp:sid:0' by='hall@groups.example.org' id='x'/>`, true},
		{"hall@other.example/Romeo", `<stanza-id xmlns='urn:xmpp:sid:0' by='hall@groups.example.org' id='x'/>`, false},
		{"hall@other.example/Romeo", `<stanza-id xmlns='urn:xmpp:sid:0' by='juliet@example.org' id='x'/>`, false},
		{"hall@other.example/Romeo", `<stanza-id xmlns='urn:xmpp:sid:0' by='@' id='x'/>`, false},
		{"hall@other.example/Romeo", `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='x'/>`, true},
		{"hall@other.example/Romeo", `<x xmlns='http://jabber.org/protocol/muc#user'><status code='100'/></x>`, true},
		{"hall@other.example", `<result xmlns='urn:xmpp:mam:2' id='x'/>`, true},
		{"romeo@other.example/x", `<sent xmlns='urn:xmpp:carbons:2'/>`, false},
		{"romeo@other.example/x", `<private xmlns='urn:xmpp:carbons:2'/>`, true},
	} {
		raw := "<message xmlns='jabber:client' from='" + tc.from + "' to='juliet@example.org'><body>x</body>" +
			tc.payload + "</message>"
		st, err := wire.ParseStanza([]byte(raw), wire.Limits{Stanza: len(raw)})
		if err != nil {
			t.Fatal(err)
		}
		new(wire.Window).Begin(st)
		got := r.Unforged(st, false)
		if got.Receipt == (wire.Receipt{}) || got.Receipt != st.Receipt {
			t.Error("its stream counts it as handled before it is")
		}
		if kept := len(got.Children) == 2; kept != tc.kept || got.BodyText() != "x" {
			t.Errorf("from %s: %s: kept %v", tc.from, tc.payload, kept)
		}
		if tc.kept && got != st {
			t.Errorf("%s is copied for nothing", tc.payload)
		}
	}
	st := &wire.Stanza{
		Kind: wire.Message,
		From: jid.MustParse("romeo@example.org/x"),
		To:   jid.MustParse("juliet@example.org"),
	}
	st.Add(wire.T(wire.NSClient, "body", "x"), wire.E(wire.NSSID, "origin-id").Set("id", "x"))
	if n := testing.AllocsPerRun(100, func() { r.Unforged(st, true) }); n != 0 {
		t.Errorf("an ordinary message costs %v allocations", n)
	}
}
