package testrig

import (
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Element is an element that a scripted client has read.
type Element struct {
	Name     xml.Name
	Attrs    []xml.Attr
	Children []*Element
	Text     string // all character data directly inside
}

func (e *Element) Attr(local string) string {
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local == local {
			return a.Value
		}
	}
	return ""
}

// Find returns the first element of that local name, e itself or below it in document order; nil if no element has it.
func (e *Element) Find(local string) *Element {
	if e.Name.Local == local {
		return e
	}
	for _, c := range e.Children {
		if f := c.Find(local); f != nil {
			return f
		}
	}
	return nil
}

// String writes it for a person to read.
func (e *Element) String() string {
	var b strings.Builder
	e.write(&b, "")
	return b.String()
}

func (e *Element) write(b *strings.Builder, space string) {
	b.WriteString("<" + e.Name.Local)
	if e.Name.Space != space {
		fmt.Fprintf(b, " xmlns='%s'", e.Name.Space)
	}
	for _, a := range e.Attrs {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = "{" + a.Name.Space + "}" + name
		}
		fmt.Fprintf(b, " %s='%s'", name, a.Value)
	}
	if len(e.Children) == 0 && e.Text == "" {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(e.Text)) // a Builder takes everything
	for _, c := range e.Children {
		c.write(b, e.Name.Space)
	}
	b.WriteString("</" + e.Name.Local + ">")
}

// read reads the element that begins with start.
func read(d *xml.Decoder, start xml.StartElement) (*Element, error) {
	e := &Element{Name: start.Name}
	for _, a := range start.Attr {
		if a.Name.Space != "xmlns" && (a.Name.Space != "" || a.Name.Local != "xmlns") {
			e.Attrs = append(e.Attrs, a)
		}
	}
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			c, err := read(d, t)
			if err != nil {
				return nil, err
			}
			e.Children = append(e.Children, c)
		case xml.CharData:
			e.Text += string(t)
		case xml.EndElement:
			return e, nil
		}
	}
}

// parse reads an element whose default namespace is space.
func parse(s, space string) (*Element, error) {
	d := xml.NewDecoder(strings.NewReader(s))
	d.DefaultSpace = space
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil, fmt.Errorf("no element: %s", s)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s", err, s)
		}
		if start, ok := t.(xml.StartElement); ok {
			return read(d, start)
		}
	}
}

// vars are a script's names for values it has seen.
type vars map[string]string

// match returns why got does not match want; "" if it does. Parts that want does not name are free; an attribute of
// value - must be missing, * matches any value, {name} the same value everywhere; children in <never/> must be missing.
func (v vars) match(want, got *Element) string {
	if want.Name != got.Name {
		return fmt.Sprintf("{%s}%s is not {%s}%s", got.Name.Space, got.Name.Local, want.Name.Space, want.Name.Local)
	}
	for _, a := range want.Attrs {
		have := ""
		for _, b := range got.Attrs {
			if a.Name == b.Name {
				have = b.Value
			}
		}
		if !v.same(a.Value, have) {
			return fmt.Sprintf("%s of <%s> is %q, not %q", a.Name.Local, want.Name.Local, have, a.Value)
		}
	}
	if text := strings.TrimSpace(want.Text); text != "" && !v.same(text, strings.TrimSpace(got.Text)) {
		return fmt.Sprintf("<%s> has %q, not %q", want.Name.Local, got.Text, text)
	}
	for _, w := range want.Children {
		if w.Name.Local == "never" {
			for _, n := range w.Children {
				for _, g := range got.Children {
					if v.match(n, g) == "" {
						return fmt.Sprintf("there is %s", g)
					}
				}
			}
			continue
		}
		if why := v.among(w, got.Children); why != "" {
			return why
		}
	}
	return ""
}

func (v vars) among(want *Element, all []*Element) string {
	why := fmt.Sprintf("there is no <%s xmlns='%s'>", want.Name.Local, want.Name.Space)
	for _, g := range all {
		if want.Name != g.Name {
			continue
		}
		y := v.match(want, g)
		if y == "" {
			return ""
		}
		why = y
	}
	return why
}

func (v vars) same(want, got string) bool {
	switch {
	case want == "*":
		return got != ""
	case want == "-":
		return got == ""
	}
	if m := variable.FindStringSubmatch(want); m != nil && m[0] == want {
		if old, ok := v[m[1]]; ok {
			return old == got
		}
		v[m[1]] = got
		return got != ""
	}
	want = v.fill(want)
	return want == got || v.within(want, got)
}

// within matches a text in which some values have not been seen before.
func (v vars) within(want, got string) bool {
	names := variable.FindAllStringSubmatch(want, -1)
	if names == nil {
		return false
	}
	var pattern strings.Builder
	for i, literal := range variable.Split(want, -1) {
		if i > 0 {
			pattern.WriteString("(.+?)")
		}
		pattern.WriteString(regexp.QuoteMeta(literal))
	}
	m := regexp.MustCompile("(?s)^" + pattern.String() + "$").FindStringSubmatch(got)
	for i := range m {
		if i > 0 {
			v[names[i-1][1]] = m[i]
		}
	}
	return m != nil
}

// fill puts values in where a script names them.
func (v vars) fill(s string) string {
	return variable.ReplaceAllStringFunc(s, func(name string) string {
		if val, ok := v[name[1:len(name)-1]]; ok {
			return val
		}
		return name
	})
}
