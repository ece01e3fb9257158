// Package form implements data forms (XEP-0004): questions to a person or a program, and their answers.
package form

import (
	"errors"
	"strings"

	"parley/wire"
	"parley/wire/jid"
)

// The types of a form.
const (
	Ask    = "form"
	Submit = "submit"
	Cancel = "cancel"
	Result = "result"
)

// The types of a field. A field without a type is a TextSingle (XEP-0004, section 3.3).
const (
	Boolean     = "boolean"
	Fixed       = "fixed"
	Hidden      = "hidden"
	JIDMulti    = "jid-multi"
	JIDSingle   = "jid-single"
	ListMulti   = "list-multi"
	ListSingle  = "list-single"
	TextMulti   = "text-multi"
	TextPrivate = "text-private"
	TextSingle  = "text-single"
)

// TypeVar is the hidden field that names the purpose of a form (XEP-0068).
const TypeVar = "FORM_TYPE"

// The limits of Parse. The largest form here, the room configuration, has fewer than 60 fields.
const (
	MaxFields  = 256
	MaxValues  = 1024 // per field: lines of a text-multi, addresses of a jid-multi
	MaxOptions = 256  // per field
)

// The errors of Parse. The stanza error for either is bad-request.
var (
	ErrNotForm = errors.New("form: not a data form")
	ErrTooMany = errors.New("form: too many fields, values or options")
)

// Option is one choice of a list.
type Option struct{ Label, Value string }

// Field is one question or answer.
type Field struct {
	Var, Type, Label string
	Desc             string // a longer explanation
	Required         bool
	Validate         *wire.Element // XEP-0122; Parse ignores it
	Values           []string
	Options          []Option
}

// Form is a data form without the tables of search results (reported and item).
type Form struct {
	Type         string
	Title        string
	Instructions string // lines separated by \n
	Fields       []Field
	Extra        []*wire.Element // elements of other protocols, as in XEP-0133; Parse ignores them
}

// Parse reads an <x xmlns='jabber:x:data'/> and ignores what it does not know. A nil or other element gives ErrNotForm,
// a form beyond the limits ErrTooMany.
func Parse(e *wire.Element) (Form, error) {
	if e == nil || e.Name != (wire.Name{Space: wire.NSForm, Local: "x"}) {
		return Form{}, ErrNotForm
	}
	f := Form{Type: e.Attr("type")}
	switch f.Type {
	case Ask, Submit, Cancel, Result:
	default:
		return Form{}, ErrNotForm
	}
	for _, n := range e.Nodes {
		c := n.Element
		if c == nil || c.Name.Space != wire.NSForm {
			continue
		}
		switch c.Name.Local {
		case "title":
			f.Title = c.Text()
		case "instructions":
			if f.Instructions != "" {
				f.Instructions += "\n"
			}
			f.Instructions += c.Text()
			if len(f.Instructions) > 64<<10 {
				return Form{}, ErrTooMany
			}
		case "field":
			if len(f.Fields) >= MaxFields {
				return Form{}, ErrTooMany
			}
			fd, err := parseField(c)
			if err != nil {
				return Form{}, err
			}
			f.Fields = append(f.Fields, fd)
		}
	}
	return f, nil
}

func parseField(e *wire.Element) (Field, error) {
	fd := Field{Var: e.Attr("var"), Type: e.Attr("type"), Label: e.Attr("label")}
	if fd.Var == "" && fd.Type != Fixed {
		return fd, ErrNotForm
	}
	for _, n := range e.Nodes {
		c := n.Element
		if c == nil || c.Name.Space != wire.NSForm {
			continue
		}
		switch c.Name.Local {
		case "required":
			fd.Required = true
		case "desc":
			fd.Desc = c.Text()
		case "value":
			fd.Values = append(fd.Values, c.Text())
		case "option":
			fd.Options = append(fd.Options, Option{c.Attr("label"), c.ChildText(wire.NSForm, "value")})
		}
		if len(fd.Values) > MaxValues || len(fd.Options) > MaxOptions {
			return fd, ErrTooMany
		}
	}
	return fd, nil
}

// Element returns the form as XML.
func (f Form) Element() *wire.Element {
	e := wire.E(wire.NSForm, "x").Set("type", f.Type)
	if f.Title != "" {
		e.Add(wire.T(wire.NSForm, "title", f.Title))
	}
	if f.Instructions != "" {
		for line := range strings.SplitSeq(f.Instructions, "\n") {
			e.Add(wire.T(wire.NSForm, "instructions", line))
		}
	}
	for i := range f.Fields {
		e.Add(f.Fields[i].element())
	}
	return e.Add(f.Extra...)
}

