package wire

import (
	"bytes"
	"io"
	"strings"
	"time"
)

// maxHeader is the largest size of a stream header, in bytes, if Limits.Stanza allows it.
const maxHeader = 16 << 10

// Header is the opening tag of a stream (RFC 6120, section 4.7). To and From are as the peer sent them: the caller
// checks that they are addresses, and whose.
type Header struct {
	To, From, ID, Version, Lang string
	ContentNS                   string // NSClient, NSServer or NSComponent
}

// Reader reads the elements of a stream, within Limits. Only one goroutine may use it. While nothing is pending it
// holds only a small buffer of its own, so that idle sessions are cheap.
type Reader struct {
	src    io.Reader
	lim    Limits
	scope  scope
	name   string  // of the stream's opening tag, as written
	ahead  *Stanza // read by Ready and not returned yet
	err    error   // the error that ended the stream; every further call returns it
	srcErr error   // the error that the source returned together with its last bytes

	buf     []byte  // nil: nothing is buffered
	p       *parser // nil whenever buf is
	from    int     // buf[from:to] is unread
	to      int
	reading bool // p is inside an element that begins at from
	scan    int  // Header: where the search for the end of the tag goes on
	quote   byte // Header: the quote at scan, or 0
	blank   bool // white space came before the header
	again   bool // this is not the first header from this source

	cache jids
	small [128]byte
}

// NewReader returns a Reader that reads from src.
func NewReader(src io.Reader, lim Limits) *Reader {
	return &Reader{src: src, lim: lim.withDefaults()}
}

// SetLimits changes the limits from the next element on. They rise after authentication.
func (r *Reader) SetLimits(l Limits) { r.lim = l.withDefaults() }

// Restart prepares for another stream header from the same source, after SASL. It keeps what was read and not consumed.
func (r *Reader) Restart() {
	r.scope, r.name, r.ahead, r.err, r.reading = scope{}, "", nil, nil, false
	r.scan, r.quote, r.blank, r.again = 0, 0, false, true
}

// Reset prepares for another stream from another source, after STARTTLS. It drops what was read and not consumed, since
// an attacker may have sent it before the encryption. Call Buffered first to detect that.
func (r *Reader) Reset(src io.Reader) {
	r.Restart()
	r.from = r.to
	r.give()
	r.src, r.srcErr, r.again, r.cache = src, nil, false, jids{}
}

// Buffered returns how many bytes were read from the source and not consumed, without white space. It must be 0 before
// STARTTLS proceeds (RFC 6120, section 5.3.3; CVE-2011-0411).
func (r *Reader) Buffered() int {
	n := 0
	for _, c := range r.buf[r.from:r.to] {
		if class[c]&isSpace == 0 {
			n++
		}
	}
	return n
}

// give returns the buffers to their pools if they are empty.
func (r *Reader) give() {
	if r.buf == nil || r.from != r.to || r.reading {
		return
	}
	giveBuffer(r.buf)
	r.p.release()
	r.p, r.buf, r.from, r.to = nil, nil, 0, 0
}

// fill reads more from the source and waits for it.
func (r *Reader) fill() error {
	if r.srcErr != nil {
		return r.srcErr
	}
	into := r.small[:]
	if r.buf != nil {
		r.room()
		into = r.buf[r.to:]
	}
	n, err := r.src.Read(into)
	for tries := 0; n == 0 && err == nil; tries++ {
		if tries == 100 {
			return io.ErrNoProgress
		}
		n, err = r.src.Read(into)
	}
	if n == 0 {
		return err
	}
	r.srcErr = err
	if r.buf != nil {
		r.to += n
		return nil
	}
	b := r.small[skipSpace(r.small[:n], 0):n]
	if len(b) < n {
		r.blank = true
	}
	if len(b) == 0 { // a keep-alive
		return nil
	}
	r.p = parsers.Get().(*parser)
	r.buf = small.Get().(*[smallBuffer]byte)[:]
	r.from, r.to = 0, copy(r.buf, b)
	return nil
}

// room makes room after r.to: it moves the pending bytes to the front if that is enough, and takes a larger buffer
// otherwise.
func (r *Reader) room() {
	switch n := r.to - r.from; {
	case r.to < len(r.buf):
	case n <= len(r.buf)/2:
		copy(r.buf, r.buf[r.from:r.to])
		r.from, r.to = 0, n
	default:
		var b []byte
		if len(r.buf) < largeBuffer {
			b = large.Get().(*[largeBuffer]byte)[:]
		} else {
			b = make([]byte, 2*len(r.buf))
		}
		copy(b, r.buf[r.from:r.to])
		giveBuffer(r.buf)
		r.buf, r.from, r.to = b, 0, n
	}
}

