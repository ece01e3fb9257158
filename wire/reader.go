package wire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
)

// ErrStreamEnd says that the peer has closed its stream with </stream:stream>.
var ErrStreamEnd = errors.New("wire: stream closed by the peer")

// Header is a stream's opening tag (RFC 6120, section 4.7), as it came.
type Header struct {
	To, From, ID, Version, Lang string
	ContentNS                   string // NSClient or NSServer
}

// Reader reads a stream's elements. It is for one goroutine. While nothing is pending it holds no buffer but a small
// one of its own, so that idle sessions are cheap; one that has begun an element holds up to Limits.Stanza bytes.
type Reader struct {
	src     io.Reader
	lim     Limits
	content string
	decls   []binding
	name    []byte // of the stream's tag as written
	cache   jids

	buf   []byte // from the pool; nil when nothing is pending
	r, w  int
	small [128]byte

	// Where the search for the end of the element at r has got to: nothing is looked at twice, however it arrives.
	pos, tagAt, depth int
	mode              uint8
	quote             byte
	open              []span // names of the open elements, from r
}

type span struct{ from, to int }

const (
	inText = iota
	inTag
	inBang
	inCDATA
)

// NewReader reads from src.
func NewReader(src io.Reader, lim Limits) *Reader {
	return &Reader{src: src, lim: lim.withDefaults()}
}

// SetLimits changes the limits from the next element on.
func (r *Reader) SetLimits(l Limits) { r.lim = l.withDefaults() }

// Restart makes ready for another stream header on the same source; what was read and not consumed stays.
func (r *Reader) Restart() {
	r.content, r.decls, r.name = "", nil, nil
	r.begin()
}

// Buffered gives how many bytes have been read and not consumed, white space between elements aside.
func (r *Reader) Buffered() int {
	n := 0
	for _, c := range r.buf[r.r:r.w] {
		if !space(c) {
			n++
		}
	}
	return n
}

func (r *Reader) begin() {
	r.pos, r.depth, r.mode, r.open = r.r, 0, inText, r.open[:0]
}

var buffers = sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}

