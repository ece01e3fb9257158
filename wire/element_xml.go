package wire

import "bytes"

const (
	maxDepth     = 128     // of any element, whatever Limits allow
	maxAttrs     = 128     // of one element, whatever Limits allow
	maxElement   = 4 << 20 // bytes of one element, whatever Limits allow
	maxDecls     = 64      // prefixes in scope at once in a stanza: each use of a prefix searches them
	maxNamespace = 256     // bytes of a namespace: it may have to be declared on each element when it is written again
)

// binding is a prefix and its namespace. The empty prefix stands for the default namespace.
type binding struct{ prefix, space string }

// elementParser builds the Element of a whole document.
type elementParser struct {
	b        []byte
	limit    int // of attributes
	attrs    []rawAttr
	bindings []binding
	text     []byte // character data that no Node has yet
}

// ParseElement parses one element with only white space around it. Elements without a declared namespace are in
// defaultNS. The result has resolved prefixes and no namespace declarations. The limits are 4 MiB and 128 levels.
// Errors are of type *StreamError, as for a stream.
func ParseElement(b []byte, defaultNS string) (*Element, error) {
	if len(b) > maxElement {
		return nil, tooMuch("the element is too large")
	}
	p := elementParser{b: b, limit: maxAttrs, bindings: []binding{{"", defaultNS}}}
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '<' {
		return nil, notWellFormed("no element")
	}
	e, i, err := p.element(i)
	if err == nil && skipSpace(b, i) != len(b) {
		err = notWellFormed("data after the element")
	}
	if err == errMore {
		err = notWellFormed("the element is incomplete")
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// level is an element that is still open.
type level struct {
	e        *Element
	tag      rawTag
	bindings int // before it
}

// element reads the element at b[i] and returns the index of its end.
func (p *elementParser) element(i int) (*Element, int, error) {
	var stack []level
	for {
		l, end, err := p.start(i)
		if err != nil {
			return nil, i, err
		}
		if len(stack) > 0 {
			up := stack[len(stack)-1].e
			up.Nodes = append(up.Nodes, Node{Element: l.e})
		}
		i = end
		if stack = append(stack, l); len(stack) > maxDepth {
			return nil, i, tooMuch("elements are nested too deeply")
		}
		closed := l.tag.empty
		for { // the content, until another element begins or all are closed
			if closed {
				top := stack[len(stack)-1]
				p.bindings = p.bindings[:top.bindings]
				stack = stack[:len(stack)-1]
				if len(stack) == 0 {
					return top.e, i, nil
				}
			}
			var begins bool
			top := &stack[len(stack)-1]
			if i, begins, closed, err = p.content(i, top); err != nil {
				return nil, i, err
			}
			if begins || closed {
				p.flush(top.e)
			}
			if begins {
				break
			}
		}
	}
}

// content reads one piece of the content of l: text, or an end tag (closed). begins says that an element begins at
// next.
func (p *elementParser) content(i int, l *level) (next int, begins, closed bool, err error) {
	b := p.b
	if i+1 >= len(b) {
		return i, false, false, errMore
	}
	if b[i] != '<' {
		if next, err = scanText(b, i); err == nil {
			p.text = appendText(p.text, b[i:next])
		}
		return next, false, false, err
	}
	switch b[i+1] {
	case '/':
		next, err = scanEnd(b, i, b[l.tag.name:l.tag.nameEnd])
		return next, false, true, err
	case '!':
		from, err := scanBang(b, i)
		if err != nil {
			return i, false, false, err
		}
		if next, err = scanCDATA(b, from); err == nil {
			p.text = appendCDATA(p.text, b[from:next-3])
		}
		return next, false, false, err
	case '?':
		return i, false, false, restricted("processing instructions are not allowed")
	}
	return i, true, false, nil
}

// flush moves the character data read so far into e, as one node.
func (p *elementParser) flush(e *Element) {
	if len(p.text) > 0 {
		e.Nodes = append(e.Nodes, Node{Text: string(p.text)})
		p.text = p.text[:0]
	}
}

// scanEnd reads the end tag at b[i], which must match name.
func scanEnd(b []byte, i int, name []byte) (int, error) {
	i += 2
	n := bytes.IndexByte(b[i:], '>')
	if n < 0 {
		return i, errMore
	}
	if n < len(name) || !bytes.Equal(b[i:i+len(name)], name) || skipSpace(b[:i+n], i+len(name)) != i+n {
		return i, notWellFormed("an end tag does not match")
	}
	return i + n + 1, nil
}

// start reads the start tag at b[i].
func (p *elementParser) start(i int) (l level, end int, err error) {
	b := p.b
	if l.tag, p.attrs, err = scanTag(b, i, p.attrs, p.limit); err != nil {
		return l, i, err
	}
	l.bindings = len(p.bindings)
	n := 0
	for k := range p.attrs {
		a := &p.attrs[k]
		decl, prefix, err := declares(b, a)
		if err != nil {
			return l, i, err
		}
		if !decl {
			n++
		} else if string(prefix) != "xml" {
			p.bindings = append(p.bindings, binding{string(prefix), a.text(b)})
		}
	}
	if len(p.bindings) > 4*maxDecls+maxDepth { // more than a Reader allows
		return l, i, tooMuch("too many namespace declarations")
	}
	e := &Element{}
	if e.Name.Space, err = p.space(l.tag.prefix(b)); err != nil {
		return l, i, err
	}
	e.Name.Local = intern(l.tag.local(b))
	if n > 0 {
		if e.Attrs, err = p.attributes(n); err != nil {
			return l, i, err
		}
	}
	l.e = e
	return l, int(l.tag.end), nil
}

func (p *elementParser) attributes(n int) ([]Attr, error) {
	as := make([]Attr, 0, n)
	for k := range p.attrs {
		a := &p.attrs[k]
		if decl, _, _ := declares(p.b, a); decl {
			continue
		}
		name := Name{Local: intern(a.local(p.b))}
		if a.colon >= 0 {
			var err error
			if name.Space, err = p.space(a.prefix(p.b)); err != nil {
				return nil, err
			}
			for _, o := range as {
				if o.Name == name {
					return nil, notWellFormed("duplicate attribute")
				}
			}
		}
		as = append(as, Attr{name, a.text(p.b)})
	}
	return as, nil
}

// space returns the namespace of a prefix; the empty prefix gives the default namespace.
func (p *elementParser) space(prefix []byte) (string, error) {
	for i := len(p.bindings) - 1; i >= 0; i-- {
		if p.bindings[i].prefix == string(prefix) {
			return p.bindings[i].space, nil
		}
	}
	switch string(prefix) {
	case "":
		return "", nil
	case "xml":
		return NSXML, nil
	}
	return "", notWellFormed("undeclared prefix")
}

// declares reports whether an attribute declares a namespace, and for which prefix; the empty prefix stands for the
// default namespace. It refuses declarations that Namespaces in XML 1.0, section 3, forbids.
func declares(b []byte, a *rawAttr) (ok bool, prefix []byte, err error) {
	if a.colon < 0 {
		if string(b[a.name:a.nameEnd]) != "xmlns" {
			return false, nil, nil
		}
	} else {
		if string(b[a.name:a.colon]) != "xmlns" {
			return false, nil, nil
		}
		prefix = b[a.colon+1 : a.nameEnd]
	}
	v := b[a.value:a.valueTo]
	if a.esc {
		v = appendValue(nil, v)
	}
	switch {
	case len(v) > maxNamespace:
		err = tooMuch("a namespace is too long")
	case string(prefix) == "xmlns":
		err = notWellFormed("the prefix xmlns cannot be declared")
	case string(prefix) == "xml" && string(v) != NSXML:
		err = notWellFormed("the prefix xml cannot be redeclared")
	case string(prefix) != "xml" && string(v) == NSXML, string(v) == nsXMLNS:
		err = notWellFormed("a reserved namespace cannot be declared")
	case len(prefix) > 0 && len(v) == 0:
		err = notWellFormed("a prefix cannot be declared with an empty namespace")
	}
	return true, prefix, err
}

// AppendXML appends the element for a place where the default namespace is parentNS, and returns the longer slice. It
// declares each namespace that differs from the parent's; an attribute with a namespace gets a prefix of its own. It
// copies raw nodes as they are.
func (e *Element) AppendXML(b []byte, parentNS string) []byte {
	b, inner := appendStart(b, e.Name, parentNS)
	b = appendAttrs(b, e.Attrs)
	if len(e.Nodes) == 0 {
		return append(b, '/', '>')
	}
	b = append(b, '>')
	for _, n := range e.Nodes {
		switch {
		case n.Element != nil:
			b = n.Element.AppendXML(b, inner)
		case n.Raw != nil:
			b = append(b, n.Raw...)
		default:
			b = appendCharData(b, n.Text)
		}
	}
	return appendEnd(b, e.Name)
}

// appendStart appends '<', the name and the declaration that it needs. It returns the default namespace inside the
// element.
func appendStart(b []byte, n Name, parentNS string) ([]byte, string) {
	b = append(b, '<')
	if n.Space == NSXML { // cannot be a default namespace
		return append(append(b, "xml:"...), n.Local...), parentNS
	}
	b = append(b, n.Local...)
	if n.Space != parentNS {
		b = appendAttr(b, "xmlns", n.Space)
	}
	return b, n.Space
}

func appendEnd(b []byte, n Name) []byte {
	b = append(b, '<', '/')
	if n.Space == NSXML {
		b = append(b, "xml:"...)
	}
	b = append(b, n.Local...)
	return append(b, '>')
}

func appendAttrs(b []byte, as []Attr) []byte {
	for i, a := range as {
		switch a.Name.Space {
		case "":
			b = appendAttr(b, a.Name.Local, a.Value)
			continue
		case NSXML:
			b = appendAttr(b, "xml:"+a.Name.Local, a.Value)
			continue
		}
		first := i // the attribute that declares the prefix
		for j := range i {
			if as[j].Name.Space == a.Name.Space {
				first = j
				break
			}
		}
		prefix := "ns" + string(rune('0'+first/100%10)) + string(rune('0'+first/10%10)) + string(rune('0'+first%10))
		if first == i {
			b = appendAttr(b, "xmlns:"+prefix, a.Name.Space)
		}
		b = appendAttr(b, prefix+":"+a.Name.Local, a.Value)
	}
	return b
}
