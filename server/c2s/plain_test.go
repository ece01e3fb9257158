package c2s

import (
	"context"
	"net"
	"testing"
	"time"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	mjid "mellium.im/xmpp/jid"
)

// TestPlainStreams: where TLS is not required a client signs in without it, by SCRAM only; where TLS is required it
// cannot.
func TestPlainStreams(t *testing.T) {
	signIn := func(d *testDoor, mech sasl.Mechanism) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := net.Dial("tcp", d.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		sf := xmpp.SASL("", "pencil", mech)
		sf.Necessary &^= xmpp.Secure // mellium would not try otherwise
		s, err := xmpp.NewClientSession(ctx, mjid.MustParse("romeo@"+domain+"/here"), conn, sf, xmpp.BindResource())
		if err == nil && s.State()&xmpp.Secure != 0 {
			t.Error("the stream is encrypted")
		}
		return err
	}
	d := newDoor(t, func(c *Config) { c.PlainStreams = true })
	if err := signIn(d, sasl.ScramSha256); err != nil {
		t.Errorf("SCRAM without TLS: %v", err)
	}
	if err := signIn(d, sasl.Plain); err == nil {
		t.Error("PLAIN without TLS works")
	}
	d.mellium(t, "romeo", sasl.ScramSha256Plus) // TLS is still available
	if err := signIn(newDoor(t, nil), sasl.ScramSha256); err == nil {
		t.Error("signed in without TLS where it is required")
	}
}
