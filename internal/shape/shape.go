// Package shape reads the fields of a change from the struct that holds it, so that pages, the API's schema, clients'
// forms and the command line are made of one description. Such a struct has pointers to strings, bools and lists of
// strings, where nil means that the field stays as it is, and says the rest in tags:
//
//	json       the field's name at every door
//	label      what people read beside it: English, and the name of the message in other languages
//	maxLength  how many characters it has at most
//	enum       the values it may have, separated by commas; the API's schema refuses others
//	choices    the same, where the act that makes the change says what is wrong
//	flag       the option of the command line, where it is not the name with hyphens
//	doc        one line of explanation, for programmers
//	lines      "true": several lines of text
//
// These doors ignore a field without a label. A struct that is embedded gives its fields.
package shape

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"parley/internal/fault"
)

// Kind is how a field is filled in.
type Kind int

// Kinds of fields.
const (
	Text   Kind = iota // one line
	Lines              // several lines
	Choice             // one of Field.Choices
	Box                // yes or no
	List               // texts, one a line
)

// Field is one field of a change.
type Field struct {
	Name    string
	Flag    string // without hyphens
	Label   string
	Doc     string
	Kind    Kind
	Max     int      // characters; 0 is no limit
	Choices []string // of a Choice
	index   []int
}

// wrong says why a field cannot have the value that was given.
func (f Field) wrong(text string, args ...any) error {
	return fault.New(fault.Invalid, f.Name, text, append([]any{"Field", f.Name}, args...)...)
}

var shapes sync.Map // of []Field by reflect.Type

// Of gives the fields of a struct or of a pointer to one, in order. Callers must not change them. It panics if the tags
// are not valid, which is a fault of the program.
func Of(change any) []Field {
	t := reflect.TypeOf(change)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if fs, ok := shapes.Load(t); ok {
		return fs.([]Field)
	}
	fs := fieldsOf(t, nil)
	shapes.Store(t, fs)
	return fs
}

// Named gives the field with this name. It panics if there is none.
func Named(change any, name string) Field {
	for _, f := range Of(change) {
		if f.Name == name {
			return f
		}
	}
	panic(fmt.Sprintf("%T has no field %s", change, name))
}

func fieldsOf(t reflect.Type, at []int) (fs []Field) {
	for i := range t.NumField() {
		sf := t.Field(i)
		index := append(append([]int(nil), at...), i)
		if sf.Anonymous && sf.Type.Kind() == reflect.Struct {
			fs = append(fs, fieldsOf(sf.Type, index)...)
			continue
		}
		label := sf.Tag.Get("label")
		if label == "" {
			continue
		}
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		f := Field{Name: name, Flag: sf.Tag.Get("flag"), Label: label, Doc: sf.Tag.Get("doc"), index: index}
		if f.Flag == "" {
			f.Flag = strings.ReplaceAll(name, "_", "-")
		}
		enum := sf.Tag.Get("enum")
		if enum == "" {
			enum = sf.Tag.Get("choices")
		}
		switch {
		case sf.Type == reflect.TypeFor[*bool]():
			f.Kind = Box
		case sf.Type == reflect.TypeFor[*[]string]():
			f.Kind = List
		case sf.Type != reflect.TypeFor[*string]() || name == "":
			panic(fmt.Sprintf("%s.%s is not a field of a change", t, sf.Name))
		case enum != "":
			f.Kind, f.Choices = Choice, strings.Split(enum, ",")
		case sf.Tag.Get("lines") == "true":
			f.Kind = Lines
		}
		if limit := sf.Tag.Get("maxLength"); limit != "" {
			var err error
			if f.Max, err = strconv.Atoi(limit); err != nil {
				panic(fmt.Sprintf("%s.%s: %v", t, sf.Name, err))
			}
		}
		fs = append(fs, f)
	}
	return fs
}

// Value gives the field's value in a change: a text as it is, a box as "true" or "false", a list with one item a line.
// ok is false if the change does not have it.
func (f Field) Value(change any) (text string, ok bool) {
	v := reflect.Indirect(reflect.ValueOf(change)).FieldByIndex(f.index)
	if v.IsNil() {
		return "", false
	}
	switch f.Kind {
	case Box:
		return strconv.FormatBool(v.Elem().Bool()), true
	case List:
		return strings.Join(v.Elem().Interface().([]string), "\n"), true
	}
	return v.Elem().String(), true
}

// Set sets the field's value in the change that a pointer points to. Boxes take what strconv.ParseBool takes; the error
// is a *fault.Error.
func (f Field) Set(change any, text string) error {
	v := reflect.ValueOf(change).Elem().FieldByIndex(f.index)
	switch f.Kind {
	case Box:
	case List:
		list := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
		v.Set(reflect.ValueOf(&list))
		return nil
	default:
		v.Set(reflect.ValueOf(&text))
		return nil
	}
	on, err := strconv.ParseBool(text)
	if err != nil {
		return f.wrong("{{.Field}} is true or false")
	}
	v.Set(reflect.ValueOf(&on))
	return nil
}

// Read fills the change that a pointer points to with a door's input: given gives a field's value and whether there is
// one. The error is a *fault.Error.
func Read(change any, given func(f Field) (text string, ok bool)) error {
	for _, f := range Of(change) {
		text, ok := given(f)
		if !ok {
			continue
		}
		if err := f.Set(change, text); err != nil {
			return err
		}
	}
	return nil
}

// Apply writes each value of a change through the same field of into, whose fields must all be set.
func Apply(into, change any) {
	to, from := reflect.Indirect(reflect.ValueOf(into)), reflect.Indirect(reflect.ValueOf(change))
	for _, f := range Of(change) {
		if v := from.FieldByIndex(f.index); !v.IsNil() {
			to.FieldByIndex(f.index).Elem().Set(v.Elem())
		}
	}
}

// Check returns a *fault.Error for the first value of a change that is too long or not one of the choices.
func Check(change any) error {
	for _, f := range Of(change) {
		if text, ok := f.Value(change); ok {
			if err := f.Check(text); err != nil {
				return err
			}
		}
	}
	return nil
}

// Check returns a *fault.Error if a value is too long or not one of the field's choices.
func (f Field) Check(text string) error {
	switch {
	case f.Max > 0 && utf8.RuneCountInString(text) > f.Max:
		return f.wrong("{{.Field}} is too long: at most {{.Max}} characters", "Max", f.Max)
	case f.Kind == Choice && !f.offers(text):
		return f.wrong("{{.Field}} is {{.Choices}}", "Choices", either(f.Choices))
	}
	return nil
}

func (f Field) offers(text string) bool {
	for _, c := range f.Choices {
		if c == text {
			return true
		}
	}
	return false
}

// either lists words, quoted, with "or" before the last one.
func either(words []string) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(w))
	}
	return b.String()
}

// Differences calls note for each field in which two complete changes of one type differ, with a string, a bool or a
// list of strings before and after.
func Differences(was, is any, note func(name string, before, after any)) {
	for _, f := range Of(was) {
		a := reflect.Indirect(reflect.ValueOf(was)).FieldByIndex(f.index).Elem().Interface()
		b := reflect.Indirect(reflect.ValueOf(is)).FieldByIndex(f.index).Elem().Interface()
		if !reflect.DeepEqual(a, b) {
			note(f.Name, a, b)
		}
	}
}
