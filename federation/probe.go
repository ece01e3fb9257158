package federation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// Step is one condition for communicating with another server.
type Step struct {
	Name   string // "policy", "dns", "address", "tcp", "tls", "certificate", "authentication", "ping"
	OK     bool
	Text   string // in English: what was found, or what is wrong
	Detail string // the program's own error
	Took   time.Duration
}

// Probe tries to reach a remote domain from one of ours, step by step, with a connection of its own and regardless of
// the back-off. At the end it calls ping, if that is not nil, to ask the domain something in the ordinary way. It ends
// at the first failed step; but a failed certificate does not count where dialback suffices, nor a failed address or
// record where another one works.
func (s *Server) Probe(ctx context.Context, from, domain string, ping func(context.Context) error) []Step {
	ctx, cancel := context.WithTimeout(ctx, 4*s.cfg.DNSTimeout+2*s.cfg.HandshakeTimeout+s.cfg.AuthTimeout)
	defer cancel()
	pr := &probe{srv: s, pair: pair{from, domain}}
	defer func() {
		if pr.out != nil {
			pr.out.close(nil)
		}
	}()
	for _, step := range []func(context.Context) bool{
		pr.policy, pr.dns, pr.address, pr.connect, pr.tls, pr.certificate, pr.authentication,
	} {
		if !step(ctx) {
			return pr.steps
		}
	}
	if ping != nil {
		begun := time.Now()
		pr.done("ping", begun, ping(ctx), "the other server answers")
	}
	return pr.steps
}

type probe struct {
	srv     *Server
	pair    pair
	steps   []Step
	targets []target
	places  []where
	last    error // why the latest connection failed
	out     *outgoing
}

func (pr *probe) done(name string, begun time.Time, err error, text string, args ...any) bool {
	st := Step{Name: name, OK: err == nil, Text: fmt.Sprintf(text, args...), Took: time.Since(begun)}
	if err != nil {
		st.Text, st.Detail = Explain(err), err.Error()
	}
	pr.steps = append(pr.steps, st)
	return st.OK
}

func (pr *probe) policy(context.Context) bool {
	s, d := pr.srv, pr.pair.to
	text := "allowed; dialback is enough"
	switch {
	case s.cfg.Router.Local(d):
		pr.steps = append(pr.steps, Step{Name: "policy", Text: "this domain is served here"})
		return false
	case !s.permits(d):
		pr.steps = append(pr.steps, Step{
			Name: "policy",
			Text: "this server does not communicate with this domain: it is blocked, or not on " +
				"the list of allowed ones",
		})
		return false
	case s.certificateFrom(d):
		text = "allowed; a valid certificate is required"
	case !s.dialbackWith(d):
		text = "allowed; without dialback"
	}
	return pr.done("policy", time.Now(), nil, "%s", text)
}

// fail adds a failed step with a text of its own.
func (pr *probe) fail(name string, begun time.Time, err error, format string, args ...any) bool {
	pr.steps = append(pr.steps, Step{
		Name:   name,
		Text:   fmt.Sprintf(format, args...),
		Detail: err.Error(),
		Took:   time.Since(begun),
	})
	return false
}

// dns looks for the records that say where the domain is served. Without records, the domain's own address may do, as
// it does for stanzas.
func (pr *probe) dns(ctx context.Context) bool {
	begun := time.Now()
	ts, err := pr.srv.targets(ctx, pr.pair.to)
	pr.targets = ts
	if err != nil {
		return pr.done("dns", begun, err, "")
	}
	if t := ts[0]; t.doubt != nil {
		pr.fail("dns", begun, t.doubt, "%s",
			pr.srv.whyDNS(ctx, "_xmpp-server._tcp."+t.host, dns.TypeSRV, Explain(t.doubt)))
		as, err := pr.srv.addresses(ctx, t.host)
		return err == nil && len(as) > 0
	}
	if t := ts[0]; t.own {
		if f, ok := pr.srv.inspect(ctx, t.host, dns.TypeA); ok && f.rcode == dns.RcodeNameError {
			return pr.fail("dns", begun, errNotFound, "DNS knows no such domain: check the spelling of %s",
				strings.TrimSuffix(t.host, "."))
		}
		return pr.done("dns", begun, nil,
			"there is no SRV record, so the domain's own address is tried, at port %d", t.port)
	}
	var found []string
	for _, t := range ts {
		kind := "STARTTLS"
		if t.direct {
			kind = "TLS"
		}
		found = append(found, fmt.Sprintf("%s port %d (%s)", strings.TrimSuffix(t.host, "."), t.port, kind))
	}
	return pr.done("dns", begun, nil, "served at %s", strings.Join(found, ", "))
}

