package testrig_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"parley/config"
	"parley/testrig"
)

// socks connects to the proxy as a client does (RFC 1928), and gives the code of its answer.
func socks(t *testing.T, addr, name string) (net.Conn, byte) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	_, _ = c.Write([]byte{5, 2, 2, 0})
	b := make([]byte, 2)
	if _, err := io.ReadFull(c, b); err != nil || b[0] != 5 || b[1] != 0 {
		return c, 0xff
	}
	ask := append(append([]byte{5, 1, 0, 3, byte(len(name))}, name...), 0, 0)
	_, _ = c.Write(ask)
	b = make([]byte, 10)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	if b[1] == 0 { // the address and port are sent back (XEP-0065, section 6.3.2)
		rest := make([]byte, len(ask)-len(b))
		_, err := io.ReadFull(c, rest)
		if got := append(b, rest...); err != nil || !bytes.Equal(got[4:], ask[4:]) {
			t.Fatalf("answer %q, %v", got, err)
		}
	}
	return c, b[1]
}

// A file goes through the proxy, with what may go wrong before (XEP-0065, sections 4 and 6).
func TestProxy65(t *testing.T) {
	p := &pushes{t: t, rig: testrig.Start(t, func(c *config.Config) {
		c.Listeners.Proxy65.Addresses = []string{"127.0.0.1:0"}
		c.Proxy65.Address, c.Proxy65.PerAddress = "127.0.0.1", 5
	})}
	p.rig.Account("romeo", "juliet@second.example")
	romeo := p.signIn("romeo", "phone")
	juliet, err := p.rig.Connect("tls", testrig.Second)
	p.check(err)
	t.Cleanup(juliet.Close)
	p.check(juliet.SignIn("juliet", testrig.Password))
	p.check(juliet.Bind("phone"))
	proxy, ns := "proxy."+testrig.Host, "http://jabber.org/protocol/bytestreams"
	if e := p.ask(romeo, "get' to='"+testrig.Host,
		"<query xmlns='http://jabber.org/protocol/disco#items'/>"); !strings.Contains(e.String(), proxy) {
		t.Errorf("not among the services: %s", e)
	}
	if e := p.ask(romeo, "get' to='"+proxy,
		"<query xmlns='http://jabber.org/protocol/disco#info'/>"); !strings.Contains(e.String(), "bytestreams") ||
		e.Find("identity").Attr("category") != "proxy" {
		t.Errorf("%s", e)
	}
	if e := p.ask(juliet, "get' to='"+proxy, "<query xmlns='"+ns+"'/>"); e.Find("forbidden") == nil {
		t.Errorf("people of another host may use it: %s", e)
	}
	h := p.ask(romeo, "get' to='"+proxy, "<query xmlns='"+ns+"'/>").Find("streamhost")
	if h == nil || h.Attr("jid") != proxy || h.Attr("host") != "127.0.0.1" {
		t.Fatalf("%v", h)
	}
	addr := net.JoinHostPort(h.Attr("host"), h.Attr("port"))
	const target = "juliet@second.example/phone"
	activate := func(sid string) *testrig.Element {
		return p.ask(romeo, "set' to='"+proxy,
			fmt.Sprintf("<query xmlns='%s' sid='%s'><activate>%s</activate></query>", ns, sid, target))
	}
	sum := sha1.Sum([]byte("s1romeo@" + testrig.Host + "/phone" + target))
	name := hex.EncodeToString(sum[:])

	if e := activate("s1"); e.Find("item-not-found") == nil {
		t.Errorf("nobody is connected: %s", e)
	}
	one, code := socks(t, addr, name)
	if code != 0 {
		t.Fatalf("refused: %d", code)
	}
	if e := activate("s1"); e.Find("not-allowed") == nil {
		t.Errorf("only one is connected: %s", e)
	}
	if _, code := socks(t, addr, "www.example.com"); code != 2 {
		t.Errorf("a proxy for the web: %d", code)
	}
	two, code := socks(t, addr, strings.ToUpper(name))
	if code != 0 {
		t.Fatalf("refused: %d", code)
	}
	if _, code := socks(t, addr, name); code != 2 {
		t.Errorf("a third takes part: %d", code)
	}
	if e := p.ask(romeo, "set' to='"+proxy, "<query xmlns='"+ns+"' sid='s1'/>"); e.Find("bad-request") == nil {
		t.Errorf("%s", e)
	}
	if e := activate("s2"); e.Find("item-not-found") == nil {
		t.Errorf("another stream: %s", e)
	}
	if e := activate("s1"); e.Attr("type") != "result" {
		t.Fatalf("not started: %s", e)
	}
	file := bytes.Repeat([]byte("a rose by any other name "), 40_000)
	sent := make(chan error, 1)
	go func() {
		_, err := one.Write(file)
		sent <- err
		_ = one.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(two)
	if err != nil || !bytes.Equal(got, file) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(file), err)
	}
	p.check(<-sent)
	_, err = two.Write([]byte("thanks")) // the other direction is still open
	p.check(err)
	_ = two.Close()
	if back, err := io.ReadAll(one); err != nil || string(back) != "thanks" {
		t.Errorf("%q, %v", back, err)
	}
	for i := range 6 { // more than one address may have
		sum := sha1.Sum([]byte{byte(i)})
		if _, code = socks(t, addr, hex.EncodeToString(sum[:])); code != 0 {
			return
		}
	}
	t.Error("one address may have any number of connections")
}
