package federation

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"parley/wire"
)

// oddDNS is a DNS server whose zone has what real ones have: names with records, and domains that are
// answered with an error ("SERVFAIL x.example"), only without checking signatures ("BOGUS x.example"), or not
// at all ("SILENCE x.example").
func oddDNS(t *testing.T, zone ...string) string {
	t.Helper()
	var all []dns.RR
	odd := make(map[string]string)
	for _, text := range zone {
		if what, name, ok := strings.Cut(text, " "); ok && what == strings.ToUpper(what) &&
			!strings.Contains(name, " ") {
			odd[dns.Fqdn(name)] = what
			continue
		}
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rr)
	}
	answer := func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		name, kind := q.Question[0].Name, q.Question[0].Qtype
		for domain, what := range odd {
			if !dns.IsSubDomain(domain, name) || what == "SRVFAIL" && kind != dns.TypeSRV {
				continue
			}
			switch {
			case what == "SILENCE":
				return
			case what == "REFUSED":
				m.Rcode = dns.RcodeRefused
			case what != "BOGUS" || !q.CheckingDisabled:
				m.Rcode = dns.RcodeServerFailure
			}
			w.WriteMsg(m)
			return
		}
		known := false
		for _, rr := range all {
			at := rr.Header()
			known = known || dns.IsSubDomain(name, at.Name) // also the names between it and known ones
			if at.Name != name {
				continue
			}
			if c, ok := rr.(*dns.CNAME); ok && kind != dns.TypeCNAME {
				m.Answer = append(m.Answer, rr)
				name = c.Target
				for _, rr := range all {
					if rr.Header().Name == name && rr.Header().Rrtype == kind {
						m.Answer = append(m.Answer, rr)
					}
				}
				break
			}
			if at.Rrtype == kind {
				m.Answer = append(m.Answer, rr)
			}
		}
		if !known {
			m.Rcode = dns.RcodeNameError
		}
		w.WriteMsg(m)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ready, done := make(chan struct{}), make(chan error, 1)
	s := &dns.Server{PacketConn: pc, Handler: dns.HandlerFunc(answer), NotifyStartedFunc: func() { close(ready) }}
	go func() { done <- s.ActivateAndServe() }()
	<-ready
	t.Cleanup(func() {
		s.Shutdown()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return pc.LocalAddr().String()
}

// asking lets a site query a DNS server.
func asking(addr string, timeout time.Duration) func(*Config) {
	return func(c *Config) {
		var d net.Dialer
		c.DNSServer, c.DNSTimeout = addr, timeout
		c.Resolver = &net.Resolver{
			PreferGo:     true,
			StrictErrors: true,
			Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return d.DialContext(ctx, network, addr)
			},
		}
	}
}

// stub is a server that handles each connection with serve. It returns its port.
func stub(t *testing.T, serve func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool)
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return portOf(l.Addr())
}

func portOf(a net.Addr) int { return int(a.(*net.TCPAddr).AddrPort().Port()) }

// greet reads a stream header and answers with one and these features.
func greet(c net.Conn, from, features string) {
	until(c, "to='"+from+"'>")
	fmt.Fprintf(c, "<stream:stream xmlns='jabber:server' xmlns:stream='%s' xmlns:db='jabber:server:dialback' id='1' "+
		"from='%s' version='1.0'><stream:features>%s</stream:features>", wire.NSStream, from, features)
}

// until reads up to a text.
func until(r io.Reader, end string) {
	var all strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(all.String(), end); {
		if _, err := r.Read(b); err != nil {
			return
		}
		all.Write(b)
	}
}

