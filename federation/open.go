package federation

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"time"

	"parley/wire"
)

// outgoing is a stream that we opened, up to its features.
type outgoing struct {
	*line
	receiver
	pair       pair
	id         string // chosen by the other server
	external   bool   // SASL EXTERNAL is offered
	starttls   bool
	bidi       bool // the other server also sends stanzas on it
	offersBidi bool
	managed    bool // stream management is offered
	acks       acks
	stop       func() bool
}

var (
	errDial = errors.New("no connection")
	errTLS  = errors.New("TLS is required, but the other server does not offer it")

	errHandshake = errors.New("TLS")
	errNoProceed = errors.New("it is offered but refused")
)

// open finds and dials the server of p.to and negotiates TLS; it does not authenticate p.from. ctx limits all of this,
// and the stream until keep is called.
func (s *Server) open(ctx context.Context, p pair) (*outgoing, error) {
	ts, err := s.targets(ctx, p.to)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, t := range ts {
		out, err := s.openTarget(ctx, p, t)
		if err == nil {
			return out, nil
		}
		if errors.Is(err, errNotFound) && t.doubt != nil {
			err = t.doubt
		}
		if len(errs) > 0 && errors.Is(err, errNotFound) {
			continue // there is another target, so the domain exists
		}
		errs = append(errs, fmt.Errorf("%s port %d: %w", t.host, t.port, err))
		var re *remoteError
		if ctx.Err() != nil || errors.As(err, &re) { // the server was reached and refused
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (s *Server) openTarget(ctx context.Context, p pair, t target) (*outgoing, error) {
	shaking, cancel := context.WithTimeout(ctx, s.cfg.HandshakeTimeout)
	defer cancel()
	raw, err := s.dial(shaking, t)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDial, err)
	}
	return s.openOn(ctx, shaking, raw, p, t.direct)
}

// openOn takes a connection to the features inside TLS. shaking limits the negotiation, ctx the stream.
func (s *Server) openOn(ctx, shaking context.Context, raw net.Conn, p pair, direct bool) (*outgoing, error) {
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	if d, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(d)
	}
	var over *tls.Conn
	if direct {
		over = tls.Client(raw, s.clientTLS(p.from, p.to, true))
		if err := over.HandshakeContext(shaking); err != nil {
			stop()
			raw.Close()
			return nil, fmt.Errorf("%w: %w: %w", errDial, errHandshake, err)
		}
	}
	out := &outgoing{
		line:     s.newLine(raw, over),
		receiver: receiver{srv: s, authz: authz{local: s.cfg.Router.Local}},
		pair:     p,
		stop:     stop,
	}
	if err := out.secure(shaking); err != nil {
		out.close(err)
		return nil, err
	}
	return out, nil
}

// close closes the connection and stops watching the context.
func (out *outgoing) close(why error) {
	out.stop()
	out.line.close(why)
}

// keep frees the stream from the context and the deadline of its opening.
func (out *outgoing) keep() {
	out.stop()
	_ = out.raw.SetReadDeadline(time.Time{})
}

// secure takes the stream from its first header to the features inside TLS.
func (out *outgoing) secure(ctx context.Context) error {
	if err := out.header(); err != nil {
		return err
	}
	if out.tls != nil {
		return nil
	}
	if !out.starttls {
		if out.srv.cfg.AllowPlain {
			return nil
		}
		return errTLS
	}
	_ = out.conn.WriteRaw([]byte(`<starttls xmlns='` + wire.NSTLS + `'/>`))
	x, err := out.rd.Next()
	switch {
	case err != nil:
		return err
	case isStreamError(x):
		return readStreamError(x)
	case x.Name != wire.Name{Space: wire.NSTLS, Local: "proceed"}:
		return fmt.Errorf("%w: %w", errHandshake, errNoProceed)
	case out.rd.Buffered() > 0:
		return &wire.StreamError{Condition: "policy-violation", Text: "data before the TLS handshake"}
	}
	over := tls.Client(out.raw, out.srv.clientTLS(out.pair.from, out.pair.to, false))
	if err := over.HandshakeContext(ctx); err != nil {
		return fmt.Errorf("%w: %w", errHandshake, err)
	}
	out.upgrade(over)
	return out.header()
}

