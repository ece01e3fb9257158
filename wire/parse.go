package wire

import (
	"strconv"
	"unicode/utf8"

	"parley/wire/jid"
)

// StreamError ends a stream (RFC 6120, section 4.9).
type StreamError struct {
	Condition string // as in section 4.9.3
	Text      string // for people, in English; may be empty
	App       *Element
}

func (e *StreamError) Error() string {
	if e.Text == "" {
		return "stream error " + e.Condition
	}
	return "stream error " + e.Condition + ": " + e.Text
}

// Limits of what a peer may send; zero means the default.
type Limits struct {
	Stanza   int // bytes of one first-level element, and of the stream header
	Depth    int // of elements in a first-level element, itself being 1
	Attrs    int // of one element, namespace declarations among them
	Children int // first-level payloads of one stanza
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Stanza, 256<<10)
	set(&l.Depth, 64)
	set(&l.Attrs, 64)
	set(&l.Children, 256)
	return l
}

var (
	errNotWellFormed = &StreamError{Condition: "not-well-formed"}
	errRestricted    = &StreamError{Condition: "restricted-xml"}
	errTooDeep       = &StreamError{Condition: "policy-violation", Text: "elements are nested too deeply"}
	errTooLarge      = &StreamError{Condition: "policy-violation", Text: "stanza is too large"}
	errTooManyAttrs  = &StreamError{Condition: "policy-violation", Text: "too many attributes"}
	errTooMany       = &StreamError{Condition: "policy-violation", Text: "too many payloads"}
)

// binding is a namespace declaration in scope.
type binding struct {
	prefix, uri string
	depth       int // of the element that declares it; 0: the stream header
}

// attr is an attribute of the tag at hand, as it stands in the buffer.
type attr struct {
	start, end int // with the white space before it
	name       qname
	v0, v1     int // the value, without quotes
	entity     bool
}

// qname is a name as written: prefix (may be empty) and local part.
type qname struct{ p0, p1, l0, l1 int }

type tag struct {
	name      qname
	start     int // of '<'
	nameEnd   int
	end       int // after '>'
	selfClose bool
}

// parser checks and takes apart complete elements. It is not safe for use by two goroutines.
type parser struct {
	lim   Limits
	b     []byte
	ns    []binding
	attrs []attr
	open  []tag
	// of the payload at hand: prefixes it uses that are declared outside of it
	borrowed []binding
	outer    int // bindings of a depth up to this lie outside the payload
	cache    jids
}

func (p *parser) text(q0, q1 int) []byte { return p.b[q0:q1] }

// class of bytes: what the scanners stop at.
const (
	cPlain = iota
	cName  // may stand in a name, ASCII
	cStop  // needs a look
	cBad   // never legal
)

var class = func() (t [256]uint8) {
	for c := range 0x20 {
		t[c] = cBad
	}
	t['\t'], t['\n'], t['\r'] = cPlain, cPlain, cPlain
	t['<'], t['&'], t['>'], t['\''], t['"'] = cStop, cStop, cStop, cStop, cStop
	t[0xef] = cStop // U+FFFE and U+FFFF are no characters
	return t
}()

var nameChar = func() (t [256]bool) {
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-32] = true, true
	}
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	t['-'], t['_'], t['.'] = true, true, true
	for c := 0x80; c < 0x100; c++ {
		t[c] = true // looked at by checkName
	}
	return t
}()

// scanName reads an NCName at i and gives its end, i if there is none.
func (p *parser) scanName(i int) int {
	j := i
	wide := false
	for j < len(p.b) && nameChar[p.b[j]] {
		wide = wide || p.b[j] >= 0x80
		j++
	}
	if j == i {
		return i
	}
	if c := p.b[i]; c == '-' || c == '.' || c >= '0' && c <= '9' {
		return i
	}
	if wide && !wideName(p.b[i:j]) {
		return i
	}
	return j
}

func wideName(b []byte) bool {
	for i := 0; i < len(b); {
		r, n := utf8.DecodeRune(b[i:])
		if r >= 0x80 && !nameRune(r, i == 0) || r == utf8.RuneError && n <= 1 {
			return false
		}
		i += n
	}
	return true
}

