package federation

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"errors"
	"net"
	"strings"

	"parley/wire"
)

const (
	nsDialback         = "jabber:server:dialback"
	nsDialbackFeatures = "urn:xmpp:features:dialback"
)

var footer = []byte(`</stream:stream>`)

// newID returns an unguessable stream id (RFC 6120, section 4.7.3).
func newID() string {
	var b [15]byte
	rand.Read(b[:])
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

// hello makes a stream header. It leaves out empty attributes.
func hello(from, to, id string) []byte {
	b := []byte(`<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='` + nsDialback + `' version='1.0' xml:lang='en'`)
	for _, a := range []struct{ name, value string }{{"from", from}, {"to", to}, {"id", id}} {
		if a.value != "" && len(a.value) <= 3*1024 {
			b = append(b, ' ')
			b = append(b, a.name...)
			b = append(b, '=', '\'')
			b = wire.AppendEscaped(b, a.value)
			b = append(b, '\'')
		}
	}
	return append(b, '>')
}

// supported reports whether the major version is 1 (RFC 6120, section 4.7.5).
func supported(version string) bool { return version == "1.0" || strings.HasPrefix(version, "1.") }

func appendStreamError(b []byte, se *wire.StreamError) []byte {
	b = append(b, `<stream:error>`...)
	b = wire.E(wire.NSStreams, se.Condition).AppendXML(b, wire.NSServer)
	if se.Text != "" {
		b = append(b, `<text xmlns='urn:ietf:params:xml:ns:xmpp-streams' xml:lang='en'>`...)
		b = wire.AppendEscaped(b, se.Text)
		b = append(b, `</text>`...)
	}
	return append(b, `</stream:error>`...)
}

func isStreamError(x *wire.Stanza) bool {
	return x.Name == wire.Name{Space: wire.NSStream, Local: "error"}
}

// remoteError is a stream error from the other server.
type remoteError struct{ condition string }

// Error returns the other server's condition.
func (e *remoteError) Error() string { return "the other server says " + e.condition }

func readStreamError(x *wire.Stanza) error {
	e := &remoteError{"undefined-condition"}
	for _, c := range x.Children {
		if c.Name.Space == wire.NSStreams && c.Name.Local != "text" && len(c.Name.Local) < 64 {
			e.condition = c.Name.Local
		}
	}
	return e
}

// dialback makes a db:result or db:verify. The prefix must match the stream header (XEP-0220, section 2).
func dialback(name, from, to, id, kind, text string) []byte {
	b := append([]byte(`<db:`), name...)
	for _, a := range []struct{ name, value string }{{"from", from}, {"to", to}, {"id", id}, {"type", kind}} {
		if a.value != "" {
			b = append(b, ' ')
			b = append(b, a.name...)
			b = append(b, '=', '\'')
			b = wire.AppendEscaped(b, a.value)
			b = append(b, '\'')
		}
	}
	b = append(b, '>')
	if kind == "error" { // text holds the condition
		b = append(b, `<error type='cancel'>`...)
		b = wire.E(wire.NSStanzas, text).AppendXML(b, wire.NSServer)
		b = append(b, `</error>`...)
	} else {
		b = wire.AppendEscaped(b, text)
	}
	b = append(b, `</db:`...)
	b = append(b, name...)
	return append(b, '>')
}

// errorCondition returns the error condition of a stanza, a db:result or a db:verify.
func errorCondition(x *wire.Stanza) string {
	e := x.Element(wire.NSClient, "error")
	if e == nil {
		e = x.Element(wire.NSServer, "error")
	}
	for _, c := range e.Elements() {
		if c.Name.Space == wire.NSStanzas && c.Name.Local != "text" && len(c.Name.Local) < 64 {
			return c.Name.Local
		}
	}
	return "undefined-condition"
}

// line is one connection, as incoming and outgoing streams share it. rd belongs to one goroutine.
type line struct {
	raw  net.Conn
	tls  *tls.Conn // nil before TLS
	rd   *wire.Reader
	conn *wire.Conn
}

func (s *Server) connConfig() wire.ConnConfig {
	// Room for a batch and the stream's own elements; the peers' queues have their own limits.
	return wire.ConnConfig{MaxQueue: 2*s.cfg.MaxQueue + 8<<20, WriteTimeout: s.cfg.WriteTimeout}
}

// plainLimits are the limits of a stream that has proven nothing.
var plainLimits = wire.Limits{Stanza: 16 << 10, Depth: 16, Attrs: 32}

func (s *Server) newLine(raw net.Conn, over *tls.Conn) *line {
	var nc net.Conn = raw
	if over != nil {
		nc = over
	}
	return &line{raw: raw, tls: over, rd: wire.NewReader(nc, plainLimits), conn: wire.NewConn(nc, s.connConfig())}
}

// upgrade continues inside TLS.
func (l *line) upgrade(over *tls.Conn) {
	l.tls = over
	l.rd = wire.NewReader(over, plainLimits)
	l.conn.Swap(over)
}

func (l *line) peerCertificates() []*x509.Certificate {
	if l.tls == nil {
		return nil
	}
	return l.tls.ConnectionState().PeerCertificates
}

// close says goodbye and closes. why is nil for a normal end.
func (l *line) close(why error) {
	var se *wire.StreamError
	if errors.As(why, &se) {
		l.conn.Close(appendStreamError(nil, se), footer)
	} else {
		l.conn.Close(footer)
	}
	l.raw.Close()
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// clientTLS returns the configuration for dialling. The certificate is checked later, together with the other proofs,
// because dialback does not need one.
func (s *Server) clientTLS(from, to string, direct bool) *tls.Config {
	c := &tls.Config{MinVersion: s.cfg.MinTLS, InsecureSkipVerify: true, DynamicRecordSizingDisabled: true,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if cert := s.cfg.Cert(from); speaksItself(cert, from, s.cfg.Clock.Now()) {
				return cert, nil
			}
			return &tls.Certificate{}, nil
		}}
	if name, err := ascii(to); err == nil {
		c.ServerName = name
	}
	if direct {
		c.NextProtos = []string{"xmpp-server"}
	}
	return c
}

// serverTLS returns the configuration for accepting. It asks for a certificate but does not require one.
func (s *Server) serverTLS(to string, direct bool) *tls.Config {
	c := &tls.Config{MinVersion: s.cfg.MinTLS, ClientAuth: tls.RequestClientCert, DynamicRecordSizingDisabled: true,
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			name := to // the stream header is better than SNI, which names the host that was looked up
			if name == "" {
				name = h.ServerName
			}
			if cert := s.cfg.Cert(name); cert != nil {
				return cert, nil
			}
			return nil, errors.New("no certificate")
		}}
	if direct {
		c.NextProtos = []string{"xmpp-server"}
	}
	return c
}
