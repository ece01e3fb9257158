package federation

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/door"
	"parley/wire"
	"parley/wire/jid"
)

// incoming is a stream that another server opened. Its fields belong to its goroutine, except those marked as guarded.
type incoming struct {
	receiver
	raw    net.Conn
	addr   netip.Addr
	log    *slog.Logger
	direct bool
	*line
	pass   *door.Pass
	claims string // guarded by srv.mu: the unproven domain that the stream counts for; "": none
	proven bool   // guarded by srv.mu

	id       string
	from, to string // from the stream header; from may be empty
	opened   bool
	due      time.Time // when a domain must be proven at the latest
	failures int
	bidi     bool // XEP-0288: the other server also takes stanzas on this stream
	acks     acks
	proofs   map[string]error // result of checking the certificate, by domain
	status   atomic.Pointer[Status]
	over     chan struct{} // closed when the stream is over

	mu      sync.Mutex // guards the fields below
	leaving *wire.StreamError
	verdict []verdict     // the outcome of verifications
	asked   map[pair]bool // keys under verification
}

// verdict is the authoritative server's answer about a key.
type verdict struct {
	pair
	condition string // "" if the key is valid, "invalid", or an error condition
}

var (
	errAuthTimeout = &wire.StreamError{Condition: "connection-timeout", Text: "no domain was proven in time"}
	errIdle        = errors.New("federation: idle")
)

// serve runs the stream from its start to its end.
func (in *incoming) serve() {
	defer in.raw.Close()
	stop := context.AfterFunc(in.srv.ctx, func() { in.raw.Close() })
	defer stop()
	_ = in.raw.SetDeadline(time.Now().Add(in.srv.cfg.HandshakeTimeout))
	var over *tls.Conn
	if in.direct {
		over = tls.Server(in.raw, in.srv.serverTLS("", true))
		if err := over.HandshakeContext(in.srv.ctx); err != nil {
			in.log.Debug("tls handshake failed", "err", err)
			return
		}
	}
	l := in.srv.newLine(in.raw, over)
	in.mu.Lock()
	in.line = l
	in.mu.Unlock()
	in.due = time.Now().Add(in.srv.cfg.AuthTimeout)
	_ = in.raw.SetDeadline(in.due)
	err := in.live()
	in.mu.Lock()
	if in.leaving != nil {
		err = in.leaving
	}
	in.mu.Unlock()
	if isTimeout(err) {
		if err = errIdle; !in.authz.any() {
			err = errAuthTimeout
		}
	}
	if !in.opened {
		_ = in.conn.WriteRaw(hello("", "", in.id))
	}
	_ = in.raw.SetWriteDeadline(time.Now().Add(in.srv.cfg.WriteTimeout))
	in.line.close(err)
	close(in.over)
	in.receiver.close()
	in.log.Log(context.Background(), in.srv.closedLevel(), "stream closed", "from", in.from, "to", in.to, "err", err)
}

// live negotiates and carries stanzas until the stream is over. A panic ends this stream alone.
func (in *incoming) live() (err error) {
	defer func() {
		if p := recover(); p != nil {
			in.log.Error("panic in a stream", "panic", p, "stack", string(debug.Stack()))
			err = &wire.StreamError{Condition: "internal-server-error"}
		}
	}()
	if err := in.header(); err != nil {
		return err
	}
	if err := in.features(); err != nil {
		return err
	}
	for {
		x, err := in.next()
		if err != nil {
			return err
		}
		if x.Kind != wire.Other {
			err = in.stanza(x)
		} else {
			err = in.nonza(x)
		}
		if err != nil {
			return err
		}
	}
}

// next waits for an element and meanwhile reports the outcome of verifications.
func (in *incoming) next() (*wire.Stanza, error) {
	for {
		if err := in.settle(); err != nil {
			return nil, err
		}
		x, err := in.rd.Next()
		if err == nil {
			return x, in.settle() // a key may have become valid just before the stanza that needs it
		}
		if !isTimeout(err) || !in.woken() {
			return x, err
		}
	}
}

// woken reports whether the deadline passed only to wake the reader.
func (in *incoming) woken() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.verdict) > 0
}