// fill reads more.
func (r *Reader) fill() error {
	if r.buf == nil {
		n, err := r.src.Read(r.small[:])
		if n > 0 {
			r.buf = *buffers.Get().(*[]byte)
			r.r, r.w = 0, copy(r.buf, r.small[:n])
			r.begin()
			return nil
		}
		return err
	}
	if r.w == len(r.buf) {
		if r.r > 0 {
			copy(r.buf, r.buf[r.r:r.w])
			r.pos, r.tagAt, r.w, r.r = r.pos-r.r, r.tagAt-r.r, r.w-r.r, 0
		} else {
			b := make([]byte, 2*len(r.buf))
			copy(b, r.buf)
			r.putBuffer()
			r.buf = b
		}
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

func (r *Reader) putBuffer() {
	if len(r.buf) == 4096 {
		b := r.buf
		buffers.Put(&b)
	}
}

// consume drops everything up to end, and the buffer if that was all.
func (r *Reader) consume(end int) {
	r.r = end
	if r.r == r.w {
		r.putBuffer()
		r.buf, r.r, r.w = nil, 0, 0
	}
	r.begin()
}

// skip drops white space before an element; false if there is nothing else yet.
func (r *Reader) skip() bool {
	i := r.r
	for i < r.w && space(r.buf[i]) {
		i++
	}
	if i > r.r || r.buf != nil && i == r.w {
		r.consume(i)
	}
	return r.r < r.w
}

// Next gives the next first-level element: a stanza, or an Other. ErrStreamEnd when the stream is closed, a
// *StreamError for what ends it, else the source's error.
func (r *Reader) Next() (*Stanza, error) {
	for {
		if r.pos == r.r && !r.skip() {
			if err := r.fill(); err != nil {
				return nil, err
			}
			continue
		}
		end, err := r.scan()
		if err != nil {
			return nil, err
		}
		if end == 0 {
			if r.w-r.r > r.lim.Stanza {
				return nil, errTooLarge
			}
			if err := r.fill(); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return nil, err
			}
			continue
		}
		if end-r.r > r.lim.Stanza {
			return nil, errTooLarge
		}
		if r.depth < 0 {
			return nil, r.closing(end)
		}
		st, err := r.parse(r.buf[r.r:end])
		r.consume(end)
		return st, err
	}
}

func (r *Reader) parse(b []byte) (*Stanza, error) {
	p := parsers.Get().(*parser)
	defer p.release()
	p.b, p.lim = b, r.lim
	p.ns = append(p.ns[:0], r.decls...)
	return p.stanza(r.content, &r.cache)
}

func (r *Reader) closing(end int) error {
	name := bytes.TrimRight(r.buf[r.r+2:end-1], " \t\r\n")
	r.consume(end)
	if !bytes.Equal(name, r.name) {
		return errNotWellFormed
	}
	return ErrStreamEnd
}

// scan looks for the end of the element at r; 0 if it has not come yet. It finds ends; what lies between is checked
// when it is complete.
func (r *Reader) scan() (int, error) {
	for r.pos < r.w {
		switch r.mode {
		case inText:
			i := bytes.IndexByte(r.buf[r.pos:r.w], '<')
			if r.depth == 0 && i != 0 {
				return 0, errNotWellFormed // text between stanzas
			}
			if i < 0 {
				r.pos = r.w
				return 0, nil
			}
			r.tagAt = r.pos + i
			r.pos, r.mode, r.quote = r.tagAt+1, inTag, 0
		case inTag:
			if done, err := r.scanTag(); done || err != nil {
				return r.pos, err
			}
		case inBang:
			n := min(r.w-r.tagAt, len(cdataOpen))
			if string(r.buf[r.tagAt:r.tagAt+n]) != cdataOpen[:n] || r.depth == 0 {
				return 0, errRestricted
			}
			if r.pos = r.tagAt + n; n == len(cdataOpen) {
				r.mode = inCDATA
			}
		case inCDATA:
			from := max(r.pos-2, r.tagAt+len(cdataOpen))
			i := bytes.Index(r.buf[from:r.w], []byte("]]>"))
			if i < 0 {
				r.pos = r.w
				return 0, nil
			}
			r.pos, r.mode = from+i+3, inText
		}
	}
	return 0, nil
}

// scanTag goes on in a tag; done when it ends the element.
func (r *Reader) scanTag() (done bool, err error) {
	if r.pos == r.tagAt+1 {
		switch r.buf[r.pos] {
		case '!':
			r.mode = inBang
			return false, nil
		case '?':
			return false, errRestricted
		}
	}
	for r.pos < r.w {
		if r.quote != 0 {
			i := bytes.IndexByte(r.buf[r.pos:r.w], r.quote)
			if i < 0 {
				r.pos = r.w
				return false, nil
			}
			r.pos, r.quote = r.pos+i+1, 0
			continue
		}
		switch c := r.buf[r.pos]; c {
		case '\'', '"':
			r.quote = c
		case '<':
			return false, errNotWellFormed
		case '>':
			if err := r.nest(); err != nil {
				return false, err
			}
			r.pos, r.mode = r.pos+1, inText
			return r.depth <= 0, nil
		}
		r.pos++
	}
	return false, nil
}

// nest counts the tag that ends at pos. End tags must match here already, or a peer's mistake would look like an
// element that has not ended yet.
func (r *Reader) nest() error {
	if r.buf[r.tagAt+1] == '/' {
		if r.depth--; r.depth < 0 {
			return nil // the stream's
		}
		o := r.open[r.depth]
		r.open = r.open[:r.depth]
		if !bytes.HasPrefix(r.buf[r.tagAt+2:r.pos], r.buf[r.r+o.from:r.r+o.to]) {
			return errNotWellFormed
		}
		return nil
	}
	if r.buf[r.pos-1] == '/' {
		return nil
	}
	if r.depth++; r.depth > r.lim.Depth {
		return errTooDeep
	}
	end := r.tagAt + 1
	for !space(r.buf[end]) && end < r.pos {
		end++
	}
	r.open = append(r.open, span{r.tagAt + 1 - r.r, end - r.r})
	return nil
}

// Header reads an optional XML declaration and the stream's opening tag.
func (r *Reader) Header() (Header, error) {
	for {
		if r.skip() {
			h, end, err := r.header()
			if err != nil {
				return h, err
			}
			if end > 0 {
				r.consume(end)
				return h, nil
			}
			if r.w-r.r > min(r.lim.Stanza, 16<<10) {
				return h, errTooLarge
			}
		}
		if err := r.fill(); err != nil {
			return Header{}, err
		}
	}
}

func (r *Reader) header() (h Header, end int, err error) {
	b := r.buf[r.r:r.w]
	at := 0
	if b[0] != '<' {
		return h, 0, errNotWellFormed
	}
	if len(b) >= 2 && b[1] == '!' {
		return h, 0, errRestricted
	}
	if bytes.HasPrefix([]byte("<?xml"), b[:min(len(b), 5)]) && len(b) >= 2 {
		i := bytes.Index(b, []byte("?>"))
		if i < 0 {
			return h, 0, nil
		}
		if err := xmlDecl(string(b[5:i])); err != nil {
			return h, 0, err
		}
		at = i + 2
		for at < len(b) && space(b[at]) {
			at++
		}
	} else if len(b) >= 2 && b[1] == '?' {
		return h, 0, errRestricted
	}
	if at == len(b) {
		return h, 0, nil
	}
	n := tagEnd(b[at:])
	if n == 0 {
		return h, 0, nil
	}
	h, err = r.openTag(b[at : at+n])
	return h, r.r + at + n, err
}

// tagEnd finds the end of the tag that b begins with; 0 if it has not come.
func tagEnd(b []byte) int {
	var quote byte
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '>':
			return i + 1
		}
	}
	return 0
}