// address looks up the addresses of all targets.
func (pr *probe) address(ctx context.Context) bool {
	begun := time.Now()
	var found, missing []string
	var last error
	for _, t := range pr.targets {
		w := where{target: t}
		if w.all, last = pr.srv.addresses(ctx, t.host); last != nil {
			missing = append(missing, pr.withoutAddress(ctx, t, last))
			continue
		}
		if w.may = pr.srv.reachable(w.all); len(w.may) == 0 {
			last = errPrivate
			missing = append(missing,
				fmt.Sprintf("%s is at %s: %s", strings.TrimSuffix(t.host, "."), list(w.all), Explain(last)))
			continue
		}
		pr.places = append(pr.places, w)
		text := fmt.Sprintf("%s is at %s", strings.TrimSuffix(t.host, "."), list(w.may))
		if f, ok := pr.srv.inspect(ctx, t.host, dns.TypeA); ok && f.alias != "" && !t.own {
			text += " (an alias of " + f.alias + ", which SRV records should not name)" // RFC 2782: Target
		}
		found = append(found, text)
	}
	if len(found) == 0 {
		return pr.fail("address", begun, last, "%s", strings.Join(missing, "; "))
	}
	return pr.done("address", begun, nil, "%s", strings.Join(append(found, missing...), "; "))
}

func (pr *probe) withoutAddress(ctx context.Context, t target, err error) string {
	name := strings.TrimSuffix(t.host, ".")
	fallback := Explain(err)
	switch {
	case errors.Is(err, errNotFound) && t.own:
		return "there is no SRV record, and " + name + " has no address of its own"
	case errors.Is(err, errNotFound):
		fallback = "the SRV record names " + name + ", which has no address"
	}
	return pr.srv.whyDNS(ctx, t.host, dns.TypeA, fallback)
}

func list(as []netip.Addr) string {
	var out []string
	for _, a := range as {
		out = append(out, a.String())
	}
	return strings.Join(out, ", ")
}

// connect opens a stream to the first place that accepts one, as for stanzas.
func (pr *probe) connect(ctx context.Context) bool {
	for _, w := range pr.places {
		if pr.connectTo(ctx, w) {
			return true
		}
		var re *remoteError
		if ctx.Err() != nil || errors.As(pr.last, &re) { // the server was reached and refused
			break
		}
	}
	return false
}

func (pr *probe) connectTo(ctx context.Context, w where) bool {
	begun := time.Now()
	shaking, cancel := context.WithTimeout(ctx, pr.srv.cfg.HandshakeTimeout)
	defer cancel()
	raw, err := pr.srv.dialAny(shaking, w.may, w.port)
	if pr.last = err; err != nil {
		return pr.fail("tcp", begun, err, "%s: %s", w, unreached(w, err))
	}
	pr.done("tcp", begun, nil, "connected to %s", raw.RemoteAddr())
	begun = time.Now()
	silent := time.AfterFunc(pr.srv.cfg.HandshakeTimeout, func() { raw.Close() })
	pr.out, pr.last = pr.srv.openOn(ctx, shaking, raw, pr.pair, w.direct)
	if inTime := silent.Stop(); pr.last != nil {
		return pr.fail("tls", begun, pr.last, "%s: %s", w, unspoken(w, pr.last, !inTime || isTimeout(pr.last)))
	}
	return true
}

// unreached says why a place does not accept a connection.
func unreached(w where, err error) string {
	noRoute := errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.EADDRNOTAVAIL)
	if noRoute && w.onlySix() {
		return "it only has IPv6 addresses, and this machine has no IPv6 connection"
	}
	return Explain(fmt.Errorf("%w: %w", errDial, err))
}

// unspoken says why a connection did not become a stream.
func unspoken(w where, err error, silent bool) string {
	if silent && w.direct {
		return "it accepts the connection but does not answer our TLS handshake, although its DNS record " +
			"promises TLS from the start"
	}
	if silent {
		return "it accepts the connection but does not answer: is this the port for other XMPP servers?"
	}
	if text := Explain(err); text != "the connection broke" {
		return text
	}
	return "the program that answers there is not an XMPP server for other servers"
}

func (pr *probe) tls(context.Context) bool {
	if pr.out.tls == nil {
		return pr.done("tls", time.Now(), nil, "none, which is allowed here")
	}
	cs := pr.out.tls.ConnectionState()
	return pr.done("tls", time.Now(), nil, "%s, %s", tls.VersionName(cs.Version), tls.CipherSuiteName(cs.CipherSuite))
}

func (pr *probe) certificate(context.Context) bool {
	certs := pr.out.peerCertificates()
	err := checkCertificate(certs, pr.pair.to, pr.srv.cfg.Roots, pr.srv.cfg.Clock.Now())
	until := ""
	if len(certs) > 0 {
		until = certs[0].NotAfter.UTC().Format(time.DateOnly)
	}
	var host x509.HostnameError
	if errors.Is(err, errWrongHost) || errors.As(err, &host) {
		pr.fail("certificate", time.Now(), err, "its certificate is not for %s, only for %s",
			pr.pair.to, strings.Join(certs[0].DNSNames, ", "))
		return !pr.srv.certificateFrom(pr.pair.to)
	}
	return pr.done("certificate", time.Now(), err, "valid until %s", until) || !pr.srv.certificateFrom(pr.pair.to)
}

func (pr *probe) authentication(context.Context) bool {
	begun := time.Now()
	how, err := pr.out.authenticate()
	switch {
	case err != nil && isTimeout(err):
		return pr.fail("authentication", begun, err,
			"the other server does not answer our proof: it does not accept our certificate, and for dialback it "+
				"must reach us at the port that our DNS records name")
	case err != nil && Explain(err) == "the connection broke":
		return pr.fail("authentication", begun, err,
			"the other server closed the connection at our proof: it accepts neither our certificate nor dialback")
	}
	return pr.done("authentication", begun, err, "the other server accepts our proof, by %s", how)
}
