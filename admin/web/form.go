package web

import (
	"html/template"
	"slices"
	"strconv"
	"strings"

	"parley/internal/i18n"
	"parley/internal/shape"
	"parley/store"
)

// input is one labelled input of a form: the templates "field" and "check" show it. Templates make inputs with the
// functions below, each of which returns a changed copy, so that they can be joined with pipes:
//
//	{{template "field" input "email" (t "Work e-mail") .Email | has "type=email required" | wrong .Field}}
type input struct {
	ID       string
	Name     string
	Label    string
	Value    string
	As       string            // "": one line; "lines", "choice", "box" or "radio"
	Attrs    template.HTMLAttr // further attributes of the element, each after a space
	Options  []option          // of a choice
	Offers   []string          // values that the browser proposes
	Optional string            // "(optional)" or the like, after the label
	Tail     string            // shown behind the input, such as "@example.org"
	Locked   bool              // the value is shown and cannot be changed
	Why      string            // the reason for that, if there is a text for it
	Hint     string            // a sentence below the input
	Error    string            // the error in the value
	Bad      bool              // the value is wrong, and the error is shown elsewhere
	On       bool              // a box or radio button is ticked
	Wide     bool              // the input takes all columns of a form
}

// option is one of the values of a choice.
type option struct {
	Value  string
	Text   string
	Lang   string // language of the text, if it is not the page's
	Picked bool
}

// formFuncs are the functions of templates that make inputs. role returns the organization's name for a role. Pages
// pass some values as any: nil is "" and false.
func formFuncs(l *i18n.Lang, role func(string) string) template.FuncMap {
	return template.FuncMap{
		"input":  func(name, label string, value any) input { return newInput("", name, label, value) },
		"area":   func(name, label string, value any) input { return newInput("lines", name, label, value) },
		"choice": func(name, label string, value any) input { return newInput("choice", name, label, value) },
		"box":    func(name, label, value string) input { return newInput("box", name, label, value) },
		"radio":  func(name, label, value string) input { return newInput("radio", name, label, value) },

		"id":       func(id string, in input) input { in.ID = id; return in },
		"holds":    func(value string, in input) input { in.Value = value; return in },
		"has":      has,
		"when":     when,
		"pictures": func(in input) input { return has("type=file accept="+pictureTypes, in) },
		"place":    func(text string, in input) input { return in.attr("placeholder", text) },
		"same":     func(text string, in input) input { return in.attr("data-same", text) },
		"offers":   func(values []string, in input) input { in.Offers = values; return in },
		"tail":     func(text string, in input) input { in.Tail = text; return in },
		"optional": func(in input) input { in.Optional = l.T("(optional)"); return in },
		"mark":     func(text string, in input) input { in.Optional = text; return in },
		"hint":     func(text string, in input) input { in.Hint = text; return in },
		"checked":  func(on any, in input) input { in.On = truth(on); return in },

		"wrong":   func(field any, in input) input { in.Bad = in.Bad || field == in.Name; return in },
		"bad":     func(on bool, in input) input { in.Bad = in.Bad || on; return in },
		"refused": refused,
		"locked":  locked,
		"fixed":   func(why string, in input) input { in.Locked, in.Why = true, why; return in },

		"option":    func(value, text string, in input) input { return in.option(option{Value: value, Text: text}) },
		"options":   func(values []string, in input) input { return in.options(values, itself) },
		"roles":     func(values []string, in input) input { return in.options(values, role) },
		"languages": languages,
		"named": func(prefix string, values []string, in input) input {
			return in.options(values, func(v string) string { return l.T(prefix + " " + v) })
		},
		"days": func(values []string, in input) input {
			return in.options(values, func(v string) string { return l.T("{{.Count}} days", "Count", v) })
		},
		"own": func(r fieldRow) input { return ownInput(l, r) },
	}
}

// pictureTypes are the formats of pictures that parley reads.
const pictureTypes = "image/png,image/jpeg,image/gif,image/webp"

func newInput(as, name, label string, value any) input {
	text, _ := value.(string)
	return input{ID: name, Name: name, Label: label, Value: text, As: as}
}

func truth(v any) bool {
	on, _ := template.IsTrue(v)
	return on
}

func itself(s string) string { return s }

// has adds attributes to an input, which are written like "required maxlength=100".
func has(attrs string, in input) input {
	for _, a := range strings.Fields(attrs) {
		name, value, _ := strings.Cut(a, "=")
		in = in.attr(name, value)
	}
	return in
}

// when is has if on is true.
func when(on any, attrs string, in input) input {
	if truth(on) {
		return has(attrs, in)
	}
	return in
}

// refused returns the error of an input if the error is about that field.
func refused(field, text string, in input) input {
	if field == in.Name {
		in.Error = text
	}
	return in
}

// locked shows a text in place of the input if on is true.
func locked(on bool, text string, in input) input {
	if on {
		in.Locked, in.Value = true, text
	}
	return in
}

// languageNames are the languages of pages, each in its own words.
var languageNames = map[string]string{"en": "English", "fr": "Français"}

