package federation

import (
	"context"
	"encoding/hex"
	"fmt"
	"net"
	"time"

	"github.com/miekg/dns"
)

// Validating is a Secure that trusts its resolver. The resolver checks DNSSEC and says so in its answers (RFC 6840,
// section 5.7); it must be on this machine or in a trusted network, so that nobody can change its answers.
type Validating struct {
	Addr    string // address and port, such as "127.0.0.1:53"
	Timeout time.Duration
}

// SRV asks for the SRV records of a name. The bool says whether DNSSEC proved the answer.
func (v Validating) SRV(ctx context.Context, service, name string) (out []*net.SRV, proven bool, err error) {
	m, err := v.ask(ctx, "_"+service+"._tcp."+name, dns.TypeSRV)
	if err != nil {
		return nil, false, err
	}
	for _, rr := range m.Answer {
		if r, ok := rr.(*dns.SRV); ok {
			out = append(out, &net.SRV{Target: r.Target, Port: r.Port, Priority: r.Priority, Weight: r.Weight})
		}
	}
	return out, m.AuthenticatedData, nil
}

// TLSA asks for the TLSA records of a name. The bool says whether DNSSEC proved the answer.
func (v Validating) TLSA(ctx context.Context, port uint16, host string) (out []TLSA, proven bool, err error) {
	m, err := v.ask(ctx, tlsaName(port, host), dns.TypeTLSA)
	if err != nil {
		return nil, false, err
	}
	for _, rr := range m.Answer {
		if r, ok := rr.(*dns.TLSA); ok {
			if data, err := hex.DecodeString(r.Certificate); err == nil {
				out = append(out, TLSA{Usage: r.Usage, Selector: r.Selector, Matching: r.MatchingType, Data: data})
			}
		}
	}
	return out, m.AuthenticatedData, nil
}

// ask asks over UDP, and over TCP if the answer does not fit.
func (v Validating) ask(ctx context.Context, name string, kind uint16) (*dns.Msg, error) {
	q := new(dns.Msg)
	q.SetQuestion(name, kind)
	q.SetEdns0(1232, false)
	q.AuthenticatedData = true
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: v.Timeout}
		m, _, err := c.ExchangeContext(ctx, q, v.Addr)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %s: %w", errDNS, name, err)
		case m.Truncated && network == "udp":
			continue
		case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
			return nil, fmt.Errorf("%w: %s: %s", errDNS, name, dns.RcodeToString[m.Rcode])
		}
		return m, nil
	}
	return nil, fmt.Errorf("%w: %s: the answer does not fit", errDNS, name)
}
