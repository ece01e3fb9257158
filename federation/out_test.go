package federation

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"mellium.im/xmpp/stanza"
)

// TestTargets: SRV records of both services are one set, by priority.
func TestTargets(t *testing.T) {
	d := newDNS()
	s := New(Config{
		Router:   newSite(t, d, newAuthority(t), siteConfig{domains: []string{"x.example"}}).router,
		Log:      discard,
		Resolver: d,
	})
	d.srv["_xmpp-server._tcp.a.example"] = []*net.SRV{
		{Target: "two", Port: 2, Priority: 2},
		{Target: "four", Port: 4, Priority: 4},
	}
	d.srv["_xmpps-server._tcp.a.example"] = []*net.SRV{
		{Target: "three", Port: 3, Priority: 3},
		{Target: "one", Port: 1, Priority: 1},
	}
	ts, err := s.targets(context.Background(), "a.example")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range ts {
		got = append(got, fmt.Sprint(g.host, g.port, g.direct))
	}
	if want := []string{"one1 true", "two2 false", "three3 true", "four4 false"}; !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	ts, err = s.targets(context.Background(), "bücher.example") // no records: the domain itself, as an A-label
	if err != nil || len(ts) != 1 || ts[0].host != "xn--bcher-kva.example." || ts[0].port != 5269 ||
		ts[0].direct || ts[0].doubt != nil {
		t.Errorf("got %v, %v", ts, err)
	}
	if !slices.Contains(d.asked, "_xmpp-server._tcp.xn--bcher-kva.example") {
		t.Errorf("asked for %v", d.asked)
	}
	d.srv["_xmpp-server._tcp.none.example"] = []*net.SRV{{Target: "."}}
	if ts, err = s.targets(context.Background(), "none.example"); !errors.Is(err, errNotFound) {
		t.Errorf("got %v, %v", ts, err)
	}
	heavy, n := 0, 2000
	for range n {
		ts := []target{
			{host: "light", weight: 10},
			{host: "heavy", weight: 90},
			{host: "later", priority: 1, weight: 1000},
		}
		order(ts)
		if ts[2].host != "later" {
			t.Fatal("priority is not kept")
		}
		if ts[0].host == "heavy" {
			heavy++
		}
	}
	if heavy < n*8/10 || heavy > n*97/100 {
		t.Errorf("the heavier was first %d times of %d", heavy, n)
	}
}

// TestFallThrough: targets and addresses that do not answer are skipped.
func TestFallThrough(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	port := refusing(t).(*net.TCPAddr).AddrPort().Port()
	d.srv["_xmpps-server._tcp.b.example"] = []*net.SRV{
		{Target: "host.b.example", Port: port},
		{Target: "unknown.b.example", Port: port},
		{Target: "host.b.example", Port: b.addr.(*net.TCPAddr).AddrPort().Port()},
	} // no TLS there from the first byte
	d.hosts["host.b.example"] = []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}
	exchange(t, a, b, "a.example", "b.example")
}

// TestOneStream: stanzas that are sent while a stream is being opened wait for it, in order, and there is only one
// stream.
func TestOneStream(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	const n = 90
	for i := range n {
		a.mustSend("romeo@a.example/x", "juliet@b.example", fmt.Sprint(i))
	}
	for i := range n {
		if st := b.users["b.example"].next(t); st.BodyText() != fmt.Sprint(i) {
			t.Fatalf("%d: got %s", i, st.BodyText())
		}
	}
	in := 0
	for _, st := range b.door.Streams() {
		if st.Incoming {
			in++
		}
	}
	if in != 1 {
		t.Errorf("%d streams", in)
	}
}

// TestQueueFull: the queue is limited while nobody answers, and everything in it comes back.
func TestQueueFull(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example"),
		change: func(c *Config) { c.MaxQueued = 5 }})
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	d.point("xmpp-server", "mute.example", mute.Addr())
	for i := range 5 {
		a.mustSend("romeo@a.example/x", "juliet@mute.example", fmt.Sprint(i))
	}
	var se stanza.Error
	if err := a.send("romeo@a.example/x", "juliet@mute.example", "5"); !errors.As(err, &se) ||
		se.Condition != stanza.ResourceConstraint {
		t.Errorf("got %v", err)
	}
	mute.Close()
	for i := range 5 {
		if st := a.users["a.example"].next(t); condition(st) != "remote-server-timeout" ||
			st.ID != fmt.Sprint("id-", i) || st.BodyText() != fmt.Sprint(i) {
			t.Errorf("got %+v %s", st, st.Payload)
		}
	}
}

// TestMute: a server that accepts a connection and stays silent is given up.
func TestMute(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example"),
		change: func(c *Config) { c.AuthTimeout = 300 * time.Millisecond }})
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	d.point("xmpp-server", "mute.example", mute.Addr())
	a.mustSend("romeo@a.example/x", "juliet@mute.example", "1")
	if st := a.users["a.example"].next(t); condition(st) != "remote-server-timeout" || st.ID != "id-1" {
		t.Errorf("got %+v %s", st, st.Payload)
	}
}