// header reads the other server's stream header and answers it (RFC 6120, section 4.7).
func (in *incoming) header() error {
	h, err := in.rd.Header()
	if err != nil {
		return err
	}
	in.opened = false
	if len(h.Lang) <= 35 {
		in.lang = h.Lang
	}
	to, from := parseDomain(h.To), parseDomain(h.From)
	answer := ""
	if in.srv.cfg.Router.Local(to) {
		answer = to
	}
	_ = in.conn.WriteRaw(hello(answer, from, in.id))
	in.opened = true
	switch {
	case h.ContentNS != wire.NSServer:
		return &wire.StreamError{Condition: "invalid-namespace"}
	case h.To != "" && to == "", h.From != "" && from == "":
		return &wire.StreamError{Condition: "improper-addressing"}
	case answer == "":
		return &wire.StreamError{Condition: "host-unknown"}
	case in.authz.any() && (from != in.from || to != in.to): // after SASL
		return &wire.StreamError{Condition: "invalid-from"}
	case from != "" && !in.authz.claimable(from):
		return &wire.StreamError{Condition: "invalid-from"}
	case !supported(h.Version):
		return &wire.StreamError{Condition: "unsupported-version"}
	case from != "" && !in.srv.permits(from):
		in.srv.refused.WithLabelValues("policy").Inc()
		return &wire.StreamError{
			Condition: "policy-violation",
			Text:      "this server does not communicate with that domain",
		}
	case from != "" && !in.srv.claim(in, from):
		in.srv.refused.WithLabelValues("unproven").Inc()
		return &wire.StreamError{Condition: "resource-constraint"}
	}
	in.from, in.to = from, to
	return nil
}

// parseDomain returns a domain in canonical form, or "" if s is not one.
func parseDomain(s string) string {
	j, err := jid.Parse(s)
	if err != nil || j.Local() != "" || !j.IsBare() {
		return ""
	}
	return j.Domain()
}

// features sends the stream features.
func (in *incoming) features() error {
	fs := []*wire.Element{}
	if in.tls == nil {
		if in.direct {
			return errors.New("federation: no TLS on a direct stream")
		}
		starttls := wire.E(wire.NSTLS, "starttls")
		if !in.srv.cfg.AllowPlain {
			starttls.Add(wire.E(wire.NSTLS, "required"))
		} else if in.srv.cfg.Cert(in.to) == nil {
			starttls = nil
		}
		if starttls != nil {
			fs = append(fs, starttls)
		}
	} else if in.authz.sasl == "" && in.from != "" && in.certificate(in.from) == nil {
		fs = append(fs, wire.E(wire.NSSASL, "mechanisms", wire.T(wire.NSSASL, "mechanism", "EXTERNAL")))
	}
	if (in.tls != nil || in.srv.cfg.AllowPlain) && in.srv.dialbackWith(in.from) {
		fs = append(fs, wire.E(nsDialbackFeatures, "dialback", wire.E(nsDialbackFeatures, "errors")))
	}
	if proven := in.authz.any(); proven {
		fs = append(fs, wire.E(nsSM, "sm"))
	} else if (in.tls != nil || in.srv.cfg.AllowPlain) && !in.srv.cfg.NoBidi {
		fs = append(fs, wire.E(nsBidiFeature, "bidi"))
	}
	b := []byte(`<stream:features>`)
	for _, f := range fs {
		b = f.AppendXML(b, wire.NSServer)
	}
	return in.conn.WriteRaw(append(b, `</stream:features>`...))
}

// certificate returns nil if the peer's certificate proves a domain, and otherwise the reason why not.
func (in *incoming) certificate(domain string) error {
	if err, known := in.proofs[domain]; known { // features, SASL and keys each ask
		return err
	}
	err := in.srv.proves(in.srv.ctx, in.peerCertificates(), domain)
	if in.proofs == nil || len(in.proofs) >= maxAsked {
		in.proofs = make(map[string]error)
	}
	in.proofs[domain] = err
	return err
}

func (in *incoming) nonza(x *wire.Stanza) error {
	switch {
	case isStreamError(x):
		return readStreamError(x)
	case x.Name == wire.Name{Space: wire.NSTLS, Local: "starttls"} && in.tls == nil:
		return in.starttls()
	case in.tls == nil && !in.srv.cfg.AllowPlain:
		if x.Name.Space == wire.NSSASL {
			in.saslFailure("encryption-required")
		}
		if x.Name.Space == nsDialback && x.Attr("type") == "" {
			in.answer(x, "error", "policy-violation") // XEP-0220, section 2.4
		}
		return &wire.StreamError{Condition: "policy-violation", Text: "TLS is required"}
	case x.Name == wire.Name{Space: nsBidi, Local: "bidi"}:
		return in.bothWays()
	case x.Name.Space == nsSM:
		return in.acks.nonza(in.conn, x, in.authz.any())
	case x.Name == wire.Name{Space: wire.NSSASL, Local: "auth"}:
		return in.external(x)
	case x.Name.Space == wire.NSSASL:
		in.saslFailure("malformed-request")
		return nil
	case x.Name == wire.Name{Space: nsDialback, Local: "result"}:
		return in.result(x)
	case x.Name == wire.Name{Space: nsDialback, Local: "verify"}:
		return in.verify(x)
	}
	return &wire.StreamError{Condition: "unsupported-stanza-type"}
}