// fail ends the stream with err.
func (r *Reader) fail(err error) error {
	r.err = err
	r.from, r.reading = r.to, false
	r.give()
	return err
}

// skip drops white space and reports whether anything else is there.
func (r *Reader) skip() bool {
	at := r.from
	r.from = skipSpace(r.buf[:r.to], at)
	if r.from > at {
		r.blank = true
	}
	if r.from == r.to {
		r.give()
		return false
	}
	return true
}

// Next returns the next first-level element: a stanza, or an element of kind Other. It skips white space between
// elements. The error is ErrStreamEnd if the peer closed the stream, a *StreamError if the peer broke a rule or a
// limit, and otherwise the source's own error (io.EOF also in the middle of an element). After a timeout Next may be
// called again; all other errors are final.
func (r *Reader) Next() (*Stanza, error) {
	for !r.Ready() {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	if st := r.ahead; st != nil {
		r.ahead = nil
		return st, nil
	}
	return nil, r.err
}

// Ready reports whether Next will return without waiting, because an element or an error is there already. Half a
// stanza in the buffer is not enough. Call it between stanzas, but not before Restart or Reset.
func (r *Reader) Ready() bool {
	if r.ahead != nil || r.err != nil {
		return true
	}
	if !r.reading && !r.skip() {
		return false
	}
	st, err := r.read()
	switch {
	case err == nil:
		st.At = time.Now()
		r.ahead = st
	case err != errMore:
		_ = r.fail(err)
	case r.to-r.from > r.lim.Stanza:
		_ = r.fail(tooMuch("the stanza is too large"))
	default:
		return false
	}
	return true
}

// read continues with the element at r.from.
func (r *Reader) read() (*Stanza, error) {
	b := r.buf[r.from:r.to]
	if !r.reading {
		if b[0] != '<' {
			return nil, notWellFormed("text between stanzas")
		}
		if len(b) < 2 {
			return nil, errMore
		}
		switch b[1] {
		case '/':
			return nil, r.closing(b)
		case '!', '?':
			return nil, restricted("only elements are allowed in a stream")
		}
		r.p.begin(&r.scope, r.lim, &r.cache)
		r.reading = true
	}
	end, err := r.p.run(b)
	if err != nil {
		return nil, err
	}
	if end > r.p.lim.Stanza {
		return nil, tooMuch("the stanza is too large")
	}
	st, err := r.p.build()
	if err != nil {
		return nil, err
	}
	r.reading = false
	r.from += end
	r.give()
	return st, nil
}

// closing reads the stream's end tag.
func (r *Reader) closing(b []byte) error {
	if len(b) > len(r.name)+64 {
		b = b[:len(r.name)+64]
	}
	if bytes.IndexByte(b, '>') < 0 && len(b) == len(r.name)+64 {
		return notWellFormed("the end tag does not match")
	}
	if _, err := scanEnd(b, 0, []byte(r.name)); err != nil {
		return err
	}
	return ErrStreamEnd
}

// Header reads the stream's opening tag, and an XML declaration if there is one. Errors are those of Next.
func (r *Reader) Header() (Header, error) {
	if r.err != nil {
		return Header{}, r.err
	}
	for {
		if r.skip() {
			h, err := r.header()
			if err == nil {
				return h, nil
			}
			if err != errMore {
				return Header{}, r.fail(err)
			}
			if r.to-r.from > min(r.lim.Stanza, maxHeader) {
				return Header{}, r.fail(tooMuch("the stream header is too large"))
			}
		}
		if err := r.fill(); err != nil {
			return Header{}, err
		}
	}
}

const xmlDeclStart = "<?xml"

// header continues with the XML declaration or the opening tag at r.from.
func (r *Reader) header() (h Header, err error) {
	b := r.buf[r.from:r.to]
	switch {
	case b[0] != '<' || len(b) > 1 && b[1] == '/':
		return h, notWellFormed("expected a stream header")
	case len(b) > 1 && b[1] == '!':
		return h, restricted("comments and DTDs are not allowed")
	case len(b) > 1 && b[1] == '?' && !strings.HasPrefix(xmlDeclStart, string(b[:min(len(b), len(xmlDeclStart))])):
		return h, restricted("processing instructions are not allowed")
	}
	end := r.tagEnd(b)
	if end == 0 {
		return h, errMore
	}
	r.scan, r.quote = 0, 0
	if b[1] == '?' {
		// XML 1.0, section 2.8: a declaration stands at the very beginning. But a client may have ended its previous
		// stream with a newline.
		if r.blank && !r.again {
			return h, notWellFormed("whitespace before the XML declaration")
		}
		if err := xmlDecl(b[:end]); err != nil {
			return h, err
		}
		r.from += end
		r.blank, r.again = true, false
		if !r.skip() {
			return h, errMore
		}
		return r.header()
	}
	h, empty, err := r.openTag(b[:end])
	if err != nil {
		return h, err
	}
	r.from += end
	if empty {
		r.err = ErrStreamEnd
	}
	r.give()
	return h, nil
}

// tagEnd returns the index after the end of the tag that b begins with, or 0 if the end has not arrived. It continues
// where it stopped before.
func (r *Reader) tagEnd(b []byte) int {
	for i := r.scan; i < len(b); i++ {
		switch c := b[i]; {
		case r.quote != 0:
			if c == r.quote {
				r.quote = 0
			}
		case c == '\'' || c == '"':
			r.quote = c
		case c == '>':
			return i + 1
		}
	}
	r.scan = len(b)
	return 0
}

// xmlDecl checks an XML declaration (XML 1.0, section 2.8).
func xmlDecl(b []byte) error {
	bad := errDecl()
	i, end := len(xmlDeclStart), len(b)-len("?>")
	if end < i || b[end] != '?' {
		return bad
	}
	names := []string{"version", "encoding", "standalone"}
	for first := true; ; first = false {
		at := i
		if i = skipSpace(b[:end], i); i == end {
			if first {
				return bad
			}
			return nil
		}
		var a rawAttr
		next, err := scanAttr(b, i, &a)
		if at == i || err != nil || next > end || a.esc {
			return bad
		}
		for len(names) > 0 && names[0] != string(b[a.name:a.nameEnd]) {
			names = names[1:]
		}
		if len(names) == 0 || first && names[0] != "version" {
			return bad
		}
		if err := checkDecl(names[0], string(b[a.value:a.valueTo])); err != nil {
			return err
		}
		names, i = names[1:], next
	}
}

// errDecl is the error for an XML declaration that breaks the syntax.
func errDecl() error { return notWellFormed("malformed XML declaration") }

// checkDecl checks the value of one part of an XML declaration.
func checkDecl(name, v string) error {
	switch {
	case name == "version" && v != "1.0", name == "standalone" && v != "yes" && v != "no":
		return errDecl()
	case name == "encoding" && !strings.EqualFold(v, "UTF-8"): // RFC 6120, section 11.6
		return &StreamError{Condition: "unsupported-encoding", Text: "only UTF-8 is supported"}
	}
	return nil
}

// openTag parses the stream's opening tag and keeps its namespace declarations.
func (r *Reader) openTag(b []byte) (h Header, empty bool, err error) {
	p := elementParser{b: b, limit: r.lim.Attrs}
	l, end, err := p.start(0)
	switch {
	case err == errMore || err == nil && end != len(b):
		return h, false, notWellFormed("malformed tag")
	case err != nil:
		return h, false, err
	case l.e.Name.Space != NSStream:
		return h, false, &StreamError{
			Condition: "invalid-namespace",
			Text:      "the stream's namespace must be " + NSStream,
		}
	case l.e.Name.Local != "stream":
		return h, false, &StreamError{Condition: "bad-format", Text: "expected a stream"}
	}
	r.scope = scope{}
	for _, d := range p.bindings {
		if d.prefix == "" {
			r.scope.def = d.space
			continue
		}
		r.scope.prefixes = append(r.scope.prefixes, d)
	}
	if r.scope.content = r.scope.contentNS(); r.scope.content == "" {
		return h, false, &StreamError{
			Condition: "invalid-namespace",
			Text:      "the content namespace must be jabber:client, jabber:server or jabber:component:accept",
		}
	}
	h.ContentNS = r.scope.content
	for _, a := range l.e.Attrs {
		switch a.Name {
		case Name{"", "to"}:
			h.To = a.Value
		case Name{"", "from"}:
			h.From = a.Value
		case Name{"", "id"}:
			h.ID = a.Value
		case Name{"", "version"}:
			h.Version = a.Value
		case Name{NSXML, "lang"}:
			h.Lang = a.Value
		}
	}
	r.name = string(b[l.tag.name:l.tag.nameEnd])
	return h, l.tag.empty, nil
}

// contentNS returns the content namespace (RFC 6120, section 4.8.2): the default namespace, or one that is bound to a
// prefix. A stream whose default namespace is its own may declare the content namespace on each stanza (section 4.8.3,
// last example).
func (s *scope) contentNS() string {
	if s.def == NSClient || s.def == NSServer || s.def == NSComponent {
		return s.def
	}
	for _, b := range s.prefixes {
		if b.space == NSClient || b.space == NSServer {
			return b.space
		}
	}
	if s.def == NSStream {
		return NSClient
	}
	return ""
}