// languages adds the languages of pages to a choice.
func languages(in input) input {
	for _, code := range i18n.Languages {
		in = in.option(option{Value: code, Text: languageNames[code], Lang: code})
	}
	return in
}

// Tags returns the further attributes of the element, each after a space. Some tell screen readers about the sentences
// below the input.
func (in input) Tags() template.HTMLAttr {
	box := in.As == "box" || in.As == "radio" // whose sentences are in the label
	switch {
	case in.Error != "" && box:
		in = has("aria-invalid=true autofocus", in)
	case in.Error != "":
		in = has("aria-invalid=true autofocus", in).attr("aria-describedby", in.ID+"-error")
	default:
		in = when(in.Bad, "aria-invalid=true", in)
		if in.Hint != "" && !box {
			in = in.attr("aria-describedby", in.ID+"-hint")
		}
	}
	return in.Attrs
}

// Text returns the value as the text of an element in which browsers drop a newline at the beginning.
func (in input) Text() string {
	if strings.HasPrefix(in.Value, "\n") {
		return "\n" + in.Value
	}
	return in.Value
}

// attr adds an attribute. Its name comes from the program and its value may be anything.
func (in input) attr(name, value string) input {
	in.Attrs += template.HTMLAttr(" " + name)
	if value != "" {
		in.Attrs += template.HTMLAttr(`="` + template.HTMLEscapeString(value) + `"`)
	}
	return in
}

func (in input) option(o option) input {
	o.Picked = o.Value == in.Value
	in.Options = append(slices.Clip(in.Options), o)
	return in
}

func (in input) options(values []string, text func(value string) string) input {
	for _, v := range values {
		in = in.option(option{Value: v, Text: text(v)})
	}
	return in
}

// formRow is one input of a form that is made of what package shape says of a change.
type formRow struct {
	input
	Of shape.Field
}

// rowKinds are the names that templates know kinds of inputs by.
var rowKinds = map[shape.Kind]string{
	shape.Lines:  "lines",
	shape.Choice: "choice",
	shape.Box:    "box",
	shape.List:   "lines",
}

// Input gives the input to templates.
func (r formRow) Input() input { return r.input }

// formRows gives the inputs of a form for a change, with the change's values. needed are the names of fields that
// cannot be empty. A choice is called by the message "prefix name choice", and the sentence below an input is the
// message "prefix name hint", where there is one.
func (c *request) formRows(prefix string, change any, needed ...string) (rows []formRow) {
	for _, f := range shape.Of(change) {
		r := formRow{Of: f, input: input{ID: f.Name, Name: f.Name, Label: c.T(f.Label), As: rowKinds[f.Kind]}}
		r.Wide = r.As == "lines"
		value, _ := f.Value(change)
		r.set(value)
		r.input = r.options(f.Choices, func(v string) string { return c.T(prefix + " " + f.Name + " " + v) })
		switch {
		case slices.Contains(needed, f.Name):
			r.input = r.attr("required", "")
		case f.Kind == shape.Text || f.Kind == shape.Lines:
			r.Optional = c.T("(optional)")
		}
		hint := prefix + " " + f.Name + " hint"
		if text := c.T(hint); text != hint {
			r.Hint = text
		}
		rows = append(rows, r.limited())
	}
	return rows
}

// limited limits an input to the number of characters of its field.
func (r formRow) limited() formRow {
	if r.Of.Max > 0 && r.As != "choice" {
		r.input = r.attr("maxlength", strconv.Itoa(r.Of.Max))
	}
	return r
}

// set gives the input a value: "true" ticks a box.
func (r *formRow) set(value string) {
	if r.As == "box" {
		r.On = value == "true"
		return
	}
	r.Value = value
	for i := range r.Options {
		r.Options[i].Picked = r.Options[i].Value == value
	}
}

// fix says why the value of an input cannot be changed.
func (r *formRow) fix(why string) {
	for _, o := range r.Options {
		if o.Picked {
			r.Value = o.Text
		}
	}
	r.Locked, r.Why = true, why
}

// none stands for a value that is not given.
const none = "—"

// ownInput gives the input for a person's value of one of the organization's own profile fields.
func ownInput(l *i18n.Lang, r fieldRow) input {
	in := input{ID: r.Input(), Name: r.Input(), Label: r.Label, Value: r.Value, Error: r.Error}
	in.Hint = l.T("Who sees it: {{.Who}}", "Who", l.T("shown to "+r.To()))
	if r.New {
		in.Optional = l.T("(optional)")
	}
	switch r.Kind {
	case store.FieldYesNo:
		in.As = "choice"
		return in.option(option{Text: none}).options([]string{"yes", "no"}, func(v string) string { return l.T(v) })
	case store.FieldChoice:
		in.As = "choice"
		in = in.option(option{Text: none})
		if !r.Offers() {
			in = in.option(option{Value: r.Value, Text: r.Value})
		}
		return in.options(r.Choices, func(v string) string { return v })
	case store.FieldNumber:
		in = has("inputmode=decimal", in)
	case store.FieldLink:
		in = has("type=url placeholder=https://", in)
	}
	return has("maxlength=500 autocomplete=off", in)
}