// nameRune: NameStartChar and NameChar of XML 1.0, fifth edition, beyond ASCII.
func nameRune(r rune, first bool) bool {
	switch {
	case r >= 0xC0 && r <= 0x2FF && r != 0xD7 && r != 0xF7, r >= 0x370 && r <= 0x1FFF && r != 0x37E,
		r == 0x200C, r == 0x200D, r >= 0x2070 && r <= 0x218F, r >= 0x2C00 && r <= 0x2FEF, r >= 0x3001 && r <= 0xD7FF,
		r >= 0xF900 && r <= 0xFDCF, r >= 0xFDF0 && r <= 0xFFFD, r >= 0x10000 && r <= 0xEFFFF:
		return true
	case first:
		return false
	}
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

func (p *parser) scanQName(i int) (q qname, end int, ok bool) {
	j := p.scanName(i)
	if j == i {
		return q, i, false
	}
	if j < len(p.b) && p.b[j] == ':' {
		k := p.scanName(j + 1)
		if k == j+1 {
			return q, i, false
		}
		return qname{i, j, j + 1, k}, k, true
	}
	return qname{i, i, i, j}, j, true
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// startTag reads the tag at i ('<'), its attributes into p.attrs; namespaces are not looked at.
func (p *parser) startTag(i int) (t tag, err error) {
	t.start = i
	q, j, ok := p.scanQName(i + 1)
	if !ok {
		return t, errNotWellFormed
	}
	t.name, t.nameEnd = q, j
	p.attrs = p.attrs[:0]
	for {
		at := j
		for j < len(p.b) && space(p.b[j]) {
			j++
		}
		if j >= len(p.b) {
			return t, errNotWellFormed
		}
		switch p.b[j] {
		case '>':
			t.end = j + 1
			return t, nil
		case '/':
			if j+1 >= len(p.b) || p.b[j+1] != '>' {
				return t, errNotWellFormed
			}
			t.end, t.selfClose = j+2, true
			return t, nil
		}
		if j == at {
			return t, errNotWellFormed
		}
		if len(p.attrs) >= p.lim.Attrs {
			return t, errTooManyAttrs
		}
		a, err := p.attribute(j)
		if err != nil {
			return t, err
		}
		a.start = at
		p.attrs = append(p.attrs, a)
		j = a.end
	}
}

func (p *parser) attribute(j int) (a attr, err error) {
	q, j, ok := p.scanQName(j)
	if !ok {
		return a, errNotWellFormed
	}
	a.name = q
	for j < len(p.b) && space(p.b[j]) {
		j++
	}
	if j >= len(p.b) || p.b[j] != '=' {
		return a, errNotWellFormed
	}
	for j++; j < len(p.b) && space(p.b[j]); j++ {
	}
	if j >= len(p.b) || p.b[j] != '\'' && p.b[j] != '"' {
		return a, errNotWellFormed
	}
	quote := p.b[j]
	j++
	a.v0 = j
	for j < len(p.b) {
		c := p.b[j]
		switch class[c] {
		case cBad:
			return a, errNotWellFormed
		case cStop:
			switch {
			case c == quote:
				a.v1, a.end = j, j+1
				return a, nil
			case c == '<':
				return a, errNotWellFormed
			case c == '&':
				n, err := p.reference(j)
				if err != nil {
					return a, err
				}
				a.entity = true
				j += n
				continue
			case c == 0xef && p.nonchar(j):
				return a, errNotWellFormed
			}
		}
		j++
	}
	return a, errNotWellFormed
}

// nonchar says that U+FFFE or U+FFFF is at j.
func (p *parser) nonchar(j int) bool {
	return j+2 < len(p.b) && p.b[j+1] == 0xbf && p.b[j+2] >= 0xbe
}

// reference checks the entity or character reference at j and gives its length.
func (p *parser) reference(j int) (int, error) {
	end := j + 1
	for end < len(p.b) && end-j < 12 && p.b[end] != ';' {
		end++
	}
	if end >= len(p.b) || p.b[end] != ';' {
		if k := p.scanName(j + 1); k > j+1 && k < len(p.b) && p.b[k] == ';' {
			return 0, errRestricted // a long name, yet a reference
		}
		return 0, errNotWellFormed
	}
	name := p.b[j+1 : end]
	if _, ok := resolve(name); ok {
		return end - j + 1, nil
	}
	if len(name) > 0 && name[0] != '#' && p.scanName(j+1) == end {
		return 0, errRestricted // RFC 6120, section 11.1: only the predefined entities
	}
	return 0, errNotWellFormed
}

// resolve gives the character of a reference without & and ;.
func resolve(name []byte) (rune, bool) {
	switch string(name) {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "apos":
		return '\'', true
	case "quot":
		return '"', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := string(name[1:]), 10
	if name[1] == 'x' {
		digits, base = string(name[2:]), 16
	}
	if len(digits) == 0 || digits[0] == '+' || digits[0] == '-' {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, base, 32)
	r := rune(n)
	if err != nil || n > utf8.MaxRune || !legal(r) {
		return 0, false
	}
	return r, true
}

// legal is Char of XML 1.0.
func legal(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// value gives an attribute's value, normalised (XML 1.0, section 3.3.3).
func (p *parser) value(a attr) string {
	raw := p.b[a.v0:a.v1]
	plain := !a.entity
	for i := 0; plain && i < len(raw); i++ {
		plain = raw[i] >= 0x20
	}
	if plain {
		return intern(raw)
	}
	return string(unescape(nil, raw, true))
}

// unescape appends raw with its references resolved and its line ends normalised.
func unescape(dst, raw []byte, attribute bool) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '&':
			j := i + 1
			for raw[j] != ';' {
				j++
			}
			r, _ := resolve(raw[i+1 : j])
			dst = utf8.AppendRune(dst, r)
			i = j
		case c == '\r':
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
			c = '\n'
			fallthrough
		case attribute && (c == '\n' || c == '\t'):
			if attribute {
				c = ' '
			}
			fallthrough
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// declare puts the tag's namespace declarations in scope at depth.
func (p *parser) declare(depth int) error {
	for i := range p.attrs {
		a := &p.attrs[i]
		prefix, local := p.text(a.name.p0, a.name.p1), p.text(a.name.l0, a.name.l1)
		switch {
		case len(prefix) == 0 && string(local) == "xmlns":
			uri := p.value(*a)
			if uri == NSXML || uri == nsXMLNS {
				return errNotWellFormed
			}
			p.ns = append(p.ns, binding{"", uri, depth})
		case string(prefix) == "xmlns":
			uri := p.value(*a)
			name := intern(local)
			if name == "xmlns" || uri == "" || uri == nsXMLNS || (name == "xml") != (uri == NSXML) {
				return errNotWellFormed
			}
			p.ns = append(p.ns, binding{name, uri, depth})
		}
	}
	return nil
}

const nsXMLNS = "http://www.w3.org/2000/xmlns/"

func (p *parser) lookup(prefix []byte) (binding, bool) {
	for i := len(p.ns) - 1; i >= 0; i-- {
		if p.ns[i].prefix == string(prefix) {
			return p.ns[i], true
		}
	}
	switch string(prefix) {
	case "":
		return binding{}, true
	case "xml":
		return binding{"xml", NSXML, 1 << 30}, true // declared everywhere
	}
	return binding{}, false
}

// resolveTag gives the tag's expanded name and checks those of its attributes; borrowed prefixes are noted.
func (p *parser) resolveTag(t tag) (Name, error) {
	b, ok := p.lookup(p.text(t.name.p0, t.name.p1))
	if !ok {
		return Name{}, errNotWellFormed
	}
	if t.name.p1 > t.name.p0 {
		if b.uri == nsXMLNS || string(p.text(t.name.p0, t.name.p1)) == "xmlns" {
			return Name{}, errNotWellFormed
		}
		p.borrow(b)
	}
	for i := range p.attrs {
		a := &p.attrs[i]
		prefix := p.text(a.name.p0, a.name.p1)
		uri := ""
		if len(prefix) > 0 && string(prefix) != "xmlns" {
			ab, ok := p.lookup(prefix)
			if !ok {
				return Name{}, errNotWellFormed
			}
			uri = ab.uri
			p.borrow(ab)
		}
		for k := range i {
			o := &p.attrs[k]
			if string(p.text(o.name.l0, o.name.l1)) != string(p.text(a.name.l0, a.name.l1)) {
				continue
			}
			op := p.text(o.name.p0, o.name.p1)
			if string(op) == string(prefix) {
				return Name{}, errNotWellFormed
			}
			if len(op) > 0 && len(prefix) > 0 && string(op) != "xmlns" && string(prefix) != "xmlns" {
				if ob, ok := p.lookup(op); ok && ob.uri == uri {
					return Name{}, errNotWellFormed
				}
			}
		}
	}
	return Name{b.uri, intern(p.text(t.name.l0, t.name.l1))}, nil
}

func (p *parser) borrow(b binding) {
	if b.depth > p.outer {
		return
	}
	for _, o := range p.borrowed {
		if o.prefix == b.prefix {
			return
		}
	}
	p.borrowed = append(p.borrowed, b)
}

func (p *parser) drop(depth int) {
	n := len(p.ns)
	for n > 0 && p.ns[n-1].depth >= depth && p.ns[n-1].depth > 0 {
		n--
	}
	p.ns = p.ns[:n]
}

// chars checks character data from i to the next tag and gives where that begins; blank says it is white space alone.
func (p *parser) chars(i int) (end int, blank bool, err error) {
	blank = true
	for i < len(p.b) {
		c := p.b[i]
		switch class[c] {
		case cBad:
			return i, false, errNotWellFormed
		case cStop:
			switch c {
			case '<':
				return i, blank, nil
			case '&':
				n, err := p.reference(i)
				if err != nil {
					return i, false, err
				}
				i += n
				blank = false
				continue
			case '>':
				if i >= 2 && p.b[i-1] == ']' && p.b[i-2] == ']' {
					return i, false, errNotWellFormed
				}
			case 0xef:
				if p.nonchar(i) {
					return i, false, errNotWellFormed
				}
			}
			blank = false
		default:
			if blank && !space(c) {
				blank = false
			}
		}
		i++
	}
	return i, blank, nil
}

const cdataOpen = "<![CDATA["

// cdata checks the section at i and gives its end; ok is false if there is none at i.
func (p *parser) cdata(i int) (end int, ok bool, err error) {
	if len(p.b)-i < len(cdataOpen) || string(p.b[i:i+len(cdataOpen)]) != cdataOpen {
		return i, false, nil
	}
	for j := i + len(cdataOpen); j+2 < len(p.b); j++ {
		c := p.b[j]
		if c == ']' && p.b[j+1] == ']' && p.b[j+2] == '>' {
			return j + 3, true, nil
		}
		if class[c] == cBad || c == 0xef && p.nonchar(j) {
			break
		}
	}
	return i, true, errNotWellFormed
}

// events of walk
type visitor interface {
	start(t tag, n Name) error
	stop(t tag) error
	data(raw []byte, cdata bool) error
}

// element checks the element at i, which lies at this depth, and gives its end; v may be nil.
func (p *parser) element(i, depth int, v visitor) (n Name, end int, err error) {
	base := len(p.open)
	defer func() { p.open = p.open[:base] }()
	d := depth
	for {
		t, err := p.startTag(i)
		if err != nil {
			return n, i, err
		}
		if d > p.lim.Depth {
			return n, i, errTooDeep
		}
		if err := p.declare(d); err != nil {
			return n, i, err
		}
		tn, err := p.resolveTag(t)
		if err != nil {
			return n, i, err
		}
		if d == depth {
			n = tn
		}
		if v != nil {
			if err := v.start(t, tn); err != nil {
				return n, i, err
			}
		}
		i = t.end
		if t.selfClose {
			if v != nil {
				if err := v.stop(t); err != nil {
					return n, i, err
				}
			}
			p.drop(d)
			if d == depth {
				return n, i, nil
			}
		} else {
			p.open = append(p.open, t)
			d++
		}
		// text and end tags up to the next start tag
		for {
			from := i
			if i, _, err = p.chars(i); err != nil {
				return n, i, err
			}
			if v != nil && i > from {
				if err := v.data(p.b[from:i], false); err != nil {
					return n, i, err
				}
			}
			if i+1 >= len(p.b) {
				return n, i, errNotWellFormed
			}
			if p.b[i+1] == '!' || p.b[i+1] == '?' {
				end, ok, err := p.cdata(i)
				if err != nil {
					return n, i, err
				}
				if !ok {
					return n, i, errRestricted
				}
				if v != nil {
					if err := v.data(p.b[i+len(cdataOpen):end-3], true); err != nil {
						return n, i, err
					}
				}
				i = end
				continue
			}
			if p.b[i+1] != '/' {
				break
			}
			t := p.open[len(p.open)-1]
			if i, err = p.endTag(i, t); err != nil {
				return n, i, err
			}
			p.open = p.open[:len(p.open)-1]
			d--
			if v != nil {
				if err := v.stop(t); err != nil {
					return n, i, err
				}
			}
			p.drop(d)
			if d == depth {
				return n, i, nil
			}
		}
	}
}

// endTag checks that the end tag at i is that of t.
func (p *parser) endTag(i int, t tag) (int, error) {
	name := p.b[t.start+1 : t.nameEnd]
	j := i + 2 + len(name)
	if j > len(p.b) || string(p.b[i+2:j]) != string(name) {
		return i, errNotWellFormed
	}
	for j < len(p.b) && space(p.b[j]) {
		j++
	}
	if j >= len(p.b) || p.b[j] != '>' {
		return i, errNotWellFormed
	}
	return j + 1, nil
}

// intern gives b as a string without allocating for what is frequent.
func intern(b []byte) string {
	if s, ok := interned[string(b)]; ok {
		return s
	}
	return string(b)
}

// jids remembers the last few addresses of one stream: a client mostly writes to the same.
type jids struct {
	last [4]jid.JID
	next int
}

func (c *jids) parse(b string) (jid.JID, error) {
	for i := range c.last {
		if c.last[i].String() == b {
			return c.last[i], nil
		}
	}
	j, err := jid.Parse(b)
	if err == nil && j.String() == b {
		c.last[c.next] = j
		c.next = (c.next + 1) % len(c.last)
	}
	return j, err
}
