// Package load is an XMPP client that costs so little that it can load a server
// without being the limit itself.
package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxStanza bounds what one stanza may take in memory, in bytes.
const maxStanza = 4 << 20

// ErrStanzaTooLarge is returned by Scanner.Next for a stanza above maxStanza.
var ErrStanzaTooLarge = errors.New("stanza larger than 4 MiB")

// Scanner splits an XMPP stream into its top-level elements without looking
// into them: it counts tags and skips quoted attribute values. It trusts the
// server to send well-formed XML without comments or CDATA sections, which XMPP
// forbids (RFC 6120, section 11.1) or which no server here sends.
//
// It is not safe for concurrent use.
type Scanner struct {
	r     io.Reader
	buf   []byte
	start int // First byte of the element being read.
	pos   int // First byte not scanned yet.
	end   int // End of the bytes read so far.
	depth int // Open elements, the stream itself included.
}

// NewScanner returns a Scanner that reads from r with a buffer of size bytes,
// which grows to hold the largest stanza.
func NewScanner(r io.Reader, size int) *Scanner {
	return &Scanner{r: r, buf: make([]byte, size)}
}

// Restart makes the scanner expect a new stream header, as after SASL success
// (RFC 6120, section 6.4.6). Bytes already read are kept.
func (s *Scanner) Restart() { s.depth = 0 }

// More reports whether bytes are buffered that Next has not returned yet.
func (s *Scanner) More() bool { return s.pos < s.end }

// Next returns the next stream header or stanza as received. The slice is valid
// until the next call. It returns io.EOF at the end tag of the stream.
func (s *Scanner) Next() ([]byte, error) {
	s.start = s.pos
	for {
		i := bytes.IndexByte(s.buf[s.pos:s.end], '<')
		if i < 0 {
			s.pos = s.end
			if s.depth <= 1 {
				s.start = s.pos // White space between stanzas.
			}
			if err := s.fill(); err != nil {
				return nil, err
			}
			continue
		}
		if s.pos += i; s.depth <= 1 {
			s.start = s.pos
		}
		tag := s.buf[s.pos:s.end]
		n := tagEnd(tag)
		if n < 0 {
			if err := s.fill(); err != nil {
				return nil, err
			}
			continue
		}
		s.pos += n + 1
		whole, err := s.count(tag[:n+1])
		if err != nil {
			return nil, err
		}
		if whole {
			return s.buf[s.start:s.pos], nil
		}
	}
}

// count follows one tag and reports whether it completes what Next returns.
func (s *Scanner) count(tag []byte) (bool, error) {
	switch {
	case tag[1] == '?':
		return false, nil // The XML declaration.
	case tag[1] == '/':
		s.depth--
		if s.depth < 1 {
			return false, io.EOF
		}
		return s.depth == 1, nil
	case tag[len(tag)-2] == '/':
		return s.depth == 1, nil
	default:
		s.depth++
		return s.depth == 1, nil // The stream header.
	}
}

// tagEnd returns the index of the '>' that ends the tag at the start of b, or
// -1 if b does not hold all of it.
func tagEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch c := b[i]; c {
		case '>':
			return i
		case '"', '\'':
			n := bytes.IndexByte(b[i+1:], c)
			if n < 0 {
				return -1
			}
			i += n + 1
		}
	}
	return -1
}

// fill reads more bytes behind what is kept from s.start on.
func (s *Scanner) fill() error {
	if s.start > 0 {
		copy(s.buf, s.buf[s.start:s.end])
		s.pos -= s.start
		s.end -= s.start
		s.start = 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= maxStanza {
			return ErrStanzaTooLarge
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	n, err := s.r.Read(s.buf[s.end:])
	s.end += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	if err == io.EOF && s.depth > 0 {
		return fmt.Errorf("connection ended inside the stream: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// Name returns the name of the element at the start of st, prefix included.
func Name(st []byte) string {
	for i := 1; i < len(st); i++ {
		switch st[i] {
		case ' ', '>', '/', '\n', '\t', '\r':
			return string(st[1:i])
		}
	}
	return ""
}

// Is reports whether st is an element called name.
func Is(st []byte, name string) bool {
	if len(st) < len(name)+2 || string(st[1:1+len(name)]) != name {
		return false
	}
	switch st[1+len(name)] {
	case ' ', '>', '/', '\n', '\t', '\r':
		return true
	}
	return false
}

// Attr returns the value of an attribute of the outermost element of st as
// written, or nil. Escapes are not resolved.
func Attr(st []byte, name string) []byte {
	n := tagEnd(st)
	if n < 0 {
		return nil
	}
	tag := st[:n]
	for {
		i := bytes.Index(tag, []byte(name))
		if i < 0 {
			return nil
		}
		rest := tag[i+len(name):]
		if i > 0 && isSpace(tag[i-1]) && len(rest) > 2 && rest[0] == '=' {
			if j := bytes.IndexByte(rest[2:], rest[1]); j >= 0 {
				return rest[2 : 2+j]
			}
		}
		tag = rest
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

// Text returns the text between the first <name…> and the next </name> of st as written, or nil.
func Text(st []byte, name string) []byte {
	for off := 0; ; {
		i := bytes.Index(st[off:], []byte("<"+name))
		if i < 0 {
			return nil
		}
		off += i
		if !Is(st[off:], name) {
			off += 1 + len(name)
			continue
		}
		n := tagEnd(st[off:])
		if n < 0 || st[off+n-1] == '/' {
			return nil
		}
		off += n + 1
		j := bytes.Index(st[off:], []byte("</"+name+">"))
		if j < 0 {
			return nil
		}
		return st[off : off+j]
	}
}
