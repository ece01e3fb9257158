package wire

import (
	"bytes"
	"io"
	"strings"
	"time"
)

// maxHeader is how long a stream header may be, in bytes, if Limits.Stanza allows it.
const maxHeader = 16 << 10

// Header is a stream's opening tag (RFC 6120, section 4.7). To and From are as they came: whether they are addresses,
// and whose, is for the caller to see.
type Header struct {
	To, From, ID, Version, Lang string
	ContentNS                   string // NSClient, NSServer or NSComponent
}

// Reader reads a stream's elements, within Limits. It is for one goroutine. While nothing is pending it holds no buffer
// but a small one of its own, so that idle sessions are cheap.
type Reader struct {
	src    io.Reader
	lim    Limits
	scope  scope
	name   string  // of the stream's tag as written
	ahead  *Stanza // read by Ready and not yet given
	err    error   // what has ended the stream: it is given again
	srcErr error   // what the source gave together with its last bytes

	buf     []byte  // nil: nothing is buffered
	p       *parser // nil as buf is
	from    int     // buf[from:to] is not consumed
	to      int
	reading bool // p is in an element, which begins at from
	scan    int  // Header: up to where the tag's end was looked for
	quote   byte // Header: the quote scan is within
	blank   bool // whitespace came before the header
	again   bool // this is not the first header on this source

	cache jids
	small [128]byte
}

// NewReader reads from src.
func NewReader(src io.Reader, lim Limits) *Reader {
	return &Reader{src: src, lim: lim.withDefaults()}
}

// SetLimits changes the limits, from the next element on: they rise after authentication.
func (r *Reader) SetLimits(l Limits) { r.lim = l.withDefaults() }

// Restart makes ready for another stream header on the same source (after SASL); what was read and not consumed stays.
func (r *Reader) Restart() {
	r.scope, r.name, r.ahead, r.err, r.reading = scope{}, "", nil, nil, false
	r.scan, r.quote, r.blank, r.again = 0, 0, false, true
}

// Reset makes ready for another stream on another source (after STARTTLS). What was read and not consumed is dropped:
// it may be an attacker's and must not be read as if it came through the new one. Who is to notice asks Buffered before.
func (r *Reader) Reset(src io.Reader) {
	r.Restart()
	r.from = r.to
	r.give()
	r.src, r.srcErr, r.again, r.cache = src, nil, false, jids{}
}

// Buffered gives how many bytes were read from the source and not consumed, whitespace aside. Before STARTTLS goes on it
// must be 0 (RFC 6120, section 5.3.3; CVE-2011-0411 and its kin).
func (r *Reader) Buffered() int {
	n := 0
	for _, c := range r.buf[r.from:r.to] {
		if class[c]&isSpace == 0 {
			n++
		}
	}
	return n
}

// give returns the buffers to their pools if nothing is in them.
func (r *Reader) give() {
	if r.buf == nil || r.from != r.to || r.reading {
		return
	}
	giveBuffer(r.buf)
	r.p.release()
	r.p, r.buf, r.from, r.to = nil, nil, 0, 0
}

// fill reads more; what it waits for is the source.
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

// room makes room behind r.to, by moving what is pending to the front if that gives enough, else by a larger buffer.
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

// fail ends the stream.
func (r *Reader) fail(err error) error {
	r.err = err
	r.from, r.reading = r.to, false
	r.give()
	return err
}

// skip drops whitespace and says whether something else is there.
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

// Next gives the next first-level element: a stanza, or an Other. Whitespace between elements is skipped. ErrStreamEnd
// says that the peer has closed the stream, a *StreamError that it broke a rule or a limit; anything else is the
// source's error as it is (io.EOF in the middle of an element too). A deadline that passed may be waited on again; the
// others stay.
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

// Ready says that Next will not wait: another element, or an error, is there already. (That something is buffered does
// not say so, it may be half a stanza.) It is for the time between stanzas, not before Restart or Reset.
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

// read goes on with the element at r.from.
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
		return notWellFormed("an end tag does not match")
	}
	if _, err := scanEnd(b, 0, []byte(r.name)); err != nil {
		return err
	}
	return ErrStreamEnd
}

// Header reads an XML declaration, which may be missing, and the stream's opening tag. Errors are as those of Next.
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

// header goes on with the XML declaration or the opening tag at r.from.
func (r *Reader) header() (h Header, err error) {
	b := r.buf[r.from:r.to]
	switch {
	case b[0] != '<' || len(b) > 1 && b[1] == '/':
		return h, notWellFormed("a stream header is expected")
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
		// XML 1.0, section 2.8: at the very beginning or not at all. A client may have ended its last stream with a newline.
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

// tagEnd finds where the tag that b begins with ends, going on from where it was before; 0 if that has not come.
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
	bad := notWellFormed("a bad XML declaration")
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
		v := string(b[a.value:a.valueTo])
		switch names[0] {
		case "version":
			if v != "1.0" {
				return bad
			}
		case "encoding":
			if !strings.EqualFold(v, "UTF-8") { // RFC 6120, section 11.6
				return &StreamError{Condition: "unsupported-encoding", Text: "only UTF-8 is supported"}
			}
		case "standalone":
			if v != "yes" && v != "no" {
				return bad
			}
		}
		names, i = names[1:], next
	}
}

// openTag takes the stream's opening tag and remembers what it declares.
func (r *Reader) openTag(b []byte) (h Header, empty bool, err error) {
	p := elementParser{b: b, limit: r.lim.Attrs}
	l, end, err := p.start(0)
	switch {
	case err == errMore || err == nil && end != len(b):
		return h, false, notWellFormed("a broken tag")
	case err != nil:
		return h, false, err
	case l.e.Name.Space != NSStream:
		return h, false, &StreamError{Condition: "invalid-namespace", Text: "the stream's namespace is " + NSStream}
	case l.e.Name.Local != "stream":
		return h, false, &StreamError{Condition: "bad-format", Text: "a stream is expected"}
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
		return h, false, &StreamError{Condition: "invalid-namespace", Text: "the content namespace is none of jabber:client, jabber:server and jabber:component:accept"}
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

// contentNS gives the content namespace (RFC 6120, section 4.8.2): the default one, or one that a prefix is bound to. A
// stream that has its own namespace as the default one may declare it on each stanza (section 4.8.3, last example).
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