// xmlDecl checks what stands between <?xml and ?>.
func xmlDecl(s string) error {
	fields := strings.Fields(strings.ReplaceAll(s, "\"", "'"))
	if len(fields) == 0 || len(s) > 200 || !space(s[0]) || fields[0] != "version='1.0'" {
		return errNotWellFormed
	}
	for _, f := range fields[1:] {
		if v, ok := strings.CutPrefix(f, "encoding="); ok && !strings.EqualFold(v, "'utf-8'") {
			return &StreamError{Condition: "unsupported-encoding"}
		}
	}
	return nil
}

func (r *Reader) openTag(b []byte) (h Header, err error) {
	p := parsers.Get().(*parser)
	defer p.release()
	p.b, p.lim, p.ns, p.outer = bytes.Clone(b), r.lim, p.ns[:0], -1
	t, err := p.startTag(0)
	if err != nil {
		return h, err
	}
	if t.selfClose || t.end != len(b) {
		return h, errNotWellFormed
	}
	if err := p.declare(0); err != nil {
		return h, err
	}
	n, err := p.resolveTag(t)
	if err != nil {
		return h, err
	}
	if n.Space != NSStream {
		return h, &StreamError{Condition: "invalid-namespace"}
	}
	if n.Local != "stream" {
		return h, &StreamError{Condition: "bad-format"}
	}
	def, _ := p.lookup(nil)
	h.ContentNS = def.uri
	if t.name.p0 == t.name.p1 { // <stream xmlns='…streams'>: the content namespace is declared on each stanza
		h.ContentNS = NSClient
	}
	if h.ContentNS != NSClient && h.ContentNS != NSServer {
		return h, &StreamError{Condition: "invalid-namespace"}
	}
	for _, a := range p.attrs {
		switch string(p.b[a.name.p0:a.name.p1]) + ":" + string(p.text(a.name.l0, a.name.l1)) {
		case ":to":
			h.To = p.value(a)
		case ":from":
			h.From = p.value(a)
		case ":id":
			h.ID = p.value(a)
		case ":version":
			h.Version = p.value(a)
		case "xml:lang":
			h.Lang = p.value(a)
		}
	}
	r.content, r.name = h.ContentNS, bytes.Clone(b[t.start+1:t.nameEnd])
	r.decls = append([]binding(nil), p.ns...)
	return h, nil
}
