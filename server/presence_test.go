package server

import (
	"context"
	"errors"
	"testing"

	"parley/wire"
	"parley/wire/jid"
)

// closing notes the error that its stream is closed with.
type closing struct{ why *wire.StreamError }

func (c *closing) Send(*wire.Stanza, jid.JID) error { return nil }
func (c *closing) Close(why *wire.StreamError)      { c.why = why }

// A stream ends if our failure keeps its client from being available, or from the messages that it takes from then on.
// A refusal, or a feature that deals with the presence itself, does not end it, and neither does a failure later on.
func TestFirstPresenceFails(t *testing.T) {
	for what, c := range map[string]struct {
		err    error
		before bool // it was available
		prio   int8 // and had this priority
		ends   bool
	}{
		"all is well":                   {nil, false, 0, false},
		"our failure":                   {errors.New("the disk has gone"), false, 0, true},
		"a refusal":                     {PolicyViolation, false, 0, false},
		"dealt with":                    {ErrHandled, false, 0, false},
		"failure, later":                {errors.New("the disk has gone"), true, 0, false},
		"failure, as it takes":          {errors.New("the disk has gone"), true, -1, true},
		"a refusal, as it takes":        {PolicyViolation, true, -1, false},
		"all is well, and it takes now": {nil, true, -1, false},
	} {
		h := &Host{Domain: "example.org", Router: NewRouter()}
		h.steps[Announce] = []Step{{Do: func(context.Context, *Pass) error { return c.err }}}
		var out closing
		s := &Session{JID: jid.MustParse("juliet@example.org/balcony"), Host: h, out: &out}
		st := &wire.Stanza{Kind: wire.Presence, Name: wire.Name{Space: wire.NSClient, Local: "presence"}, From: s.JID}
		if c.before {
			s.setPresence(st, c.prio)
		}
		if err := h.sentPresence(t.Context(), s, st); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", what, err)
		}
		if (out.why != nil) != c.ends {
			t.Errorf("%s: the stream is closed with %v", what, out.why)
		}
	}
}
