package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/internal/sheet"
	"parley/people"
	"parley/store"
)

const maxImport = 5000

// row is a line of an imported file.
type row struct {
	Line  int
	New   people.NewPerson
	Name  string // of the account
	State string // "new", "known", "wrong", "made"
	Error string
	Where string // the column and text of the wrong cell, as the file has them
}

type importData struct {
	Text      string // the file, which the form sends again
	Rows      []row
	New       int
	Known     int
	Wrong     int
	Done      bool
	Error     string
	Invite    bool
	Mails     bool
	Columns   []string
	Encodings []sheet.Encoding
	Chosen    string // the chosen encoding
	Encoding  string // the file's encoding
	Comma     string // the sign between its cells
	Unused    []string
	Own       []fieldRow // the file's profile fields
}

func (c *request) importPage() error {
	fs, err := c.P.FieldsFor(c.r.Context(), c.Actor)
	if err != nil {
		return err
	}
	d := importData{Mails: c.P.Mails(), Columns: columnsWith(fs), Encodings: sheet.Encodings}
	return c.show("import", c.T("Import people"), d)
}

// importFile shows the effects of a file, and with do=import imports it.
func (c *request) importFile() error {
	fs, err := c.P.FieldsFor(c.r.Context(), c.Actor)
	if err != nil {
		return err
	}
	d := importData{
		Mails:     c.P.Mails(),
		Columns:   columnsWith(fs),
		Encodings: sheet.Encodings,
		Invite:    c.form("invite") != "",
	}
	err = c.readText(&d)
	if err != nil {
		err = badTable(err, nil, 0)
	}
	var by chosen
	if err == nil {
		var comma rune
		d.Rows, by, comma, err = readRows(d.Text, fs)
		d.Comma, d.Unused = commaName(comma), by.unused
	}
	if err != nil {
		if d.Error, _, _ = c.explain(err); d.Error == "" {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "import", c.T("Import people"), d)
	}
	for _, f := range by.own {
		d.Own = append(d.Own, fieldRow{ProfileField: f, Label: c.ownName(f)})
	}
	d.Done = c.form("do") == "import"
	seen := make(map[string]int)
	for i := range d.Rows {
		if err := c.importRow(&d.Rows[i], &by, seen, d.Done, d.Invite); err != nil {
			return err
		}
		switch d.Rows[i].State {
		case "known":
			d.Known++
		case "wrong":
			d.Wrong++
		default:
			d.New++
		}
	}
	if d.Done {
		detail := acts.Detail{"made": d.New, "known": d.Known, "wrong": d.Wrong}
		if err := c.P.Note(c.r.Context(), c.importer(), acts.PersonImport, "", detail); err != nil {
			return err
		}
	}
	return c.show("import", c.T("Import people"), d)
}

// importer imports a file for a person.
func (c *request) importer() people.Actor {
	by := c.Actor
	by.Door = acts.Import
	return by
}

func (c *request) importRow(r *row, by *chosen, seen map[string]int, do, invite bool) error {
	u, err := c.P.Check(c.r.Context(), c.Actor, r.New)
	r.Name = u.Name
	if err == nil {
		for _, k := range []string{"name " + u.Name, "email " + strings.ToLower(u.Email)} {
			if k == "email " {
				continue
			}
			if _, ok := seen[k]; ok {
				r.State, r.Error = "wrong", c.T("The same as in line {{.Line}}", "Line", seen[k])
				return nil
			}
			seen[k] = r.Line
		}
	}
	if err == nil && do {
		n := people.Newcomer{NewPerson: r.New}
		if invite {
			n.Invite = &people.Invite{Send: c.P.Mails() && u.Email != "", Lang: u.Lang}
		}
		_, err = c.P.Welcome(c.r.Context(), c.importer(), n)
		r.State = "made"
	}
	if err == nil {
		if r.State == "" {
			r.State = "new"
		}
		return nil
	}
	text, field, ok := c.explain(c.inWords(err))
	if !ok {
		return err
	}
	r.State, r.Error = "wrong", text
	if fault.Is(err, fault.Exists) && (field == "name" || field == "email") {
		r.State = "known"
	}
	r.Where = where(by, field, r.New)
	return nil
}

// where names the wrong cell by its column, as the file calls it, and its text.
func where(by *chosen, field string, n people.NewPerson) string {
	value, ok := map[string]string{
		"full_name":  n.FullName,
		"email":      n.Email,
		"name":       n.Name,
		"phone":      n.Phone,
		"title":      n.Title,
		"department": n.Department,
		"role":       n.Role,
		"groups":     strings.Join(n.Groups, " "),
		"lang":       n.Lang,
	}[field]
	if own, has := n.Fields[field]; has && !ok {
		field, value, ok = fieldPrefix+field, own, true
	}
	switch {
	case !ok:
		return ""
	case value == "":
		return by.title(field)
	}
	return by.title(field) + " “" + cut(value, 60) + "”"
}

