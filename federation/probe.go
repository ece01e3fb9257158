package federation

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"
)

// Step is one of the things that have to work before two servers can speak with each other.
type Step struct {
	Name   string // "policy", "dns", "tcp", "tls", "certificate", "authentication", "ping"
	OK     bool
	Text   string // what was found, or what is wrong, in plain words
	Detail string // the error as the program has it
	Took   time.Duration
}

// Probe tries to reach a domain in the name of one of ours, step by step, with a connection of its own, whatever the
// back-off; ping (which may be nil) asks it something at last, by the ordinary way. It ends with the first step that
// fails, but for a certificate that dialback makes up for.
func (s *Server) Probe(ctx context.Context, from, domain string, ping func(context.Context) error) []Step {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.DNSTimeout+s.cfg.HandshakeTimeout+s.cfg.AuthTimeout)
	defer cancel()
	pr := &probe{srv: s, pair: pair{from, domain}}
	defer func() {
		if pr.out != nil {
			pr.out.close(nil)
		}
	}()
	for _, step := range []func(context.Context) bool{pr.policy, pr.dns, pr.tcp, pr.tls, pr.certificate, pr.authentication} {
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
	text := "spoken with; dialback is enough"
	switch {
	case s.cfg.Router.Local(d):
		pr.steps = append(pr.steps, Step{Name: "policy", Text: "this domain is served here"})
		return false
	case !s.permits(d):
		pr.steps = append(pr.steps, Step{Name: "policy", Text: "this domain is not spoken with: it is blocked, or not among those that are allowed"})
		return false
	case s.certificateFrom(d):
		text = "spoken with; a valid certificate is required"
	case !s.dialbackWith(d):
		text = "spoken with; without dialback"
	}
	return pr.done("policy", time.Now(), nil, "%s", text)
}

func (pr *probe) dns(ctx context.Context) bool {
	begun := time.Now()
	ts, err := pr.srv.targets(ctx, pr.pair.to)
	pr.targets = ts
	var found []string
	for _, t := range ts {
		kind := "STARTTLS"
		if t.direct {
			kind = "TLS"
		}
		found = append(found, fmt.Sprintf("%s port %d (%s)", strings.TrimSuffix(t.host, "."), t.port, kind))
	}
	return pr.done("dns", begun, err, "served at %s", strings.Join(found, ", "))
}

// tcp takes the first target that can be connected to, and goes on with it up to the features.
func (pr *probe) tcp(ctx context.Context) bool {
	begun := time.Now()
	shaking, cancel := context.WithTimeout(ctx, pr.srv.cfg.HandshakeTimeout)
	defer cancel()
	var last error
	for _, t := range pr.targets {
		raw, err := pr.srv.dial(shaking, t)
		if err != nil {
			last = fmt.Errorf("%s port %d: %w: %w", t.host, t.port, errDial, err)
			continue
		}
		pr.done("tcp", begun, nil, "connected to %s", raw.RemoteAddr())
		begun = time.Now()
		if pr.out, err = pr.srv.openOn(ctx, shaking, raw, pr.pair, t.direct); err != nil {
			return pr.done("tls", begun, err, "")
		}
		return true
	}
	return pr.done("tcp", begun, last, "")
}

func (pr *probe) tls(context.Context) bool {
	if pr.out.tls == nil {
		return pr.done("tls", time.Now(), nil, "none, as is allowed here")
	}
	cs := pr.out.tls.ConnectionState()
	return pr.done("tls", time.Now(), nil, "%s, %s", tls.VersionName(cs.Version), tls.CipherSuiteName(cs.CipherSuite))
}

func (pr *probe) certificate(context.Context) bool {
	certs := pr.out.peerCertificates()
	err := checkCertificate(certs, pr.pair.to, pr.srv.cfg.Roots, time.Now())
	until := ""
	if len(certs) > 0 {
		until = certs[0].NotAfter.UTC().Format(time.DateOnly)
	}
	return pr.done("certificate", time.Now(), err, "valid until %s", until) || !pr.srv.certificateFrom(pr.pair.to)
}

func (pr *probe) authentication(context.Context) bool {
	begun := time.Now()
	how, err := pr.out.authenticate()
	return pr.done("authentication", begun, err, "we have proven who we are, by %s", how)
}
