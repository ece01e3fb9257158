package federation

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// finding is what DNS says of a name, in more detail than a resolver for programs.
type finding struct {
	rcode int  // distinguishes NXDOMAIN from a missing record
	bogus bool // there is an answer, but its DNSSEC signatures are wrong
	alias string
}

// inspect asks DNS about a name. ok is false if no server is configured or none answers.
func (s *Server) inspect(ctx context.Context, name string, kind uint16) (f finding, ok bool) {
	m, err := s.askDNS(ctx, name, kind, false)
	if err != nil {
		return f, false
	}
	f.rcode = m.Rcode
	for _, rr := range m.Answer {
		if c, is := rr.(*dns.CNAME); is && f.alias == "" {
			f.alias = strings.TrimSuffix(c.Target, ".")
		}
	}
	if f.rcode == dns.RcodeServerFailure {
		unchecked, err := s.askDNS(ctx, name, kind, true)
		f.bogus = err == nil && unchecked.Rcode != dns.RcodeServerFailure
	}
	return f, true
}

// askDNS asks DNSServer. unchecked also accepts answers with wrong signatures (RFC 4035, section 3.2.2).
func (s *Server) askDNS(ctx context.Context, name string, kind uint16, unchecked bool) (*dns.Msg, error) {
	if s.cfg.DNSServer == "" {
		return nil, errDNS
	}
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	q.SetEdns0(1232, false)
	q.CheckingDisabled = unchecked
	c := dns.Client{Timeout: s.cfg.DNSTimeout}
	m, _, err := c.ExchangeContext(ctx, q, s.cfg.DNSServer)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errDNS, name, err)
	}
	return m, nil
}

// whyDNS says in plain words why DNS has nothing for a name. fallback is the text if DNS cannot be asked.
func (s *Server) whyDNS(ctx context.Context, name string, kind uint16, fallback string) string {
	f, ok := s.inspect(ctx, name, kind)
	name = strings.TrimSuffix(name, ".")
	switch {
	case !ok:
		return fallback
	case f.bogus:
		return "DNSSEC: the signatures of " + name + " are wrong, so our resolver gives no answer"
	case f.rcode == dns.RcodeServerFailure:
		return "the name servers of the domain fail: DNS answers SERVFAIL for " + name
	case f.rcode == dns.RcodeNameError:
		return "DNS knows no name " + name
	case f.rcode == dns.RcodeRefused:
		return "our DNS resolver refuses to answer"
	case f.rcode != dns.RcodeSuccess:
		return fmt.Sprintf("DNS answers %s for %s", dns.RcodeToString[f.rcode], name)
	}
	return fallback
}

// where is a target with its addresses.
type where struct {
	target
	all, may []netip.Addr // its addresses, and those that the server may connect to
}

// String returns the host and the port.
func (w where) String() string {
	return fmt.Sprintf("%s port %d", strings.TrimSuffix(w.host, "."), w.port)
}

// onlySix reports whether every address is an IPv6 address.
func (w where) onlySix() bool {
	return len(w.may) > 0 && !slices.ContainsFunc(w.may, netip.Addr.Is4)
}
