package muc_test

import (
	"context"
	"fmt"
	"testing"

	"parley/muc"
	"parley/server"
	"parley/wire"
)

// TestRules has a rule refuse a message, take one for itself and replace one, with a count that is the room's own.
func TestRules(t *testing.T) {
	const body = "body"
	counting := func(room *muc.Room) muc.Hooks {
		shown := 0
		return muc.Hooks{
			Receive: func(ctx context.Context, o *muc.Occupant, st *wire.Stanza) (*wire.Stanza, error) {
				switch st.BodyText() {
				case "no":
					return nil, server.Forbidden
				case "how many":
					answer := st.Copy()
					answer.SetPayload(nil, nil)
					text := fmt.Sprint(shown, " by ", o.Nick(), " and others")
					room.Echo(ctx, o, answer.Add(wire.T(wire.NSClient, body, text)))
					return nil, nil
				case "hello":
					out := st.Copy()
					out.SetPayload(nil, nil)
					return out.Add(wire.T(wire.NSClient, body, "good morrow")), nil
				}
				return st, nil
			},
			Shown: func(m *muc.Message) {
				if m.By != nil && m.Done && m.Entry != nil {
					shown++
				}
			},
		}
	}
	// The second rule sees the message as the first one has changed it.
	polite := func(*muc.Room) muc.Hooks {
		return muc.Hooks{Accept: func(_ *muc.Occupant, st *wire.Stanza) error {
			if st.BodyText() == "hello" {
				return server.NotAcceptable
			}
			return nil
		}}
	}
	r := verona(t, func(c *muc.Config) { c.Rules = []muc.Rule{counting, polite} })
	r.enter("juliet")
	says := func(id, text string) string {
		return `
		juliet sends: <message type='groupchat' id='` + id + `' to='orchard@groups.example.org'><body>` +
			text + `</body></message>`
	}
	r.Play(says("1", "no") + `
	juliet gets: <message type='error' id='1'><error type='auth'><forbidden xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>
	romeo gets nothing from orchard@groups.example.org` + says("2", "hello") + `
	romeo gets: <message type='groupchat' id='2'><body>good morrow</body></message>
	juliet gets: <message type='groupchat' id='2'><body>good morrow</body></message>` + says("3", "how many") + `
	juliet gets: <message type='groupchat' id='3'><body>1 by Juliet and others</body></message>
	romeo gets nothing from orchard@groups.example.org`)
}
