package c2s

import (
	"strings"
	"testing"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Held stanzas are limited in number and size; at the limit all are sent, in order.
func TestHeldIsBounded(t *testing.T) {
	to := jid.MustParse("romeo@a.example/phone")
	state := func(text string) *wire.Stanza {
		st := &wire.Stanza{
			Kind: wire.Message,
			Name: wire.Name{Space: wire.NSClient, Local: "message"},
			Type: "headline",
			From: jid.MustParse("juliet@a.example"),
		}
		return st.Add(wire.T(wire.NSPubSubEv, "event", text))
	}
	for name, tc := range map[string]struct {
		text string
		want int // of stanzas before it goes out
	}{"many": {"", maxHeld}, "large": {strings.Repeat("x", maxHeldBytes/4), 4}} {
		t.Run(name, func(t *testing.T) {
			o := &outbound{
				srv:      &Server{cfg: Config{SM: SMConfig{MaxStanzas: 1000, MaxBytes: 1 << 30}}},
				inactive: true,
				sm:       true,
			}
			o.owner = &bound{session: &server.Session{Host: new(server.Host)}}
			for n := 1; ; n++ {
				if err := o.Send(state(tc.text), to); err != nil {
					t.Fatal(err)
				}
				if o.queue.len() > 0 {
					if n != tc.want || o.queue.len() != n || len(o.held) != 0 || o.heldBytes != 0 {
						t.Errorf("%d went out after %d, %d bytes are left", o.queue.len(), n, o.heldBytes)
					}
					return
				}
				if n > maxHeld {
					t.Fatal("nothing goes out")
				}
			}
		})
	}
}
