package federation

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Domain is what the server knows of a remote domain since it started.
type Domain struct {
	Domain      string
	LastOut     time.Time // when a stream to it was last opened, and when one from it was last proven
	LastIn      time.Time
	Error       string // the last failure in plain words; "" if it has worked since
	Detail      string // the program's own error
	ErrorAt     time.Time
	RetryAt     time.Time // the server does not dial the domain before
	Certificate Certificate
	Streams     []Status
	Rule        string // the administrators' rule for it or a domain above it; "": none
}

// Certificate is the certificate that a server presented last.
type Certificate struct {
	Subject, Issuer string
	NotAfter        time.Time // zero: none was seen
	Problem         string    // why the certificate proves nothing; "" if it does
}

// states remembers a limited number of domains, and forgets those without news for the longest time.
type states struct {
	mu sync.Mutex
	of map[string]*Domain
}

const maxStates = 5000

func (s *states) note(domain string, f func(*Domain)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.of[domain]
	if d == nil {
		if s.of == nil {
			s.of = make(map[string]*Domain)
		}
		if len(s.of) >= maxStates {
			var oldest *Domain
			for _, o := range s.of {
				if oldest == nil || o.last().Before(oldest.last()) {
					oldest = o
				}
			}
			delete(s.of, oldest.Domain)
		}
		d = &Domain{Domain: domain}
		s.of[domain] = d
	}
	f(d)
}

func (d *Domain) last() time.Time {
	return slices.MaxFunc([]time.Time{d.LastIn, d.LastOut, d.ErrorAt}, time.Time.Compare)
}

// failed notes why there is no stream to a domain.
func (s *Server) failed(p pair, err error) {
	begun, now := time.Now(), s.cfg.Clock.Now()
	again := now.Add(s.backs.failed(p, err, begun).Sub(begun))
	s.known.note(p.to, func(d *Domain) {
		d.Error, d.Detail, d.ErrorAt, d.RetryAt = Explain(err), err.Error(), now, again
	})
}

// reached notes a stream to a domain.
func (s *Server) reached(p pair, over *tls.Conn) {
	s.backs.worked(p)
	s.known.note(p.to, func(d *Domain) {
		d.LastOut, d.Error, d.Detail, d.RetryAt = s.cfg.Clock.Now(), "", "", time.Time{}
		if over != nil {
			d.Certificate = s.describe(over.ConnectionState().PeerCertificates, p.to)
		}
	})
}

func (s *Server) describe(certs []*x509.Certificate, domain string) (c Certificate) {
	if len(certs) > 0 {
		c = Certificate{
			Subject:  certs[0].Subject.String(),
			Issuer:   certs[0].Issuer.String(),
			NotAfter: certs[0].NotAfter,
		}
		if c.Subject == "" && len(certs[0].DNSNames) > 0 {
			c.Subject = certs[0].DNSNames[0]
		}
	}
	if err := checkCertificate(certs, domain, s.cfg.Roots, s.cfg.Clock.Now()); err != nil {
		c.Problem = Explain(err)
	}
	return c
}

// Domains returns what the server knows of remote domains, sorted by name.
func (s *Server) Domains() []Domain {
	all := make(map[string]*Domain)
	s.known.mu.Lock()
	for name, d := range s.known.of {
		c := *d
		all[name] = &c
	}
	s.known.mu.Unlock()
	for _, st := range s.Streams() {
		name := st.To
		if st.Incoming {
			name = st.From
		}
		if all[name] == nil {
			all[name] = &Domain{Domain: name}
		}
		all[name].Streams = append(all[name].Streams, st)
	}
	out := make([]Domain, 0, len(all))
	for _, d := range all {
		d.Rule = s.RuleFor(d.Domain)
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Domain) int { return cmp.Compare(a.Domain, b.Domain) })
	return out
}

// together joins what two nodes know of remote domains, sorted by name. Of a domain that both know, the newer news of
// each kind counts.
func together(some, more []Domain) []Domain {
	all := append(slices.Clone(some), more...)
	slices.SortStableFunc(all, func(a, b Domain) int { return cmp.Compare(a.Domain, b.Domain) })
	out := all[:0]
	for _, d := range all {
		if n := len(out); n > 0 && out[n-1].Domain == d.Domain {
			out[n-1].join(d)
		} else {
			out = append(out, d)
		}
	}
	return out
}

