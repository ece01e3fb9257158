package wire

// Element is a small XML tree. It is for payloads off the message path: queries, forms, configuration.
type Element struct {
	Name  Name
	Attrs []Attr // never namespace declarations
	Nodes []Node
}

// Node is an element or a piece of text inside an Element, in document order. Raw is a serialised, self-contained
// element that is written as it is; a parsed Element has none.
type Node struct {
	Element *Element
	Text    string
	Raw     []byte
}

// E makes an element with these children, in order. It leaves out nil children.
func E(space, local string, children ...*Element) *Element {
	e := &Element{Name: Name{space, local}}
	return e.Add(children...)
}

// T makes an element that contains text.
func T(space, local, text string) *Element {
	e := E(space, local)
	if text != "" {
		e.Nodes = append(e.Nodes, Node{Text: text})
	}
	return e
}

// Add appends children, without the nil ones, and returns e.
func (e *Element) Add(children ...*Element) *Element {
	for _, c := range children {
		if c != nil {
			e.Nodes = append(e.Nodes, Node{Element: c})
		}
	}
	return e
}

// AddRaw appends a serialised, self-contained element and returns e.
func (e *Element) AddRaw(raw []byte) *Element {
	e.Nodes = append(e.Nodes, Node{Raw: raw})
	return e
}

// Set sets an attribute without a prefix and returns e. An empty value removes the attribute.
func (e *Element) Set(local, value string) *Element {
	for i := range e.Attrs {
		if e.Attrs[i].Name == (Name{"", local}) {
			if value == "" {
				e.Attrs = append(e.Attrs[:i], e.Attrs[i+1:]...)
			} else {
				e.Attrs[i].Value = value
			}
			return e
		}
	}
	if value != "" {
		e.Attrs = append(e.Attrs, Attr{Name{"", local}, value})
	}
	return e
}

// Attr returns an attribute without a prefix, or "". It is safe on nil.
func (e *Element) Attr(local string) string {
	if e == nil {
		return ""
	}
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// Child returns the first child of that name, or nil. An empty local name matches any. It is safe on nil.
func (e *Element) Child(space, local string) *Element {
	if e == nil {
		return nil
	}
	for _, n := range e.Nodes {
		if n.Element != nil && n.Element.Name.Space == space && (local == "" || n.Element.Name.Local == local) {
			return n.Element
		}
	}
	return nil
}

// Elements returns the children that are elements. It is safe on nil.
func (e *Element) Elements() []*Element {
	if e == nil {
		return nil
	}
	var es []*Element
	for _, n := range e.Nodes {
		if n.Element != nil {
			es = append(es, n.Element)
		}
	}
	return es
}

// Text returns the character data directly inside the element. It is safe on nil.
func (e *Element) Text() string {
	if e == nil {
		return ""
	}
	if len(e.Nodes) == 1 {
		return e.Nodes[0].Text
	}
	var s string
	for _, n := range e.Nodes {
		s += n.Text
	}
	return s
}

// ChildText returns the text of the first child of that name, or "". It is safe on nil.
func (e *Element) ChildText(space, local string) string { return e.Child(space, local).Text() }
