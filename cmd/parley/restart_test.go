package main

import (
	"context"
	"encoding/xml"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/admin/api"

	"mellium.im/sasl"
	"mellium.im/xmpp"
	mjid "mellium.im/xmpp/jid"
	"mellium.im/xmpp/stanza"
)

// An administrator restarts the program (XEP-0133, section 4.30): it goes on as the same process, with its data.
func TestRestartByCommand(t *testing.T) {
	dir := shortDir(t)
	c, welcome, log := startProcess(t, dir, "--set", "shutdown.by_command=true", "--set",
		"listeners.c2s.require_tls=false")
	t.Setenv("PARLEY_SOCKET", welcome["socket"])
	started := func() (time.Time, bool) {
		code, out, _ := cli(t, "", "--json", "status")
		if code != exitOK {
			return time.Time{}, false
		}
		return decode[api.ServerInfo](t, out).Started, true
	}
	if code, _, errs := cli(t, pw+"\n", "user", "add", "alice", "--admin"); code != exitOK {
		t.Fatal(errs)
	}
	was, _ := started()
	conn, err := net.Dial("tcp", welcome["c2s"])
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	d := &dev{t: t, welcome: welcome}
	tc := d.trusting()
	tc.NextProtos = nil
	s, err := xmpp.NewClientSession(t.Context(), mjid.MustParse("alice@localhost"), conn, xmpp.StartTLS(tc),
		xmpp.SASL("", pw, sasl.ScramSha256Plus), xmpp.BindResource())
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(nil)
	const form = "<command xmlns='http://jabber.org/protocol/commands' " +
		"node='http://jabber.org/protocol/admin#restart'><x xmlns='jabber:x:data' type='submit'></x></command>"
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.UnmarshalIQElement(ctx, xml.NewDecoder(strings.NewReader(form)),
		stanza.IQ{Type: stanza.SetIQ, To: mjid.MustParse("localhost")}, new(struct{})); err != nil {
		t.Fatal(err)
	}
	for late := time.Now().Add(time.Minute); ; {
		if now, ok := started(); ok && !now.Equal(was) {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("it does not start again\n%s", log)
		}
	}
	if code, _, errs := cli(t, "", "user", "show", "alice"); code != exitOK {
		t.Error(errs)
	}
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}