// TestProbeNames says for each oddity of DNS, and of what is found there, which step fails and why.
func TestProbeNames(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	const starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	b := newSite(t, d, ca, siteConfig{
		domains: []string{"good.example", "alias.example", "direct.example", "second.example", "half.example"},
		cert:    ca.issue(nil, "good.example", "alias.example", "direct.example", "second.example"),
	})
	old := newSite(t, d, ca, siteConfig{domains: []string{"old.example"}, cert: ca.issue(expired, "old.example")})
	wrong := newSite(t, d, ca,
		siteConfig{domains: []string{"wrong.example"}, cert: ca.issue(nil, "another.example", "www.another.example")})
	cert := ca.issue(nil, "stub.example")
	closes := stub(t, func(c net.Conn) {
		tls.Server(c, &tls.Config{Certificates: []tls.Certificate{*cert}}).Handshake()
	})
	web := stub(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"); io.Copy(io.Discard, c) })
	mute := stub(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	plain := stub(t, func(c net.Conn) { greet(c, "plain.example", ""); io.Copy(io.Discard, c) })
	refuses := stub(t, func(c net.Conn) {
		greet(c, "refuses.example", starttls)
		until(c, "/>")
		io.WriteString(c, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
	})
	ancient := stub(t, func(c net.Conn) {
		tls.Server(c, &tls.Config{
			Certificates: []tls.Certificate{*cert},
			MinVersion:   tls.VersionTLS10,
			MaxVersion:   tls.VersionTLS11,
		}).Handshake()
	})
	proofless := stub(t, func(c net.Conn) {
		nc := tlsServer(c, ca.issue(nil, "proofless.example"))
		greet(nc, "proofless.example", "")
		until(nc, "</db:result>")
		nc.Close()
	})
	unbelieving := stub(t, func(c net.Conn) {
		nc := tlsServer(c, ca.issue(nil, "unbelieving.example"))
		greet(nc, "unbelieving.example", "")
		until(nc, "</db:result>")
		io.WriteString(nc, "<db:result from='unbelieving.example' to='a.example' type='invalid'/>")
		io.Copy(io.Discard, nc)
	})

	zone := []string{
		"here.test. 60 IN A 127.0.0.1", "other.test. 60 IN CNAME here.test.", "inside.test. 60 IN A 10.1.2.3",
		"text.test. 60 IN TXT \"hello\"", "empty.example. 60 IN TXT \"hello\"", "half.example. 60 IN A 127.0.0.1",
		"six.test. 60 IN AAAA ::1", "SERVFAIL servfail.example", "BOGUS bogus.example", "REFUSED refused.example",
		"SILENCE silent.example", "SRVFAIL half.example",
	}
	srv := func(service, domain string, priority, port int, host string) {
		zone = append(zone, fmt.Sprintf("_%s._tcp.%s. 60 IN SRV %d 5 %d %s", service, domain, priority, port, host))
	}
	srv("xmpp-server", "good.example", 1, portOf(b.addr), "here.test.")
	srv("xmpp-server", "old.example", 1, portOf(old.addr), "here.test.")
	srv("xmpp-server", "wrong.example", 1, portOf(wrong.addr), "here.test.")
	srv("xmpps-server", "direct.example", 1, portOf(b.direct), "here.test.")
	srv("xmpps-server", "second.example", 1, web, "here.test.")
	srv("xmpp-server", "second.example", 2, portOf(b.addr), "here.test.")
	srv("xmpp-server", "alias.example", 1, portOf(b.addr), "other.test.")
	srv("xmpp-server", "dot.example", 0, 0, ".")
	srv("xmpp-server", "lost.example", 0, 5269, "nothing.test.")
	srv("xmpp-server", "bare.example", 0, 5269, "text.test.")
	srv("xmpp-server", "private.example", 0, 5269, "inside.test.")
	srv("xmpp-server", "closed.example", 0, portOf(refusing(t)), "here.test.")
	srv("xmpp-server", "mute.example", 0, mute, "here.test.")
	srv("xmpp-server", "plain.example", 0, plain, "here.test.")
	srv("xmpp-server", "refuses.example", 0, refuses, "here.test.")
	srv("xmpps-server", "web.example", 0, web, "here.test.")
	srv("xmpps-server", "closes.example", 0, closes, "here.test.")
	srv("xmpps-server", "ancient.example", 0, ancient, "here.test.")
	srv("xmpps-server", "proofless.example", 0, proofless, "here.test.")
	srv("xmpps-server", "unbelieving.example", 0, unbelieving, "here.test.")
	srv("xmpp-server", "foreign.example", 0, portOf(b.addr), "here.test.")
	addr := oddDNS(t, zone...)
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example"},
		cert:    ca.issue(nil, "a.example"),
		change:  asking(addr, 30*time.Second),
	})
	slow := newSite(t, d, ca, siteConfig{
		domains: []string{"slow.example"},
		cert:    ca.issue(nil, "slow.example"),
		change: func(c *Config) {
			asking(addr, 3*time.Second)(c)
			c.HandshakeTimeout = time.Second
		},
	})

	const all = "policy, dns, address, tcp, tls, certificate, authentication"
	for _, c := range []struct{ domain, want, step, text string }{
		{"good.example", all, "address", "here.test is at 127.0.0.1"},
		{"direct.example", all, "dns", "(TLS)"},
		{"alias.example", all, "address", "an alias of here.test"},
		{"nosuch.example", "policy, dns fails", "dns",
			"DNS knows no such domain: check the spelling of nosuch.example"},
		{"empty.example", "policy, dns, address fails", "address",
			"there is no SRV record, and empty.example has no address"},
		{"dot.example", "policy, dns fails", "dns", "says that it has no XMPP server"},
		{"lost.example", "policy, dns, address fails", "address", "DNS knows no name nothing.test"},
		{"bare.example", "policy, dns, address fails", "address", "names text.test, which has no address"},
		{"servfail.example", "policy, dns fails", "dns", "SERVFAIL for _xmpp-server._tcp.servfail.example"},
		{"bogus.example", "policy, dns fails", "dns",
			"DNSSEC: the signatures of _xmpp-server._tcp.bogus.example are wrong"},
		{"refused.example", "policy, dns fails", "dns", "refuses to answer"},
		{"silent.example", "policy, dns fails", "dns", "DNS did not answer in time"},
		{"half.example", "policy, dns fails, address", "dns", "SERVFAIL"},
		{"private.example", "policy, dns, address fails", "address",
			"inside.test is at 10.1.2.3: DNS names an address that is not on the public internet; list its network " +
				"in federation.allow_networks"},
		{"closed.example", "policy, dns, address, tcp fails", "tcp", "here.test port "},
		{"closed.example", "policy, dns, address, tcp fails", "tcp", "nothing listens"},
		{"plain.example", "policy, dns, address, tcp, tls fails", "tls", "offers no encryption"},
		{"refuses.example", "policy, dns, address, tcp, tls fails", "tls", "offers it but refuses to begin"},
		{"web.example", "policy, dns, address, tcp, tls fails", "tls", "does not speak TLS"},
		{"closes.example", "policy, dns, address, tcp, tls fails", "tls", "not an XMPP server"},
		{"mute.example", "policy, dns, address, tcp, tls fails", "tls", "accepts the connection but does not answer"},
		{"ancient.example", "policy, dns, address, tcp, tls fails", "tls", "refused it"},
		{"second.example", "policy, dns, address, tcp, tls fails, tcp, tls, certificate, authentication",
			"tls", "does not speak TLS"},
		{"wrong.example", "policy, dns, address, tcp, tls, certificate fails, authentication", "certificate",
			"is not for wrong.example, only for another.example, www.another.example"},
		{"old.example", "policy, dns, address, tcp, tls, certificate fails, authentication",
			"certificate", "has expired"},
		{"foreign.example", "policy, dns, address, tcp, tls fails", "tls", "does not serve this domain"},
		{"proofless.example", all + " fails", "authentication", "neither our certificate nor dialback"},
		{"unbelieving.example", all + " fails", "authentication", "does not accept our identity"},
	} {
		from, site := "a.example", a
		if c.domain == "silent.example" || c.domain == "mute.example" {
			from, site = "slow.example", slow
		}
		ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
		got := site.door.Probe(ctx, from, c.domain, nil)
		cancel()
		path := steps(got)
		if c.domain == "half.example" { // the test does not know what listens at port 5269 of this machine
			path = path[:min(len(path), len(c.want))]
		}
		text := ""
		for _, s := range got {
			if s.Name == c.step && text == "" || s.Name == c.step && !s.OK {
				text = s.Text
			}
		}
		if path != c.want || !strings.Contains(text, c.text) {
			t.Errorf("%s: %s\n%+v", c.domain, steps(got), got)
		}
	}
}

// TestProbeSix reaches a server that has an address of IPv6 alone.
func TestProbeSix(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	ca, d := newAuthority(t), newDNS()
	b := newSite(t, d, ca, siteConfig{domains: []string{"six.example"}, cert: ca.issue(nil, "six.example")})
	served := make(chan error, 1)
	go func() { served <- b.door.Serve(l, false) }()
	t.Cleanup(func() { l.Close(); <-served })
	addr := oddDNS(t, "six.test. 60 IN AAAA ::1",
		fmt.Sprintf("_xmpp-server._tcp.six.example. 60 IN SRV 0 5 %d six.test.", portOf(l.Addr())))
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example"},
		cert:    ca.issue(nil, "a.example"),
		change:  asking(addr, 30*time.Second),
	})
	got := a.door.Probe(t.Context(), "a.example", "six.example", nil)
	if want := "policy, dns, address, tcp, tls, certificate, authentication"; steps(got) != want ||
		!strings.Contains(got[2].Text, "six.test is at ::1") {
		t.Errorf("%s\n%+v", steps(got), got)
	}
}

// TestUnreached tells a machine without IPv6 from a server that is down.
func TestUnreached(t *testing.T) {
	six, four := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		at   []netip.Addr
		err  error
		want string
	}{
		{[]netip.Addr{six}, syscall.ENETUNREACH, "only has IPv6 addresses"},
		{[]netip.Addr{six}, syscall.EADDRNOTAVAIL, "only has IPv6 addresses"},
		{[]netip.Addr{six, four}, errors.Join(syscall.ENETUNREACH, syscall.ECONNREFUSED), "nothing listens"},
		{[]netip.Addr{four}, syscall.EHOSTUNREACH, "no route"},
	} {
		if got := unreached(where{may: c.at}, &net.OpError{Op: "dial", Err: c.err}); !strings.Contains(got, c.want) {
			t.Errorf("%v %v: %s", c.at, c.err, got)
		}
	}
}
