package wire

import (
	"strconv"
	"unicode/utf8"
)

// ParseElement reads one complete element; defaultNS is the default namespace around it. What it refuses is a
// *StreamError.
func ParseElement(b []byte, defaultNS string) (*Element, error) {
	p := parsers.Get().(*parser)
	defer p.release()
	if !utf8.Valid(b) || len(b) == 0 || b[0] != '<' {
		return nil, errNotWellFormed
	}
	p.b, p.lim, p.outer = b, Limits{Stanza: 16 << 20}.withDefaults(), -1
	p.ns = append(p.ns[:0], binding{"", defaultNS, 0})
	t := treeBuilder{p: p}
	_, end, err := p.element(0, 1, &t)
	if err != nil {
		return nil, err
	}
	if end != len(b) {
		return nil, errNotWellFormed
	}
	return t.root, nil
}

type treeBuilder struct {
	p     *parser
	root  *Element
	stack []*Element
}

func (t *treeBuilder) start(_ tag, n Name) error {
	e := &Element{Name: n}
	for _, a := range t.p.attrs {
		prefix, local := t.p.text(a.name.p0, a.name.p1), t.p.text(a.name.l0, a.name.l1)
		if string(prefix) == "xmlns" || len(prefix) == 0 && string(local) == "xmlns" {
			continue
		}
		an := Name{Local: intern(local)}
		if len(prefix) > 0 {
			b, _ := t.p.lookup(prefix)
			an.Space = b.uri
		}
		e.Attrs = append(e.Attrs, Attr{an, t.p.value(a)})
	}
	if len(t.stack) == 0 {
		t.root = e
	} else {
		parent := t.stack[len(t.stack)-1]
		parent.Nodes = append(parent.Nodes, Node{Element: e})
	}
	t.stack = append(t.stack, e)
	return nil
}

func (t *treeBuilder) stop(tag) error {
	t.stack = t.stack[:len(t.stack)-1]
	return nil
}

func (t *treeBuilder) data(raw []byte, cdata bool) error {
	s := string(raw)
	if !cdata {
		s = string(unescape(nil, raw, false))
	}
	e := t.stack[len(t.stack)-1]
	if n := len(e.Nodes); n > 0 && e.Nodes[n-1].Element == nil {
		e.Nodes[n-1].Text += s
		return nil
	}
	e.Nodes = append(e.Nodes, Node{Text: s})
	return nil
}

// AppendXML appends the element as XML for a place where parentNS is the default namespace.
func (e *Element) AppendXML(b []byte, parentNS string) []byte {
	b = append(b, '<')
	b = append(b, e.Name.Local...)
	if e.Name.Space != parentNS {
		b = appendAttr(b, "xmlns", e.Name.Space)
	}
	for i, a := range e.Attrs {
		name := a.Name.Local
		switch a.Name.Space {
		case "":
		case NSXML:
			name = "xml:" + name
		default:
			prefix := "a" + strconv.Itoa(i)
			b = appendAttr(b, "xmlns:"+prefix, a.Name.Space)
			name = prefix + ":" + name
		}
		b = appendAttr(b, name, a.Value)
	}
	if len(e.Nodes) == 0 {
		return append(b, '/', '>')
	}
	b = append(b, '>')
	for _, n := range e.Nodes {
		switch {
		case n.Element != nil:
			b = n.Element.AppendXML(b, e.Name.Space)
		case n.Raw != nil:
			b = append(b, n.Raw...)
		default:
			b = AppendEscaped(b, n.Text)
		}
	}
	b = append(b, '<', '/')
	b = append(b, e.Name.Local...)
	return append(b, '>')
}
