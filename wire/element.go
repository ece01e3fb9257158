package wire

// Element is a small tree for payloads off the message path: queries, forms, configuration.
type Element struct {
	Name  Name
	Attrs []Attr // never xmlns declarations
	Nodes []Node
}

// Node is an element or a piece of text in an Element, in document order. Raw is a finished, self-contained element
// that is put in as it is; a parsed Element has none.
type Node struct {
	Element *Element
	Text    string
	Raw     []byte
}

// E makes an element, its children given in order; nil children are left out.
func E(space, local string, children ...*Element) *Element {
	e := &Element{Name: Name{space, local}}
	return e.Add(children...)
}

// T makes an element with text.
func T(space, local, text string) *Element {
	e := E(space, local)
	if text != "" {
		e.Nodes = append(e.Nodes, Node{Text: text})
	}
	return e
}

// Add appends children and gives e; nil ones are left out.
func (e *Element) Add(children ...*Element) *Element {
	for _, c := range children {
		if c != nil {
			e.Nodes = append(e.Nodes, Node{Element: c})
		}
	}
	return e
}

// AddRaw appends a finished, self-contained element and gives e.
func (e *Element) AddRaw(raw []byte) *Element {
	e.Nodes = append(e.Nodes, Node{Raw: raw})
	return e
}

// Set sets an attribute without prefix (an empty value removes it) and gives e.
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

// Attr gives an attribute without prefix; "" if there is none. Safe on nil.
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

// Child gives the first child of that name, nil if there is none; an empty local name matches any. Safe on nil.
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

// Elements gives the children that are elements. Safe on nil.
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

// Text gives the character data directly inside. Safe on nil.
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

// ChildText gives the text of the first child of that name. Safe on nil.
func (e *Element) ChildText(space, local string) string { return e.Child(space, local).Text() }
