package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"mellium.im/xmpp/stanza"

	"parley/store"
	"parley/wire"
)

func rule(domain, action string) store.DomainRule {
	return store.DomainRule{Domain: domain, Action: action}
}

// TestRulesOfDomains: a domain's own rule takes precedence over those of domains above it, and those over the
// configuration.
func TestRulesOfDomains(t *testing.T) {
	s := New(Config{Log: discard, Policy: Policy{Block: []string{"*.bad.example"}}})
	for _, c := range []struct {
		rules                       []store.DomainRule
		only                        bool
		domain                      string
		permits, certify, dialbacks bool
	}{
		{nil, false, "a.example", true, false, true},
		{nil, false, "x.bad.example", false, false, true},
		{[]store.DomainRule{rule("x.bad.example", store.DomainAllow)}, false, "x.bad.example", true, false, true},
		{[]store.DomainRule{rule("*.a.example", store.DomainBlock)}, false, "x.y.a.example", false, false, true},
		{[]store.DomainRule{rule("*.a.example", store.DomainBlock)}, false, "a.example", true, false, true},
		{[]store.DomainRule{rule("*.a.example", store.DomainBlock), rule("*.y.a.example", store.DomainCertificate)},
			false, "x.y.a.example", true, true, false},
		{[]store.DomainRule{rule("b.example", store.DomainAllow)}, true, "a.example", false, false, true},
		{[]store.DomainRule{rule("b.example", store.DomainAllow)}, true, "b.example", true, false, true},
	} {
		s.SetRules(c.rules, c.only)
		if got := s.permits(c.domain); got != c.permits {
			t.Errorf("%v %v: %s permitted: %v", c.rules, c.only, c.domain, got)
		}
		if got := s.certificateFrom(c.domain); got != c.certify {
			t.Errorf("%v: %s needs a certificate: %v", c.rules, c.domain, got)
		}
		if got := s.dialbackWith(c.domain); got != c.dialbacks {
			t.Errorf("%v: %s may use dialback: %v", c.rules, c.domain, got)
		}
	}
}

// TestRulesEndStreams: a domain that is blocked during a stream is no longer heard.
func TestRulesEndStreams(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	exchange(t, a, b, "a.example", "b.example")
	x := signedIn(t, ca, b)
	b.door.SetRules([]store.DomainRule{rule("a.example", store.DomainBlock)}, false)
	x.fails("policy-violation")
	var se stanza.Error
	if err := b.send("juliet@b.example/x", "romeo@a.example", "no"); !errors.As(err, &se) ||
		se.Condition != stanza.NotAllowed {
		t.Errorf("got %v", err)
	}
	b.door.SetRules(nil, false)
	x = signedIn(t, ca, b)
	x.send("<message from='romeo@a.example/x' to='juliet@b.example'><body>again</body></message>")
	if st := b.users["b.example"].next(t); st.BodyText() != "again" {
		t.Errorf("got %+v", st)
	}
}

// TestBlockedAtOnce: a blocked domain gets nothing more, however much waits for it or is unacknowledged.
func TestBlockedAtOnce(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{
		domains: []string{"a.example"},
		cert:    ca.issue(nil, "a.example"),
		change:  func(c *Config) { c.MaxQueued = 2 },
	})
	accept := called(t, ca, d, "b.example")
	a.mustSend("romeo@a.example/x", "juliet@b.example", "0")
	x := accept("<sm xmlns='" + nsSM + "'/>")
	x.next()
	x.send("<enabled xmlns='%s'/>", nsSM)
	if st := x.next(); st.BodyText() != "0" {
		t.Fatalf("got %+v", st)
	}
	if st := x.next(); st.Name != (wire.Name{Space: nsSM, Local: "r"}) {
		t.Fatalf("got %v", st.Name)
	}
	a.mustSend("romeo@a.example/x", "juliet@b.example", "1")
	if st := x.next(); st.BodyText() != "1" {
		t.Fatalf("got %+v", st)
	}
	a.mustSend("romeo@a.example/x", "juliet@b.example", "2") // waits
	a.door.SetRules([]store.DomainRule{rule("b.example", store.DomainBlock)}, false)
	var se stanza.Error
	if err := a.send("romeo@a.example/x", "juliet@b.example", "3"); !errors.As(err, &se) ||
		se.Condition != stanza.NotAllowed {
		t.Errorf("got %v", err)
	}
	for i := range 3 {
		if st := a.users["a.example"].next(t); condition(st) != "not-allowed" || st.BodyText() != fmt.Sprint(i) {
			t.Errorf("got %+v %s", st, st.Payload)
		}
	}
}

func steps(ss []Step) string {
	var out []string
	for _, s := range ss {
		text := s.Name
		if !s.OK {
			text += " fails"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

// TestProbe: the probe reports each step up to the one that fails.
func TestProbe(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	newSite(t, d, ca, siteConfig{domains: []string{"old.example"}, cert: ca.issue(expired, "old.example")})
	d.srv["_xmpp-server._tcp.gone.example"] = d.srv["_xmpp-server._tcp.b.example"]
	ctx := context.Background()
	asked := false
	ping := func(context.Context) error { asked = true; return nil }
	for _, c := range []struct {
		domain, want, last string
		rules              []store.DomainRule
	}{
		{"b.example", "policy, dns, address, tcp, tls, certificate, authentication, ping", "answers", nil},
		{"nowhere.example", "policy, dns, address fails", "no address of its own", nil},
		{"gone.example", "policy, dns, address, tcp, tls fails", "does not serve this domain", nil},
		{"old.example", "policy, dns, address, tcp, tls, certificate fails, authentication, ping", "answers", nil},
		{"old.example", "policy, dns, address, tcp, tls, certificate fails", "expired",
			[]store.DomainRule{rule("old.example", store.DomainCertificate)}},
		{"b.example", "policy fails", "blocked", []store.DomainRule{rule("b.example", store.DomainBlock)}},
		{"a.example", "policy fails", "served here", nil},
	} {
		a.door.SetRules(c.rules, false)
		got := a.door.Probe(ctx, "a.example", c.domain, ping)
		if steps(got) != c.want || !strings.Contains(got[len(got)-1].Text, c.last) {
			t.Errorf("%s: %s\n%+v", c.domain, steps(got), got)
		}
	}
	if !asked {
		t.Error("nothing was asked")
	}
}

// TestDomains: the server remembers what happened with a domain.
func TestDomains(t *testing.T) {
	ca, d := newAuthority(t), newDNS()
	a := newSite(t, d, ca, siteConfig{domains: []string{"a.example"}, cert: ca.issue(nil, "a.example")})
	b := newSite(t, d, ca, siteConfig{domains: []string{"b.example"}, cert: ca.issue(nil, "b.example")})
	exchange(t, a, b, "a.example", "b.example")
	a.mustSend("romeo@a.example/x", "juliet@nowhere.example", "lost")
	a.users["a.example"].next(t)
	got := a.door.Domains()
	if len(got) != 2 || got[0].Domain != "b.example" || got[0].LastOut.IsZero() || got[0].Error != "" ||
		got[0].Certificate.NotAfter.IsZero() || got[0].Certificate.Problem != "" || len(got[0].Streams) != 1 {
		t.Errorf("got %+v", got)
	}
	if n := got[1]; n.Domain != "nowhere.example" ||
		!strings.HasPrefix(n.Error, "DNS knows no XMPP server") || n.RetryAt.IsZero() {
		t.Errorf("got %+v", n)
	}
}
