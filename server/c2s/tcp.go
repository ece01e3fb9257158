package c2s

import (
	"crypto/tls"

	"parley/wire"
)

// tcp is the transport of RFC 6120.
type tcp struct {
	rd    *wire.Reader
	named string
}

func (t *tcp) open() (wire.Header, error)  { return t.rd.Header() }
func (t *tcp) next() (*wire.Stanza, error) { return t.rd.Next() }
func (t *tcp) footer() []byte              { return []byte(`</stream:stream>`) }
func (t *tcp) restart()                    { t.rd.Restart() }
func (t *tcp) setLimits(l wire.Limits)     { t.rd.SetLimits(l) }
func (t *tcp) more() bool                  { return t.rd.Ready() }
func (t *tcp) name() string                { return t.named }

func (t *tcp) hello(st *stream, to string) []byte {
	b := []byte(`<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'`)
	b = helloAttrs(b, st, to)
	return append(b, '>')
}

// helloAttrs appends the attributes of a stream header that all transports share.
func helloAttrs(b []byte, st *stream, to string) []byte {
	b = append(b, ` id='`...)
	b = wire.AppendEscaped(b, st.id)
	if st.host != nil {
		b = append(b, `' from='`...)
		b = wire.AppendEscaped(b, st.host.Domain)
	}
	if to != "" && len(to) <= 3*1024 {
		b = append(b, `' to='`...)
		b = wire.AppendEscaped(b, to)
	}
	lang := st.lang
	if lang == "" {
		lang = "en"
	}
	b = append(b, `' xml:lang='`...)
	b = wire.AppendEscaped(b, lang)
	return append(b, '\'')
}

// directTLS returns the configuration for connections that begin with TLS (XEP-0368).
func (s *Server) directTLS() *tls.Config { return s.cfg.DirectTLS }

var startTLSName = wire.Name{Space: wire.NSTLS, Local: "starttls"}

// mayEncrypt reports whether the stream is not encrypted and can be.
func (st *stream) mayEncrypt() bool {
	_, ok := st.t.(*tcp)
	return ok && !st.secure
}

// offerTLS returns the offer of TLS besides SASL, for streams that may do without TLS; nil if there is nothing to
// offer.
func (st *stream) offerTLS() *wire.Element {
	if !st.mayEncrypt() {
		return nil
	}
	return wire.E(wire.NSTLS, "starttls")
}

// starttls offers TLS alone and accepts nothing else (RFC 6120, section 5).
func (st *stream) starttls() error {
	st.features(wire.E(wire.NSTLS, "starttls", wire.E(wire.NSTLS, "required")))
	x, err := st.t.next()
	if err != nil {
		return err
	}
	if x.Name != startTLSName {
		if x.Name.Space == wire.NSSASL || x.Name.Space == wire.NSSASL2 {
			st.saslFailure(x.Name.Space, "encryption-required", "")
			return errEnd
		}
		return &wire.StreamError{Condition: "not-authorized", Text: "TLS is required"}
	}
	return st.encrypt()
}

// encrypt answers <starttls/> and continues inside TLS with the client's new header.
func (st *stream) encrypt() error {
	if st.t.(*tcp).rd.Buffered() > 0 {
		// An attacker can have sent data before the handshake. None of it may count as received inside TLS.
		st.send(wire.E(wire.NSTLS, "failure"))
		return &wire.StreamError{Condition: "policy-violation", Text: "data before the TLS handshake"}
	}
	st.send(wire.E(wire.NSTLS, "proceed"))
	if err := st.conn.Flush(); err != nil {
		return err
	}
	if !st.handshake(st.srv.cfg.StartTLS) {
		return errEnd
	}
	t := st.t.(*tcp)
	t.rd = wire.NewReader(st.tls, st.srv.cfg.Unauthenticated)
	t.named = "starttls"
	st.conn.Swap(st.tls)
	st.newID()
	st.opened = false
	return st.header()
}