// TestClosedByPeer: a stream that the other side closes is opened again; what it did not accept comes back, and an
// error is never answered with an error.
func TestClosedByPeer(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example"},
		cert:    ca.issue(nil, "a.example"),
		change:  func(c *Config) { c.BackoffMin = time.Millisecond },
	})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	a.mustSend("romeo@a.example/x", "juliet@b.example", "1")
	b.users["b.example"].next(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	b.door.Shutdown(ctx)
	for a.how("a.example", "b.example") != "" { // the news has to come round
		time.Sleep(time.Millisecond)
	}
	sent := message("romeo@a.example/x", "juliet@b.example", "an error")
	sent.Type = "error"
	_ = a.router.Route(context.Background(), sent) // refused at once, if dialling has failed already
	if err := a.send("romeo@a.example/x", "juliet@b.example", "2"); err == nil {
		st := a.users["a.example"].next(t)
		if st.ID == "id-1" { // it was taken over, and the stream ended before that was said
			st = a.users["a.example"].next(t)
		}
		if condition(st) != "remote-server-timeout" || st.ID != "id-2" {
			t.Errorf("got %+v %s", st, st.Payload)
		}
	}
	again := newSite(t, d, ca, siteConfig{domains: []string{"b2.example"}, cert: ca.issue(nil, "b.example")})
	if err := again.router.Add("b.example", b.users["b.example"]); err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	delete(d.srv, "_xmpp-server._tcp.b.example")
	d.mu.Unlock()
	d.point("xmpp-server", "b.example", again.addr)
	for i := 0; ; i++ { // until the back-off is over
		if a.send("romeo@a.example/x", "juliet@b.example", "3") == nil {
			break
		}
		if i > 30000 {
			t.Fatal("still refused")
		}
		time.Sleep(time.Millisecond)
	}
	if st := b.users["b.example"].next(t); st.BodyText() != "3" {
		t.Errorf("got %+v", st)
	}
}

func TestIdle(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example"},
		cert:    ca.issue(nil, "a.example"),
		change:  func(c *Config) { c.IdleTimeout = 50 * time.Millisecond },
	})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	for i := range 3 {
		a.mustSend("romeo@a.example/x", "juliet@b.example", fmt.Sprint(i))
		if st := b.users["b.example"].next(t); st.BodyText() != fmt.Sprint(i) {
			t.Fatalf("got %+v", st)
		}
		until := time.Now().Add(time.Minute)
		for len(a.door.Streams())+len(b.door.Streams()) > 0 {
			if time.Now().After(until) {
				t.Fatal("the stream stays")
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// TestPace: a domain that sends too fast is read more slowly, over all its streams.
func TestPace(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{
		domains: []string{"b.example", "groups.b.example"},
		cert:    ca.issue(nil, "b.example"),
		change:  func(c *Config) { c.StanzasPerSecond, c.StanzasBurst = 20, 4 },
	})
	begin := time.Now()
	for _, x := range []*stranger{signedIn(t, ca, b), signedIn(t, ca, b)} {
		for range 6 {
			x.send("<message from='x@a.example' to='x@b.example'>%s", body)
		}
	}
	for range 12 {
		b.users["b.example"].next(t)
	}
	if took := time.Since(begin); took < 350*time.Millisecond { // 8 of 12 had to wait for 1/20 s each
		t.Errorf("took %v", took)
	}
}

func TestBackoff(t *testing.T) {
	var b backoffs
	b.init(time.Second, 10*time.Second)
	now := time.Now()
	p := pair{"a.example", "b.example"}
	why := errors.New("why")
	for _, wait := range []time.Duration{1, 2, 4, 8, 10, 10} {
		b.failed(p, why, now)
		now = now.Add(wait*time.Second - 1)
		if b.refuses(p, now) != why {
			t.Fatalf("%d s: not refused", wait)
		}
		if b.refuses(pair{"c.example", "b.example"}, now) != nil {
			t.Error("another pair is refused")
		}
		if now = now.Add(1); b.refuses(p, now) != nil {
			t.Fatalf("%d s: refused", wait)
		}
	}
	b.failed(pair{"", "b.example"}, why, now)
	if b.refuses(pair{"c.example", "b.example"}, now) != why {
		t.Error("the domain is not refused")
	}
	b.worked(p)
	if b.refuses(p, now) != nil || b.refuses(pair{"c.example", "b.example"}, now) != nil {
		t.Error("still refused")
	}
	for i := range maxKept + 100 {
		b.failed(pair{"a.example", fmt.Sprint(i)}, why, now)
	}
	if len(b.of) > maxKept {
		t.Errorf("%d are kept", len(b.of))
	}
}