// header opens the stream, or opens it again, and reads the features.
func (out *outgoing) header() error {
	_ = out.conn.WriteRaw(hello(out.pair.from, out.pair.to, ""))
	h, err := out.rd.Header()
	if err != nil {
		return err
	}
	out.id, out.external, out.starttls = h.ID, false, false
	if h.ContentNS != wire.NSServer {
		return &wire.StreamError{Condition: "invalid-namespace"}
	}
	if !supported(h.Version) { // old dialback: no features will follow
		if x, ok := out.refusal(); ok {
			return x
		}
		return nil
	}
	x, err := out.rd.Next()
	switch {
	case err != nil:
		return err
	case isStreamError(x):
		return readStreamError(x)
	case x.Name != wire.Name{Space: wire.NSStream, Local: "features"}:
		return &wire.StreamError{Condition: "unsupported-stanza-type", Text: "expected features"}
	}
	out.starttls = x.Has(wire.NSTLS, "starttls")
	out.offersBidi = x.Has(nsBidiFeature, "bidi")
	out.managed = x.Has(nsSM, "sm")
	for _, m := range x.Element(wire.NSSASL, "mechanisms").Elements() {
		if m.Name.Local == "mechanism" && m.Text() == "EXTERNAL" {
			out.external = true
		}
	}
	return nil
}

// refusal reads a stream error that came together with a header without a version: some servers answer so to a domain
// that they do not know.
func (out *outgoing) refusal() (error, bool) {
	if !out.rd.Ready() {
		return nil, false
	}
	x, err := out.rd.Next()
	if err != nil {
		return err, true
	}
	if isStreamError(x) {
		return readStreamError(x), true
	}
	return nil, false
}

// errRefused says that the other server did not accept our proof of who we are.
type errRefused struct{ condition string }

// Error says that the other server refused, with its condition.
func (e *errRefused) Error() string {
	return "the other server did not accept our proof: " + e.condition
}

// authenticate gets the stream ready for the pair's stanzas. It returns how: "external" or "dialback".
func (out *outgoing) authenticate() (how string, err error) {
	s := out.srv
	if s.certificateFrom(out.pair.to) {
		if err := s.proves(s.ctx, out.peerCertificates(), out.pair.to); err != nil {
			return "", fmt.Errorf("the other server's certificate: %w", err)
		}
	}
	if out.offersBidi && !s.cfg.NoBidi {
		_ = out.conn.WriteRaw([]byte(`<bidi xmlns='` + nsBidi + `'/>`))
		out.bidi = true
	}
	if out.external && out.tls != nil && speaksItself(s.cfg.Cert(out.pair.from), out.pair.from, s.cfg.Clock.Now()) {
		if err = out.sasl(); err == nil {
			return "external", nil
		}
		var er *errRefused
		if !errors.As(err, &er) {
			return "", err
		}
	}
	if !s.dialbackWith(out.pair.to) {
		if err == nil {
			err = &errRefused{"it does not accept our certificate, and dialback is off here"}
		}
		return "", err
	}
	return "dialback", out.dialback()
}

// sasl does SASL EXTERNAL (XEP-0178, section 3).
func (out *outgoing) sasl() error {
	authz := base64.StdEncoding.EncodeToString([]byte(out.pair.from))
	_ = out.conn.WriteRaw(wire.T(wire.NSSASL, "auth", authz).Set("mechanism", "EXTERNAL").AppendXML(nil, wire.NSServer))
	x, err := out.rd.Next()
	switch {
	case err != nil:
		return err
	case isStreamError(x):
		return readStreamError(x)
	case x.Name == wire.Name{Space: wire.NSSASL, Local: "success"}:
		out.rd.Restart()
		if err := out.header(); err != nil || !out.managed {
			return err
		}
		out.acks.start()
		return out.conn.WriteRaw([]byte(`<enable xmlns='` + nsSM + `'/>`))
	case x.Name == wire.Name{Space: wire.NSSASL, Local: "failure"}:
		e := &errRefused{"failure"}
		for _, c := range x.Children {
			if c.Name.Space == wire.NSSASL && c.Name.Local != "text" && len(c.Name.Local) < 64 {
				e.condition = c.Name.Local
			}
		}
		return e
	}
	return &wire.StreamError{Condition: "unsupported-stanza-type"}
}

// dialback sends our key and waits until it is verified (XEP-0220, section 2.1.1).
func (out *outgoing) dialback() error {
	p := out.pair
	if out.id == "" {
		return &wire.StreamError{Condition: "bad-format", Text: "the stream has no id"}
	}
	_ = out.conn.WriteRaw(dialback("result", p.from, p.to, "", "", out.srv.keys.key(p.to, p.from, out.id)))
	for {
		x, err := out.rd.Next()
		if err != nil {
			return err
		}
		if isStreamError(x) {
			return readStreamError(x)
		}
		if x.Name != (wire.Name{Space: nsDialback, Local: "result"}) || parseDomain(x.Attr("from")) != p.to ||
			parseDomain(x.Attr("to")) != p.from {
			continue // an unrelated element
		}
		switch x.Attr("type") {
		case "valid":
			return nil
		case "invalid":
			return &errRefused{"invalid"}
		case "error":
			return &errRefused{errorCondition(x)}
		}
	}
}