// starttls handles <starttls/> (RFC 6120, section 5).
func (in *incoming) starttls() error {
	if in.rd.Buffered() > 0 || in.authz.any() {
		_ = in.conn.WriteRaw([]byte(`<failure xmlns='` + wire.NSTLS + `'/>`))
		return &wire.StreamError{Condition: "policy-violation", Text: "data before the TLS handshake"}
	}
	_ = in.conn.WriteRaw([]byte(`<proceed xmlns='` + wire.NSTLS + `'/>`))
	if err := in.conn.Flush(); err != nil {
		return err
	}
	over := tls.Server(in.raw, in.srv.serverTLS(in.to, false))
	ctx, cancel := context.WithTimeout(in.srv.ctx, in.srv.cfg.HandshakeTimeout)
	defer cancel()
	if err := over.HandshakeContext(ctx); err != nil {
		in.raw.Close()
		return err
	}
	in.proofs = nil
	in.upgrade(over) // without in.mu, as it waits for the peer; other goroutines use the line's connection only
	return in.again()
}

// again restarts the stream after TLS and SASL.
func (in *incoming) again() error {
	in.id = newID()
	in.log = in.srv.log.With("stream", in.id, "remote", in.addr.String())
	if err := in.header(); err != nil {
		return err
	}
	return in.features()
}

func (in *incoming) saslFailure(condition string) {
	_ = in.conn.WriteRaw(wire.E(wire.NSSASL, "failure", wire.E(wire.NSSASL, condition)).AppendXML(nil, wire.NSServer))
}

// maxFailures is how often SASL may fail on a stream.
const maxFailures = 3

// external handles SASL EXTERNAL (XEP-0178, section 3). The certificate must be for the domain of the stream header; an
// authorization identity must be that domain, too.
func (in *incoming) external(x *wire.Stanza) error {
	domain := in.from
	switch {
	case in.authz.sasl != "":
		return &wire.StreamError{Condition: "policy-violation", Text: "authenticated already"}
	case x.Attr("mechanism") != "EXTERNAL":
		in.saslFailure("invalid-mechanism")
		return in.failed()
	case x.Text != "" && x.Text != "=":
		b, err := base64.StdEncoding.DecodeString(x.Text)
		if err != nil {
			in.saslFailure("incorrect-encoding")
			return in.failed()
		}
		if authz := parseDomain(string(b)); authz == "" || authz != domain {
			in.saslFailure("invalid-authzid")
			return in.failed()
		}
	}
	if err := in.certificate(domain); domain == "" || err != nil || !in.srv.permits(domain) ||
		!in.authz.proveSASL(domain) {
		in.log.Info("certificate refused", "from", domain, "err", err)
		in.saslFailure("not-authorized")
		return in.failed()
	}
	_ = in.conn.WriteRaw([]byte(`<success xmlns='` + wire.NSSASL + `'/>`))
	in.trusted("external", pair{domain, in.to})
	in.rd.Restart()
	// The other server may send, and the way back opens, as soon as it has the features.
	in.conn.Cork()
	err := in.again()
	if err == nil {
		in.wayBack(pair{in.to, domain})
	}
	in.conn.Uncork()
	in.wait()
	return err
}

func (in *incoming) failed() error {
	if in.failures++; in.failures >= maxFailures {
		return &wire.StreamError{Condition: "policy-violation", Text: "too many failed attempts"}
	}
	return nil
}

// trusted applies the limits for a stream that has proven a domain.
func (in *incoming) trusted(how string, p pair) {
	in.srv.proven(in)
	in.rd.SetLimits(in.srv.cfg.Limits)
	if in.status.Load() == nil {
		in.status.Store(&Status{From: p.from, To: p.to, Incoming: true, Since: in.srv.cfg.Clock.Now(), How: how})
	}
	in.srv.known.note(p.from, func(d *Domain) {
		d.LastIn = in.srv.cfg.Clock.Now()
		if certs := in.peerCertificates(); len(certs) > 0 {
			d.Certificate = in.srv.describe(certs, p.from)
		}
	})
	in.log.Info("domain proven", "from", p.from, "to", p.to, "by", how)
}

// stanza admits one stanza.
func (in *incoming) stanza(x *wire.Stanza) error {
	if err := in.acks.receive(in.conn, x, in.receive); err != nil {
		return err
	}
	if !in.rd.Ready() {
		in.wait()
	}
	return nil
}

// wait sets the read deadline. A verdict wakes the reader at once.
func (in *incoming) wait() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.waitLocked()
}

func (in *incoming) waitLocked() {
	switch {
	case len(in.verdict) > 0:
		_ = in.raw.SetReadDeadline(time.Unix(1, 0))
	case in.authz.any():
		// the server that opened the stream closes it first
		_ = in.raw.SetReadDeadline(time.Now().Add(2 * in.srv.cfg.IdleTimeout))
	default:
		_ = in.raw.SetReadDeadline(in.due)
	}
}

// goodbye ends the stream from another goroutine.
func (in *incoming) goodbye(why *wire.StreamError) {
	in.mu.Lock()
	in.leaving = why
	line := in.line
	in.mu.Unlock()
	if line == nil {
		in.raw.Close()
		return
	}
	line.conn.Close(in.acks.last(), appendStreamError(nil, why), footer)
}
