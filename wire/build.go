package wire

import (
	"bytes"
	"strings"
	"time"

	"parley/wire/jid"
)

// root reads the header of the stanza.
func (p *parser) root(t *rawTag, def *rawAttr) error {
	st := &p.head
	p.outer, p.def = len(p.decls), p.scope.def
	if def != nil {
		p.def = def.text(p.b)
	}
	st.Kind, st.Name.Local = Other, intern(t.local(p.b))
	if t.colon < 0 {
		st.Name.Space = p.def
	} else {
		ref, err := p.use(t.prefix(p.b))
		if err != nil {
			return err
		}
		st.Name.Space = p.space(ref)
	}
	p.content = p.scope.content
	if p.content == "" && (st.Name.Space == NSClient || st.Name.Space == NSServer) {
		p.content = st.Name.Space
	}
	if p.content == "" || st.Name.Space != p.content {
		return p.otherAttrs()
	}
	switch st.Name.Local {
	case "message":
		st.Kind = Message
	case "presence":
		st.Kind = Presence
	case "iq":
		st.Kind = IQ
	default:
		if p.content == NSComponent && st.Name.Local == "handshake" { // XEP-0114, section 3
			return p.otherAttrs()
		}
		return &StreamError{Condition: "unsupported-stanza-type", Text: "expected message, presence or iq"}
	}
	st.Name.Space = NSClient
	p.stanzaAttrs()
	return nil
}

func (p *parser) stanzaAttrs() {
	st := &p.head
	for i := range p.attrs {
		a := &p.attrs[i]
		switch string(p.b[a.name:a.nameEnd]) {
		case "to":
			st.To = p.address(a)
		case "from":
			st.From = p.address(a)
		case "id":
			if !a.esc {
				st.ID = string(p.b[a.value:a.valueTo]) // different in every stanza, so it is not interned
				break
			}
			st.ID = a.text(p.b)
		case "type":
			st.Type = a.text(p.b)
		case "xml:lang":
			st.Lang = a.text(p.b)
		}
	}
}

func (p *parser) otherAttrs() error {
	st := &p.head
	for i := range p.attrs {
		a := &p.attrs[i]
		if decl, _, _ := declares(p.b, a); decl {
			continue
		}
		if string(p.b[a.name:a.nameEnd]) == "xml:lang" {
			st.Lang = a.text(p.b)
			continue
		}
		name := Name{Local: intern(a.local(p.b))}
		if a.colon >= 0 {
			ref, err := p.use(a.prefix(p.b))
			if err != nil {
				return err
			}
			name.Space = p.space(ref)
		}
		if st.Attrs == nil {
			st.Attrs = make([]Attr, 0, len(p.attrs)-i)
		}
		st.Attrs = append(st.Attrs, Attr{name, a.text(p.b)})
	}
	return nil
}

// address parses an address. An invalid one marks the stanza as malformed.
func (p *parser) address(a *rawAttr) jid.JID {
	raw := p.b[a.value:a.valueTo]
	if j, ok := p.cache.get(raw); ok {
		return j
	}
	text := a.text(p.b)
	j, err := jid.Parse(text)
	if err != nil {
		p.head.Malformed = true
		bare, _, _ := strings.Cut(text, "/")
		// if only the resource is invalid, the answer can still name an address, which clients look for
		j, _ = jid.Parse(bare)
		return j
	}
	p.cache.put(j)
	return j
}

// jids caches the last few addresses of a stream, since a client mostly writes to the same ones. A nil cache keeps
// nothing.
type jids struct {
	last [4]jid.JID
	next uint8
}

// get returns the address that was parsed from exactly these bytes.
func (c *jids) get(raw []byte) (jid.JID, bool) {
	if c == nil || len(raw) == 0 {
		return jid.JID{}, false
	}
	for i := range c.last {
		if c.last[i].String() == string(raw) {
			return c.last[i], true
		}
	}
	return jid.JID{}, false
}

func (c *jids) put(j jid.JID) {
	if c != nil {
		c.last[c.next] = j
		c.next = (c.next + 1) % uint8(len(c.last))
	}
}

// child begins a first-level payload.
func (p *parser) child(t *rawTag, def *rawAttr) error {
	if len(p.kids) >= p.lim.Children {
		return tooMuch("too many payloads")
	}
	p.kids = append(p.kids, payload{
		start:  t.at,
		nameTo: t.nameEnd,
		used:   int32(len(p.used)),
		usedTo: int32(len(p.used)),
	})
	k := &p.kids[len(p.kids)-1]
	k.name.Local = intern(t.local(p.b))
	switch {
	case t.colon >= 0:
		ref, err := p.use(t.prefix(p.b))
		if err != nil {
			return err
		}
		k.name.Space = p.space(ref)
	case def != nil:
		k.name.Space = def.text(p.b)
	default:
		k.name.Space, k.inherits = p.def, true
	}
	if p.head.Kind == Other || k.name.Space != p.content {
		return nil
	}
	// It is in the content namespace. Its declaration is dropped, since another stream may have the other content
	// namespace.
	k.name.Space = NSClient
	switch {
	case t.colon >= 0:
		k.rewrite = true
	case def != nil:
		k.cut, k.cutTo = def.at, def.valueTo+1
	default:
		k.inherits = false
	}
	return nil
}

