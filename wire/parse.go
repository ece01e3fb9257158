package wire

import (
	"bytes"
	"sync"
)

// scope holds the namespaces that the stream header declared.
type scope struct {
	content  string // the content namespace; empty: that of the element, if it is a stanza (WebSocket)
	def      string // the default namespace
	prefixes []binding
}

// decl is a prefix that is declared inside the element being read.
type decl struct {
	prefix, prefixTo int32
	value, valueTo   int32
	esc              bool
}

// openTag is an element whose end tag is still to come.
type openTag struct {
	name, nameTo int32
	decls        int32 // the number of decls before it
	own          bool  // the default namespace here was declared inside the payload
}

// payload is a first-level payload.
type payload struct {
	name          Name
	start, nameTo int32
	end           int32
	cut, cutTo    int32 // an attribute to leave out, including the white space before it
	inherits      bool  // uses the default namespace of its surroundings
	rewrite       bool  // is in the content namespace by a prefix
	used, usedTo  int32 // in parser.used: the outer prefixes that it uses
}

// piece is a piece of character data directly inside the root.
type piece struct {
	from, to int
	cdata    bool
}

// The states of the parser.
const (
	inContent = iota
	inTag     // in a tag whose end was not there yet
	inCDATA
)

// parser reads one first-level element from bytes that arrive in any pieces. It reads no byte twice, except in a tag
// that comes in pieces. All offsets are from the element's beginning.
type parser struct {
	scope   *scope
	lim     Limits
	cache   *jids
	b       []byte // the element as far as it has arrived, and perhaps more
	pos     int    // everything before it has been read
	state   uint8
	again   bool // inTag: a first attempt failed, so the next one first searches for the end of the tag
	quote   byte // inTag: the quote at scan, or 0
	scan    int  // inTag: the place where the search for the end goes on
	cdata   int  // inCDATA: where the section begins
	content string
	def     string // the default namespace inside the root
	outer   int    // number of decls of the root

	head  Stanza // without the payload
	attrs []rawAttr
	stack []openTag
	decls []decl
	kids  []payload
	used  []int // indexes of decls, or ^i for scope.prefixes[i]
	text  []piece
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

// begin prepares the parser for an element.
func (p *parser) begin(s *scope, lim Limits, cache *jids) {
	p.scope, p.lim, p.cache = s, lim, cache
	p.pos, p.state, p.outer = 0, inContent, 0
	p.head = Stanza{}
	p.stack, p.decls, p.kids, p.used, p.text = p.stack[:0], p.decls[:0], p.kids[:0], p.used[:0], p.text[:0]
}

// release returns the parser to the pool, without any data of the stream.
func (p *parser) release() {
	if cap(p.kids) > 64 || cap(p.stack)+cap(p.decls)+cap(p.used)+cap(p.text)+cap(p.attrs) > 1024 {
		*p = parser{}
	}
	p.scope, p.cache, p.b, p.head = nil, nil, nil, Stanza{}
	for i := range p.kids {
		p.kids[i].name = Name{}
	}
	parsers.Put(p)
}

// run continues reading. b is the element as far as it has arrived. run returns the index of the element's end, or
// errMore.
func (p *parser) run(b []byte) (end int, err error) {
	p.b = b
	for p.pos < len(b) {
		switch p.state {
		case inTag:
			// A tag that comes in two parts is read again; with more parts, its end is searched first.
			if p.again {
				if err := p.tagEnds(); err != nil {
					return 0, err
				}
			}
			err := p.markup()
			if err == errMore {
				if p.again {
					return 0, notWellFormed("malformed tag")
				}
				p.again, p.scan, p.quote = true, p.pos+1, 0
				continue
			}
			if err != nil {
				return 0, err
			}
			p.state = inContent
			if len(p.stack) == 0 {
				return p.pos, nil
			}
			continue
		case inCDATA:
			if p.pos, err = scanCDATA(b, p.pos); err != nil {
				return 0, err
			}
			p.piece(p.cdata, p.pos-len("]]>"), true)
			p.state = inContent
			continue
		}
		if b[p.pos] != '<' {
			from := p.pos
			p.pos, err = scanText(b, from)
			p.piece(from, p.pos, false)
			if err != nil {
				return 0, err
			}
			continue
		}
		if err := p.markup(); err != nil {
			return 0, err
		}
		if len(p.stack) == 0 {
			return p.pos, nil
		}
	}
	return 0, errMore
}

// piece notes character data of the root, which only a stanza of kind Other keeps.
func (p *parser) piece(from, to int, cdata bool) {
	if len(p.stack) != 1 || p.head.Kind != Other || from == to {
		return
	}
	if n := len(p.text); n > 0 && !cdata && !p.text[n-1].cdata && p.text[n-1].to == from {
		p.text[n-1].to = to
		return
	}
	p.text = append(p.text, piece{from, to, cdata})
}

// markup reads the markup at pos, which begins with '<'.
func (p *parser) markup() (err error) {
	if p.pos+1 >= len(p.b) {
		return errMore
	}
	switch p.b[p.pos+1] {
	case '!':
		n, err := scanBang(p.b, p.pos)
		if err != nil {
			return err
		}
		p.state, p.pos, p.cdata = inCDATA, n, n
		return nil
	case '?':
		return restricted("processing instructions are not allowed")
	case '/':
		err = p.endTag()
	default:
		err = p.startTag()
	}
	if err == errMore && p.state != inTag {
		p.state, p.again = inTag, false
	}
	return err
}

// tagEnds searches for the '>' of the tag at pos, and continues where it stopped before.
func (p *parser) tagEnds() error {
	for i, b := p.scan, p.b; i < len(b); i++ {
		c := b[i]
		switch {
		case p.quote != 0:
			n := bytes.IndexByte(b[i:], p.quote)
			if n < 0 {
				p.scan = len(b)
				return errMore
			}
			i += n
			p.quote = 0
		case c == '\'', c == '"':
			p.quote = c
		case c == '<':
			return notWellFormed("'<' in a tag")
		case c == '>':
			return nil
		}
	}
	p.scan = len(p.b)
	return errMore
}

func (p *parser) endTag() error {
	top := &p.stack[len(p.stack)-1]
	name := p.b[top.name:top.nameTo]
	from := p.pos + 2
	to := from + len(name)
	if to < len(p.b) && p.b[to] == '>' && bytes.Equal(p.b[from:to], name) {
		to++
	} else {
		var err error
		if to, err = scanEnd(p.b, p.pos, name); err != nil {
			return err
		}
	}
	p.pos = to
	decls := top.decls
	p.stack = p.stack[:len(p.stack)-1]
	switch len(p.stack) {
	case 0:
		return nil // build needs the root's declarations
	case 1:
		p.kids[len(p.kids)-1].end = int32(to)
	}
	p.decls = p.decls[:decls]
	return nil
}

func (p *parser) startTag() error {
	t, attrs, err := scanTag(p.b, p.pos, p.attrs, p.lim.Attrs)
	p.attrs = attrs
	if err != nil {
		return err
	}
	depth := len(p.stack)
	if depth >= p.lim.Depth {
		return tooMuch("elements are nested too deeply")
	}
	o := openTag{name: t.name, nameTo: t.nameEnd, decls: int32(len(p.decls))}
	def, prefixed, err := p.declare()
	if err != nil {
		return err
	}
	switch depth {
	case 0:
	case 1:
		o.own = def != nil || t.colon < 0 // an element without a prefix has already set inherits; see child
	default:
		o.own = def != nil || p.stack[depth-1].own
	}
	switch {
	case depth == 0:
		err = p.root(&t, def)
	case depth == 1:
		err = p.child(&t, def)
	case t.colon >= 0:
		_, err = p.use(t.prefix(p.b))
	case !o.own:
		p.kids[len(p.kids)-1].inherits = true
	}
	if err == nil && prefixed > 0 {
		err = p.attrPrefixes(prefixed)
	}
	if err != nil {
		return err
	}
	p.pos = int(t.end)
	if !t.empty {
		p.stack = append(p.stack, o)
		return nil
	}
	p.decls = p.decls[:o.decls]
	if depth == 1 {
		p.kids[len(p.kids)-1].end = t.end
	}
	return nil
}

// declare handles the namespace declarations among the attributes. It returns the declaration of the default namespace,
// and how many of the other attributes have a prefix other than xml.
func (p *parser) declare() (def *rawAttr, prefixed int, err error) {
	for i := range p.attrs {
		a := &p.attrs[i]
		if a.colon < 0 && int(a.nameEnd-a.name) != len("xmlns") {
			continue
		}
		ok, prefix, err := declares(p.b, a)
		switch {
		case err != nil:
			return nil, 0, err
		case !ok:
			if a.colon >= 0 && string(a.prefix(p.b)) != "xml" {
				prefixed++
			}
		case len(prefix) == 0:
			def = a
		case string(prefix) != "xml":
			if len(p.decls) >= maxDecls {
				return nil, 0, tooMuch("too many namespace declarations")
			}
			p.decls = append(p.decls, decl{a.colon + 1, a.nameEnd, a.value, a.valueTo, a.esc})
		}
	}
	return def, prefixed, nil
}

// refXML is the result of use for the prefix xml.
const refXML = maxDecls

// use resolves a prefix. If the prefix is declared outside of the payload being read, use notes that the payload needs
// it.
func (p *parser) use(prefix []byte) (ref int, err error) {
	ref = -1
	for i := len(p.decls) - 1; i >= 0; i-- {
		d := &p.decls[i]
		if bytes.Equal(p.b[d.prefix:d.prefixTo], prefix) {
			if i >= p.outer {
				return i, nil
			}
			ref = i
			break
		}
	}
	if ref < 0 {
		if string(prefix) == "xml" {
			return refXML, nil
		}
		i := len(p.scope.prefixes) - 1
		for i >= 0 && p.scope.prefixes[i].prefix != string(prefix) {
			i--
		}
		if i < 0 {
			return 0, notWellFormed("undeclared prefix")
		}
		ref = ^i
	}
	if n := len(p.kids); n > 0 {
		k := &p.kids[n-1]
		for _, r := range p.used[k.used:k.usedTo] {
			if r == ref {
				return ref, nil
			}
		}
		p.used = append(p.used, ref)
		k.usedTo = int32(len(p.used))
	}
	return ref, nil
}

// space returns the namespace for a result of use.
func (p *parser) space(ref int) string {
	switch {
	case ref == refXML:
		return NSXML
	case ref < 0:
		return p.scope.prefixes[^ref].space
	}
	d := &p.decls[ref]
	a := rawAttr{value: d.value, valueTo: d.valueTo, esc: d.esc}
	return a.text(p.b)
}

// attrPrefixes resolves the prefixes of attributes and refuses two attributes with the same expanded name (Namespaces
// in XML 1.0, section 6.3).
func (p *parser) attrPrefixes(n int) error {
	names := make([]Name, 0, 8)
	for i := range p.attrs {
		a := &p.attrs[i]
		if a.colon < 0 {
			continue
		}
		prefix := a.prefix(p.b)
		if string(prefix) == "xml" || string(prefix) == "xmlns" {
			continue
		}
		ref, err := p.use(prefix)
		if err != nil {
			return err
		}
		if n == 1 {
			return nil
		}
		name := Name{p.space(ref), intern(a.local(p.b))}
		for _, o := range names {
			if o == name {
				return notWellFormed("duplicate attribute")
			}
		}
		names = append(names, name)
	}
	return nil
}
