package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/internal/door"
	"parley/internal/fault"
	"parley/people"
	"parley/store"
)

func (s *Server) fields() {
	s.handle("GET /admin/people/fields", runs, (*request).fieldList)
	s.handle("POST /admin/people/fields", runs, (*request).createField)
	s.handle("GET /admin/people/fields/{key}", runs, (*request).fieldPage)
	s.handle("POST /admin/people/fields/{key}", runs, (*request).saveField)
	s.handle("POST /admin/people/fields/{key}/{act}", runs, (*request).fieldAct)
}

// fieldsData is the data of the pages of profile fields: all fields with the form of a new field, or one field with its
// form.
type fieldsData struct {
	Fields  []fieldRow
	One     fieldRow
	Key     string // as the person typed it
	Rows    []formRow
	Confirm string
	Most    int
	Error   string // an error that belongs to no input
	Field   string
	Why     string // the error of the input Field
}

// refuse shows an error at its input, or above the form.
func (d *fieldsData) refuse(text, field string) {
	for i := range d.Rows {
		if d.Rows[i].Name == field {
			d.Rows[i].Error, d.Field = text, field
			return
		}
	}
	if field == "key" && d.One.Key == "" || field == "confirm" {
		d.Field, d.Why = field, text
		return
	}
	d.Error = text
}

// fieldsForm returns the page's data with a form for a change.
func (c *request) fieldsForm(change people.FieldChange) (d fieldsData, err error) {
	fs, err := c.P.Fields(c.r.Context())
	d.Most = people.MaxFields
	for _, f := range fs {
		d.Fields = append(d.Fields, fieldRow{ProfileField: f, Label: c.ownName(f)})
	}
	d.Rows = c.formRows("profile field", change, "name")
	return d, err
}

// fieldForm is fieldsForm for the field in the path.
func (c *request) fieldForm() (d fieldsData, err error) {
	if d, err = c.fieldsForm(people.FieldChange{}); err != nil {
		return d, err
	}
	at := slices.IndexFunc(d.Fields, func(f fieldRow) bool { return f.Key == c.r.PathValue("key") })
	if at < 0 {
		return d, notFound
	}
	d.One = d.Fields[at]
	as := people.FieldAs(d.One.ProfileField)
	for i := range d.Rows {
		value, _ := d.Rows[i].Of.Value(as)
		d.Rows[i].set(value)
		if d.Rows[i].Name == "kind" {
			d.Rows[i].fix(c.T("The kind of a field cannot be changed."))
		}
	}
	if d.One.Kind != store.FieldChoice {
		d.Rows = slices.DeleteFunc(d.Rows, func(r formRow) bool { return r.Name == "choices" })
	}
	return d, nil
}

// fieldChange reads the form of a field.
func (c *request) fieldChange() (ch people.FieldChange, err error) {
	err = c.readChange(&ch)
	return ch, err
}

// keep writes the typed values back into the form.
func (d *fieldsData) keep(ch people.FieldChange) {
	for i, r := range d.Rows {
		if v, ok := r.Of.Value(ch); ok && !r.Locked {
			d.Rows[i].set(v)
		}
	}
}

func (c *request) fieldList() error {
	d, err := c.fieldsForm(people.FieldChange{})
	if err != nil {
		return err
	}
	return c.show("fields", c.T("Profile fields"), d)
}

func (c *request) createField() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ch, err := c.fieldChange()
	if err != nil {
		return badForm
	}
	f, err := c.P.CreateField(c.r.Context(), c.Actor, c.form("key"), ch)
	if err == nil {
		return c.done("/admin/people/fields", "The profile field {{.Name}} was created", "Name", c.ownName(f))
	}
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	d, err := c.fieldsForm(ch)
	if err != nil {
		return err
	}
	d.Key = c.form("key")
	d.refuse(text, field)
	return c.page(http.StatusUnprocessableEntity, "fields", c.T("Profile fields"), d)
}

func (c *request) fieldPage() error {
	d, err := c.fieldForm()
	if err != nil {
		return err
	}
	return c.show("field", d.One.Label, d)
}

// refuseField shows the page of a field again with an error.
func (c *request) refuseField(err error, keep func(d *fieldsData)) error {
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	d, err := c.fieldForm()
	if err != nil {
		return err
	}
	keep(&d)
	d.refuse(text, field)
	return c.page(http.StatusUnprocessableEntity, "field", d.One.Label, d)
}

func (c *request) saveField() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ch, err := c.fieldChange()
	if err != nil {
		return badForm
	}
	if _, err = c.P.ChangeField(c.r.Context(), c.Actor, c.r.PathValue("key"), ch); err != nil {
		return c.refuseField(err, func(d *fieldsData) { d.keep(ch) })
	}
	return c.done("/admin/people/fields", "Saved")
}