// build makes the stanza when run has found its end. The stanza shares no memory with the buffer.
func (p *parser) build() (*Stanza, error) {
	n := len(p.kids)
	st, kids := newStanza(n)
	*st = p.head
	size := 0
	for i := range p.kids {
		size += int(p.kids[i].end - p.kids[i].start)
	}
	if size > 0 {
		out := make([]byte, 0, size)
		for i := range p.kids {
			k := &p.kids[i]
			start := len(out)
			out = p.appendPayload(out, k)
			kids = append(kids, Child{k.name, start, len(out)})
			if len(out) > 4*p.lim.Stanza { // if every payload uses every prefix of the stream
				return nil, tooMuch("the stanza is too large after its namespaces are declared")
			}
		}
		st.Payload, st.Children = out, kids
	}
	if len(p.text) > 0 {
		var s []byte
		for _, t := range p.text {
			if t.cdata {
				s = appendCDATA(s, p.b[t.from:t.to])
			} else {
				s = appendText(s, p.b[t.from:t.to])
			}
		}
		st.Text = string(s)
	}
	return st, nil
}

// newStanza returns a stanza with room for n children. The usual numbers need one allocation.
func newStanza(n int) (*Stanza, []Child) {
	switch {
	case n == 0:
		return new(Stanza), nil
	case n == 1:
		s := new(struct {
			st   Stanza
			kids [1]Child
		})
		return &s.st, s.kids[:0]
	case n == 2:
		s := new(struct {
			st   Stanza
			kids [2]Child
		})
		return &s.st, s.kids[:0]
	case n <= 4:
		s := new(struct {
			st   Stanza
			kids [4]Child
		})
		return &s.st, s.kids[:0]
	}
	return new(Stanza), make([]Child, 0, n)
}

// appendPayload appends a payload in self-contained form (see Stanza).
func (p *parser) appendPayload(out []byte, k *payload) []byte {
	b := p.b
	if !k.inherits && k.used == k.usedTo {
		if k.cutTo == 0 {
			return append(out, b[k.start:k.end]...)
		}
		out = append(out, b[k.start:k.cut]...)
		return append(out, b[k.cutTo:k.end]...)
	}
	start := len(out)
	out = append(out, b[k.start:k.nameTo]...)
	if k.inherits {
		def := p.def
		if def == p.content && p.head.Kind != Other {
			def = NSClient
		}
		out = appendAttr(out, "xmlns", def)
	}
	for _, ref := range p.used[k.used:k.usedTo] {
		out = append(out, " xmlns:"...)
		if ref < 0 {
			out = append(out, p.scope.prefixes[^ref].prefix...)
		} else {
			out = append(out, b[p.decls[ref].prefix:p.decls[ref].prefixTo]...)
		}
		out = append(out, '=', '\'')
		out = AppendEscaped(out, p.space(ref))
		out = append(out, '\'')
	}
	from := k.nameTo
	if k.cutTo != 0 {
		out = append(out, b[from:k.cut]...)
		from = k.cutTo
	}
	out = append(out, b[from:k.end]...)
	if k.rewrite {
		return p.rewrite(out, start)
	}
	return out
}

// rewrite removes the prefixes from the element that begins at start. The element is in the content namespace, and must
// be in that of any stream that it is put in. No known client sends such elements.
func (p *parser) rewrite(out []byte, start int) []byte {
	e, err := ParseElement(bytes.Clone(out[start:]), p.content)
	if err != nil { // it was checked before, so this is our bug
		return out
	}
	return e.AppendXML(out[:start], p.content)
}

// noScope is the scope of an element that stands alone.
var noScope scope

// ReceiveStanza is like ParseStanza for an element that was just read from a connection: it also sets Stanza.At.
func ReceiveStanza(frame []byte, lim Limits) (*Stanza, error) {
	st, err := ParseStanza(frame, lim)
	if err != nil {
		return nil, err
	}
	st.At = time.Now()
	return st, nil
}

// ParseStanza parses one element that stands alone, with only white space around it: a WebSocket frame (RFC 7395), or a
// stanza from an archive. A stanza must declare its own namespace. Errors are of type *StreamError.
func ParseStanza(frame []byte, lim Limits) (*Stanza, error) {
	lim = lim.withDefaults()
	if len(frame) > lim.Stanza {
		return nil, tooMuch("the stanza is too large")
	}
	i := skipSpace(frame, 0)
	if i == len(frame) || frame[i] != '<' {
		return nil, notWellFormed("no element")
	}
	frame = frame[i:]
	if len(frame) > 1 && (frame[1] == '!' || frame[1] == '?') {
		return nil, restricted("expected an element")
	}
	if len(frame) > 1 && frame[1] == '/' {
		return nil, notWellFormed("end tag without a start tag")
	}
	p := parsers.Get().(*parser)
	defer p.release()
	p.begin(&noScope, lim, nil)
	end, err := p.run(frame)
	if err == errMore {
		err = notWellFormed("the element is incomplete")
	}
	if err != nil {
		return nil, err
	}
	if skipSpace(frame, end) != len(frame) {
		return nil, notWellFormed("data after the element")
	}
	return p.build()
}