// join adds what another node knows of the domain.
func (d *Domain) join(o Domain) {
	if o.LastOut.After(d.LastOut) {
		d.LastOut = o.LastOut
		if o.Certificate != (Certificate{}) {
			d.Certificate = o.Certificate
		}
	}
	if o.LastIn.After(d.LastIn) {
		d.LastIn = o.LastIn
	}
	if o.ErrorAt.After(d.ErrorAt) {
		d.Error, d.Detail, d.ErrorAt, d.RetryAt = o.Error, o.Detail, o.ErrorAt, o.RetryAt
	}
	if d.ErrorAt.Before(d.LastOut) { // it has worked since, at whatever node
		d.Error, d.Detail, d.RetryAt = "", "", time.Time{}
	}
	d.Streams = append(slices.Clone(d.Streams), o.Streams...)
}

// Explain says in plain English what went wrong with another server, and what can be done. It returns "" for nil.
func Explain(err error) string {
	if err == nil {
		return ""
	}
	for _, explain := range []func(error) string{explainDNS, explainCertificate, explainRefusal, explainConnection} {
		if text := explain(err); text != "" {
			return text
		}
	}
	return "the connection broke"
}

func explainDNS(err error) string {
	var de *net.DNSError
	switch {
	case errors.Is(err, errNone):
		return "the domain says that it has no XMPP server: the target of its SRV record is a dot"
	case errors.Is(err, errNotFound):
		return "DNS knows no XMPP server for this domain: there is no record _xmpp-server._tcp or " +
			"_xmpps-server._tcp, and no address"
	case errors.As(err, &de) && de.IsTimeout:
		return "DNS did not answer in time: the name servers of this domain, or our resolver, cannot be reached"
	case errors.As(err, &de):
		return "DNS could not be asked: " + de.Err
	}
	return ""
}

func explainCertificate(err error) string {
	var expired x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	switch {
	case errors.As(err, &expired) && expired.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet, or a clock is wrong"
	case errors.As(err, &unknown):
		return "its certificate is signed by an authority that this machine does not trust"
	case errors.As(err, &host), errors.Is(err, errWrongHost):
		return "its certificate is for another domain"
	case errors.Is(err, errNoCertificate):
		return "it sends no certificate"
	}
	return ""
}

func explainRefusal(err error) string {
	var re *remoteError
	var er *errRefused
	switch {
	case errors.As(err, &re) && re.condition == "host-unknown":
		return "the server that DNS names does not serve this domain"
	case errors.As(err, &re) && (re.condition == "policy-violation" || re.condition == "not-authorized"):
		return "the other server refuses to communicate with us (" + re.condition +
			"): its administrator may have blocked us"
	case errors.As(err, &re):
		return fmt.Sprintf("the other server ended the stream: %s", re.condition)
	case errors.As(err, &er):
		return "the other server does not accept our identity: our certificate does not prove it, and " +
			"dialback failed (" + er.condition + ")"
	}
	return ""
}

func explainConnection(err error) string {
	switch {
	case errors.Is(err, errPrivate):
		return "DNS names an address that is not on the public internet; list its network in " +
			"federation.allow_networks to allow it"
	case errors.Is(err, errTLS):
		return "the other server offers no encryption, which is required here"
	case errors.Is(err, errHandshake) && !isTimeout(err):
		return "TLS failed: " + handshakeFault(err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens at its address: the server is down, or a firewall refuses us"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no route to its address"
	case isTimeout(err):
		return "it did not answer in time: the server is down, or a firewall drops what we send"
	case errors.Is(err, errDial):
		return "the connection could not be made"
	}
	return ""
}

// handshakeFault says why a TLS handshake failed.
func handshakeFault(err error) string {
	var alert *net.OpError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &alert) && alert.Op == "remote error": // an alert, whose type crypto/tls does not export
		return "the other server refused it (" + strings.TrimPrefix(alert.Err.Error(), "tls: ") + ")"
	case errors.Is(err, errNoProceed):
		return "the other server offers it but refuses to begin"
	case errors.As(err, &record):
		return "the program that answers there does not speak TLS"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, syscall.EPIPE):
		return "the other server closed the connection"
	}
	return "this server does not accept its versions, ciphers or keys"
}