// readText returns the text of the form: a file, or pasted lines. A form that comes again has the file as lines.
func (c *request) readText(d *importData) error {
	d.Text, d.Chosen = c.r.FormValue("text"), c.form("encoding")
	f, _, err := c.r.FormFile("file")
	if err != nil {
		return nil
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil || len(b) == 0 {
		return err
	}
	d.Text, d.Encoding, err = sheet.Decode(b, d.Chosen)
	return err
}

// readRows reads a table of people, with values of profile fields.
func readRows(text string, fs []store.ProfileField) ([]row, chosen, rune, error) {
	bad := func(id string, args ...any) ([]row, chosen, rune, error) {
		return nil, chosen{}, 0, fault.New(fault.Invalid, "file", id, args...)
	}
	if strings.TrimSpace(text) == "" {
		return bad("Choose a file, or paste its lines")
	}
	t, err := sheet.Parse(text, maxImport+1)
	var head []string
	if len(t.Rows) > 0 {
		head = t.Rows[0].Cells
	}
	if err != nil {
		return nil, chosen{}, 0, badTable(err, head, t.Comma)
	}
	if len(t.Rows) == 0 {
		return bad("There is nobody in this file")
	}
	all, c := chooseHead(t.Rows, fs)
	if !c.named() {
		return bad("Line {{.Line}} must name the columns, and one of them must be full_name, last_name or email. It has: {{.Found}}",
			"Line", t.Rows[0].Line, "Found", cut(strings.Join(head, " · "), 200))
	}
	var rows []row
	for _, r := range all[1:] {
		if one := (row{Line: r.Line, New: c.person(r)}); one.New.Email != "" ||
			one.New.FullName != "" || one.New.Name != "" {
			rows = append(rows, one)
		}
	}
	if len(rows) == 0 {
		return bad("There is nobody in this file")
	}
	return rows, c, t.Comma, nil
}

// badTable explains why parley does not accept a file, and what to do.
func badTable(err error, head []string, comma rune) error {
	bad := func(id string, args ...any) error {
		return fault.New(fault.Invalid, "file", id, args...)
	}
	var fe *sheet.ForeignError
	var ee *sheet.EncodingError
	var te *sheet.Error
	switch {
	case errors.Is(err, sheet.ErrBinary):
		return bad("This file is not text: save the table as CSV, and choose that file")
	case errors.As(err, &ee):
		return bad("Line {{.Line}} has letters that are not in {{.Encoding}}: choose another encoding, or “Detect automatically”",
			"Line", ee.Line, "Encoding", ee.Encoding)
	case errors.As(err, &fe):
		return badKind(fe.Kind)
	case !errors.As(err, &te):
		return err
	}
	at := []any{"Line", te.Line, "Column", columnName(head, te.Column), "Comma", commaName(comma)}
	switch te.Fault {
	case sheet.TooMany:
		return bad("Line {{.Line}} is one too many: import at most {{.Most}} people at once", "Line",
			te.Line, "Most", maxImport)
	case sheet.Unclosed:
		return bad("Line {{.Line}}, column {{.Column}}: a quotation mark (\") opens this cell, and nothing closes it. Close it, or write it twice where it belongs to the text", at[:4]...)
	}
	return bad("Line {{.Line}}, column {{.Column}}: after the quotation mark (\") that closes this cell, {{.Comma}} or the line’s end has to follow. Write a quotation mark twice where it belongs to the text", at...)
}

func badKind(k sheet.Kind) error {
	text := "This file is not a table: save the table as CSV, and choose that file"
	switch k {
	case sheet.Excel:
		text = "This is an Excel workbook. In Excel, choose “File”, “Save As”, and there the type “CSV UTF-8 (Comma delimited)”; then choose that file here"
	case sheet.OpenDocument:
		text = "This is an OpenDocument table. In LibreOffice, choose “File”, “Save As”, and there the type “Text CSV (.csv)”; then choose that file here"
	case sheet.Numbers:
		text = "This is a Numbers document. In Numbers, choose “File”, “Export To”, “CSV”; then choose that file here"
	}
	return fault.New(fault.Invalid, "file", text)
}

// columnName names a column as spreadsheets and the table do: C (E-mail).
func columnName(head []string, n int) string {
	name := ""
	for i := n; i > 0; i = (i - 1) / 26 {
		name = string(rune('A'+(i-1)%26)) + name
	}
	if n <= len(head) && strings.TrimSpace(head[n-1]) != "" {
		name += " (" + cut(strings.TrimSpace(head[n-1]), 50) + ")"
	}
	return name
}

// commaName shows the sign between the cells.
func commaName(r rune) string {
	if r == '\t' {
		return "⇥"
	}
	return string(r)
}