// element returns the field in the order of the schema: desc, required, value, option.
func (fd *Field) element() *wire.Element {
	e := wire.E(wire.NSForm, "field").Set("var", fd.Var).Set("type", fd.Type).Set("label", fd.Label)
	if fd.Desc != "" {
		e.Add(wire.T(wire.NSForm, "desc", fd.Desc))
	}
	if fd.Required {
		e.Add(wire.E(wire.NSForm, "required"))
	}
	for _, v := range fd.Values {
		e.Add(wire.T(wire.NSForm, "value", v))
	}
	for _, o := range fd.Options {
		e.Add(wire.E(wire.NSForm, "option", wire.T(wire.NSForm, "value", o.Value)).Set("label", o.Label))
	}
	return e.Add(fd.Validate)
}

// Field returns the first field of that name, or nil. The caller may change the field in place.
func (f Form) Field(name string) *Field {
	for i := range f.Fields {
		if f.Fields[i].Var == name {
			return &f.Fields[i]
		}
	}
	return nil
}

// Has reports whether the form has the field, with or without a value.
func (f Form) Has(name string) bool { return f.Field(name) != nil }

// Get returns the field's first value, or "".
func (f Form) Get(name string) string {
	if fd := f.Field(name); fd != nil && len(fd.Values) > 0 {
		return fd.Values[0]
	}
	return ""
}

// Values returns all values of the field. Do not change the slice.
func (f Form) Values(name string) []string {
	if fd := f.Field(name); fd != nil {
		return fd.Values
	}
	return nil
}

// Text returns the lines of a text-multi as one string.
func (f Form) Text(name string) string { return strings.Join(f.Values(name), "\n") }

// Bool returns the value of a boolean field. ok is false if the field is missing or not a boolean of XML Schema: true,
// false, 1, 0.
func (f Form) Bool(name string) (v, ok bool) {
	switch f.Get(name) {
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	return false, false
}

// JIDs returns the addresses in the field without duplicates, or an error if one is malformed.
func (f Form) JIDs(name string) ([]jid.JID, error) {
	var js []jid.JID
	seen := make(map[jid.JID]bool)
	for _, v := range f.Values(name) {
		j, err := jid.Parse(strings.TrimSpace(v))
		if err != nil {
			return nil, err
		}
		if !seen[j] { // section 3.3: ignore duplicates
			seen[j] = true
			js = append(js, j)
		}
	}
	return js, nil
}

// About returns the purpose of the form: its FORM_TYPE.
func (f Form) About() string { return f.Get(TypeVar) }

// New returns a form of this type ("form", "submit" or "result") with the FORM_TYPE about, which may be empty.
func New(typ, about string) *Form {
	f := &Form{Type: typ}
	if about != "" {
		// XEP-0068, section 3: the field is hidden; in a submission its type has no meaning and may be missing.
		f.Add(TypeVar, Hidden, "", about)
	}
	return f
}

// Add appends a field with its values and returns f.
func (f *Form) Add(name, typ, label string, values ...string) *Form {
	f.Fields = append(f.Fields, Field{Var: name, Type: typ, Label: label, Values: values})
	return f
}

// AddBool appends a boolean field and returns f.
func (f *Form) AddBool(name, label string, v bool) *Form {
	if v {
		return f.Add(name, Boolean, label, "1")
	}
	return f.Add(name, Boolean, label, "0")
}

// AddList appends a choice of one among options and returns f. An empty value means that nothing is selected.
func (f *Form) AddList(name, label, value string, options ...Option) *Form {
	fd := Field{Var: name, Type: ListSingle, Label: label, Options: options}
	if value != "" {
		fd.Values = []string{value}
	}
	f.Fields = append(f.Fields, fd)
	return f
}

// AddText appends a text of several lines and returns f.
func (f *Form) AddText(name, label, text string) *Form {
	if text == "" {
		return f.Add(name, TextMulti, label)
	}
	return f.Add(name, TextMulti, label, strings.Split(text, "\n")...)
}

// AddFixed appends a text between the fields and returns f.
func (f *Form) AddFixed(text string) *Form { return f.Add("", Fixed, "", text) }

// Required marks the last added field as required and returns f.
func (f *Form) Required() *Form {
	if n := len(f.Fields); n > 0 {
		f.Fields[n-1].Required = true
	}
	return f
}
