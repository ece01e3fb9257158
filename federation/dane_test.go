package federation

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// zone is a DNS whose answers count as proven by DNSSEC.
type zone struct {
	*fakeDNS
	tlsa   map[string][]TLSA // by name and port
	proven bool
}

func (z *zone) SRV(ctx context.Context, service, name string) ([]*net.SRV, bool, error) {
	_, rs, err := z.LookupSRV(ctx, service, "tcp", name)
	if isNotFound(err) {
		err = nil
	}
	return rs, z.proven, err
}

func (z *zone) TLSA(_ context.Context, port uint16, host string) ([]TLSA, bool, error) {
	return z.tlsa[tlsaName(port, host)], z.proven, nil
}

// record names a certificate for the server of a domain.
func (z *zone) record(domain string, s *site, r TLSA) {
	port := netip.MustParseAddrPort(s.addr.String()).Port()
	z.tlsa[tlsaName(port, "host."+domain)] = []TLSA{r}
}

func keyOf(c *tls.Certificate) TLSA {
	sum := sha256.Sum256(c.Leaf.RawSubjectPublicKeyInfo)
	return TLSA{Usage: daneEE, Selector: 1, Matching: 1, Data: sum[:]}
}

// TestDANE: certificates of an authority that nobody trusts are good if DNSSEC names them, in both directions.
func TestDANE(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*zone, *TLSA)
		ok     bool
	}{
		{"named", func(*zone, *TLSA) {}, true},
		{"not proven", func(z *zone, _ *TLSA) { z.proven = false }, false},
		{"another", func(_ *zone, r *TLSA) { r.Data = slices.Repeat([]byte{1}, 32) }, false},
		{"only of authorities", func(_ *zone, r *TLSA) { r.Usage = 1 }, false},
		{"an unknown selector", func(_ *zone, r *TLSA) { r.Selector = 9 }, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			ca, other, d := newAuthority(t), newAuthority(t), newDNS()
			z := &zone{d, make(map[string][]TLSA), true}
			strict := func(c *Config) { c.Policy.RequireCertificate, c.Secure = true, z }
			ac, bc := other.issue(nil, "a.example"), other.issue(expired, "another.example")
			a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ac, change: strict})
			b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: bc, change: strict})
			for domain, s := range map[string]*site{"a.example": a, "b.example": b} {
				r := keyOf(map[string]*tls.Certificate{"a.example": ac, "b.example": bc}[domain])
				c.change(z, &r)
				z.record(domain, s, r)
			}
			if c.ok {
				exchange(t, a, b, "a.example", "b.example")
				return
			}
			a.mustSend("romeo@a.example/x", "juliet@b.example", "no")
			if st := a.users["a.example"].next(t); condition(st) != "remote-server-timeout" {
				t.Errorf("got %+v", st)
			}
		})
	}
}

// TestValidating: proven answers are distinguished from others; a long answer comes over TCP.
func TestValidating(t *testing.T) {
	data := hex.EncodeToString(slices.Repeat([]byte{7}, 32))
	answer := func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg)
		m.SetReply(q)
		name := q.Question[0].Name
		switch {
		case name == "_5269._tcp.long.example." && w.RemoteAddr().Network() == "udp":
			m.Truncated = true
		case q.Question[0].Qtype == dns.TypeTLSA && name != "_5269._tcp.none.example.":
			m.Answer = []dns.RR{&dns.TLSA{
				Hdr:          dns.RR_Header{Name: name, Rrtype: dns.TypeTLSA, Class: dns.ClassINET},
				Usage:        3,
				Selector:     1,
				MatchingType: 1,
				Certificate:  data,
			}}
		case q.Question[0].Qtype == dns.TypeSRV:
			m.Answer = []dns.RR{&dns.SRV{
				Hdr:      dns.RR_Header{Name: name, Rrtype: dns.TypeSRV, Class: dns.ClassINET},
				Port:     7,
				Priority: 3,
				Target:   "x.example.",
			}}
		}
		m.AuthenticatedData = q.AuthenticatedData && name != "_5269._tcp.open.example."
		_ = w.WriteMsg(m)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	pc, err := net.ListenPacket("udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{
		{Listener: l, Handler: dns.HandlerFunc(answer)},
		{PacketConn: pc, Handler: dns.HandlerFunc(answer)},
	} {
		done := make(chan error, 1)
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		go func() { done <- s.ActivateAndServe() }()
		<-up
		t.Cleanup(func() { _ = s.Shutdown(); <-done })
	}
	v := Validating{Addr: l.Addr().String(), Timeout: 5 * time.Second}
	for host, want := range map[string]struct {
		n      int
		proven bool
	}{"a.example": {1, true}, "open.example.": {1, false}, "long.example": {1, true}, "none.example": {0, true}} {
		rs, proven, err := v.TLSA(t.Context(), 5269, host)
		if err != nil || len(rs) != want.n || proven != want.proven {
			t.Errorf("%s: %v %v %v", host, rs, proven, err)
		}
		if len(rs) == 1 && (rs[0].Usage != 3 || hex.EncodeToString(rs[0].Data) != data) {
			t.Errorf("%s: %+v", host, rs[0])
		}
	}
	srvs, proven, err := v.SRV(t.Context(), "xmpp-server", "a.example.")
	if err != nil || !proven || len(srvs) != 1 || srvs[0].Port != 7 || srvs[0].Target != "x.example." {
		t.Errorf("got %v %v %v", srvs, proven, err)
	}
}