// fieldAct moves a field among the others, or deletes it.
func (c *request) fieldAct() error {
	d, err := c.fieldForm()
	if err != nil {
		return err
	}
	ctx, page, f := c.r.Context(), "/admin/people/fields", d.One
	place := 1 + slices.IndexFunc(d.Fields, func(o fieldRow) bool { return o.Key == f.Key })
	switch c.r.PathValue("act") {
	case "up":
		place = max(1, place-1)
	case "down":
		place = min(len(d.Fields), place+1)
	case "delete":
		if c.form("confirm") != f.Key {
			wrong := fault.New(fault.Invalid, "confirm", "Type {{.Name}} to delete the field", "Name", f.Key)
			return c.refuseField(wrong, func(d *fieldsData) { d.Confirm = c.form("confirm") })
		}
		if err := c.P.DeleteField(ctx, c.Actor, f.Key); err != nil {
			return c.oops(page, err)
		}
		return c.done(page, "The profile field {{.Name}} was deleted", "Name", f.Label)
	default:
		return notFound
	}
	if _, err := c.P.ChangeField(ctx, c.Actor, f.Key, people.FieldChange{Place: &place}); err != nil {
		return c.oops(page, err)
	}
	return c.to(page)
}

// fieldRow is a profile field on a page, with a person's value.
type fieldRow struct {
	store.ProfileField
	Label string // its name in the page's language
	Value string
	Edit  bool // the caller may change the value
	New   bool // on the form of somebody who is new
	Error string
}

// Input is the name of the input for its value.
func (r fieldRow) Input() string { return fieldPrefix + r.Key }

// Offers says whether the value is one of the present choices. An old value may be none of them.
func (r fieldRow) Offers() bool { return r.Value == "" || slices.Contains(r.Choices, r.Value) }

// Short returns a link without its scheme.
func (r fieldRow) Short() string {
	_, rest, _ := strings.Cut(r.Value, "://")
	return strings.TrimSuffix(rest, "/")
}

// To says who can see the values: "organization", "team" or "admins".
func (r fieldRow) To() string { return *people.FieldAs(r.ProfileField).SeenBy }

// ownName returns the field's name in the page's language.
func (c *request) ownName(f store.ProfileField) string {
	if c.Lang.Code == "fr" && f.NameFR != "" {
		return f.NameFR
	}
	return f.Name
}

// ownNames returns the names of all fields in the page's language, by key.
func (c *request) ownNames() map[string]string {
	fs, err := c.P.Fields(c.r.Context())
	if err != nil {
		door.Failed(c.r.Context(), c.s.Log, "profile fields", "err", err) // the keys serve as names
	}
	names := make(map[string]string, len(fs))
	for _, f := range fs {
		names[f.Key] = c.ownName(f)
	}
	return names
}

// fieldRows returns the profile fields of a person that the caller may see, with the person's values.
func (c *request) fieldRows(u store.Person) (rows []fieldRow, err error) {
	fs, err := c.P.FieldsFor(c.r.Context(), c.Actor)
	for _, f := range fs {
		rows = append(rows, fieldRow{
			ProfileField: f,
			Label:        c.ownName(f),
			Value:        u.Fields[f.Key],
			Edit:         people.MayFill(c.Actor, u, f),
		})
	}
	return rows, err
}

// keepRows writes the typed values back into the inputs and shows the error at its input. It returns the text for above
// the form: "" if an input has shown it.
func keepRows(rows []fieldRow, typed map[string]string, text, field string) string {
	for i, r := range rows {
		if v, ok := typed[r.Key]; ok {
			rows[i].Value = v
		}
		if r.Key == field && r.Edit {
			rows[i].Error, text = text, ""
		}
	}
	return text
}

// inWords replaces a profile field's key in an error with the field's name in the page's language.
func (c *request) inWords(err error) error {
	f := fault.Of(err)
	if f == nil || len(f.Args) < 2 || f.Args[0] != "Field" {
		return err
	}
	fs, ferr := c.P.Fields(c.r.Context())
	if ferr != nil {
		return err
	}
	for _, own := range fs {
		if own.Key == f.Field {
			return fault.New(f.Kind, f.Field, f.Text, append([]any{"Field", c.ownName(own)}, f.Args[2:]...)...)
		}
	}
	return err
}

// listed returns the profile fields that are columns of the list of people.
func (c *request) listed() (rows []fieldRow, err error) {
	rows, err = c.fieldRows(store.Person{})
	return slices.DeleteFunc(rows, func(r fieldRow) bool { return !r.Listed }), err
}

// cells returns fields with a person's values.
func cells(rows []fieldRow, u store.Person) []fieldRow {
	out := slices.Clone(rows)
	for i := range out {
		out[i].Value = u.Fields[out[i].Key]
	}
	return out
}
