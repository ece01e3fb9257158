package muc_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/wire"
)

// TestVersionsInParts: a list of 700 is sent in three messages, each from the version with which the one before ended.
func TestVersionsInParts(t *testing.T) {
	const ns = "urn:xmpp:muc:affiliations:1"
	r := verona(t)
	for i := range 2 {
		var items strings.Builder
		for k := range 350 {
			fmt.Fprintf(&items, "<item affiliation='member' jid='m%d@elsewhere.example'/>", i*350+k)
		}
		r.Play("romeo sends: <iq type='set' id='m' to='orchard@groups.example.org'>" +
			"<query xmlns='http://jabber.org/protocol/muc#admin'>" + items.String() +
			"</query></iq>\nromeo forgets from orchard@groups.example.org")
	}
	c := r.Clients["romeo"]
	c.Sends("<presence to='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc'><mav xmlns='" +
		ns + "'/></x></presence>")
	since, seen, parts := "", make(map[string]bool), 0
	for {
		e := c.Next()
		x := e.Child(wire.NSMUCUser, "x")
		v := x.Child(ns, "mav")
		if e.Name.Local == "presence" {
			if v.Attr("until") != since || v.Attr("since") != "" {
				t.Errorf("the presence says %q, the messages %q", v.Attr("until"), since)
			}
			break
		}
		if v.Attr("since") != since || v.Attr("until") == "" {
			t.Errorf("part %d is from %q to %q, after %q", parts, v.Attr("since"), v.Attr("until"), since)
		}
		since = v.Attr("until")
		parts++
		for _, it := range x.Elements() {
			if it.Name.Local == "item" {
				seen[it.Attr("jid")] = true
			}
		}
	}
	if parts != 3 || len(seen) != 701 || !seen["romeo@example.org"] {
		t.Errorf("%d entries in %d parts", len(seen), parts)
	}
	// A client that was cut off after the first part has no valid version, and gets the whole list.
	c.Sends("<presence to='orchard@groups.example.org/Romeo'><x xmlns='http://jabber.org/protocol/muc'><mav xmlns='" +
		ns + "' since='" + since + "a'/></x></presence>")
	c.Next() // the subject of the first time
	if v := c.Next().Child(wire.NSMUCUser, "x").Child(ns, "mav"); v == nil || v.Attr("since") != "" ||
		v.Attr("until") == since {
		t.Errorf("a version in between is answered with %+v", v)
	}
}
