package web

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"parley/org"
	"parley/people"
	"parley/store"
)

const maxImport = 5000

// row is a line of a file that is imported.
type row struct {
	Line  int
	New   people.NewPerson
	Name  string // of the account
	State string // "new", "known", "wrong", "made"
	Error string
}

type importData struct {
	Text    string // the file, to be sent again with the answer
	Rows    []row
	New     int
	Known   int
	Wrong   int
	Done    bool
	Error   string
	Invite  bool
	Mails   bool
	Columns []string
}

var columns = []string{"full_name", "email", "name", "phone", "title", "department", "role", "groups", "lang"}

func (c *ctx) importPage() error {
	return c.show("import", c.T("Import people"), importData{Mails: c.P.Mails(), Columns: columns})
}

// importFile shows what a file would do, and with do=import does it.
func (c *ctx) importFile() error {
	d := importData{Mails: c.P.Mails(), Columns: columns, Invite: c.form("invite") != "", Text: c.r.FormValue("text")}
	if f, _, err := c.r.FormFile("file"); err == nil {
		b, err := io.ReadAll(f)
		f.Close()
		if err != nil {
			return err
		}
		if len(b) > 0 {
			d.Text = decode(b)
		}
	}
	var err error
	if d.Rows, err = readRows(d.Text); err != nil {
		if d.Error, _, _ = c.explain(err); d.Error == "" {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "import", c.T("Import people"), d)
	}
	d.Done = c.form("do") == "import"
	seen := make(map[string]int)
	for i := range d.Rows {
		if err := c.importRow(&d.Rows[i], seen, d.Done, d.Invite); err != nil {
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
		c.P.Audit(c.r.Context(), c.Actor, "person.import", "", map[string]any{"made": d.New, "known": d.Known, "wrong": d.Wrong})
	}
	return c.show("import", c.T("Import people"), d)
}

func (c *ctx) importRow(r *row, seen map[string]int, do, invite bool) error {
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
		if _, err = c.P.Create(c.r.Context(), c.Actor, r.New); err == nil && invite {
			_, _, err = c.P.Invite(c.r.Context(), c.Actor, people.Invite{Username: u.Name, Send: c.P.Mails() && u.Email != "", Lang: u.Lang})
		}
		r.State = "made"
	}
	if err == nil {
		if r.State == "" {
			r.State = "new"
		}
		return nil
	}
	text, field, ok := c.explain(err)
	if !ok {
		return err
	}
	r.State, r.Error = "wrong", text
	var pe *people.Error
	if errors.As(err, &pe) && pe.Kind == org.Exists && (field == "name" || field == "email") {
		r.State = "known"
	}
	return nil
}

// decode reads what spreadsheets write: UTF-8 with or without its mark, or Windows' Latin.
func decode(b []byte) string {
	b = bytes.TrimPrefix(b, []byte("\ufeff"))
	if utf8.Valid(b) {
		return string(b)
	}
	s, err := charmap.Windows1252.NewDecoder().Bytes(b)
	if err != nil {
		return string(bytes.ToValidUTF8(b, []byte("?")))
	}
	return string(s)
}

// heads are the names that columns go by in files of other programs.
var heads = map[string]string{"full name": "full_name", "fullname": "full_name", "nom": "full_name", "nom complet": "full_name", "display name": "full_name",
	"e-mail": "email", "mail": "email", "courriel": "email", "adresse e-mail": "email", "username": "name", "login": "name", "identifiant": "name", "mobile": "phone",
	"telephone": "phone", "téléphone": "phone", "job title": "title", "fonction": "title", "poste": "title", "team": "department", "équipe": "department",
	"service": "department", "département": "department", "rôle": "role", "groupes": "groups", "langue": "lang", "language": "lang"}

func readRows(text string) ([]row, error) {
	bad := func(id string, args ...any) ([]row, error) {
		return nil, &people.Error{Kind: org.Invalid, Field: "file", Text: id, Args: args}
	}
	if strings.TrimSpace(text) == "" {
		return bad("Choose a file, or paste its lines")
	}
	in := csv.NewReader(strings.NewReader(text))
	in.FieldsPerRecord, in.TrimLeadingSpace = -1, true
	first, _, _ := strings.Cut(text, "\n")
	switch {
	case strings.Count(first, ";") > strings.Count(first, ","):
		in.Comma = ';'
	case strings.Contains(first, "\t"):
		in.Comma = '\t'
	}
	head, err := in.Read()
	if err != nil {
		return bad("The first line has to name the columns")
	}
	at := make(map[string]int)
	for i, h := range head {
		h = strings.ToLower(strings.TrimSpace(h))
		if n, ok := heads[h]; ok {
			h = n
		}
		at[h] = i
	}
	if _, ok := at["email"]; !ok {
		if _, ok := at["full_name"]; !ok {
			return bad("The first line has to name the columns")
		}
	}
	var rows []row
	for {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line := 0
			if pe := (*csv.ParseError)(nil); errors.As(err, &pe) {
				line = pe.StartLine
			}
			return bad("Line {{.Line}} cannot be read: are quotes missing?", "Line", line)
		}
		line, _ := in.FieldPos(0)
		if len(rows) >= maxImport {
			return bad("At most 5000 lines at once")
		}
		get := func(name string) string {
			if i, ok := at[name]; ok && i < len(rec) {
				return strings.TrimPrefix(strings.TrimSpace(rec[i]), "'")
			}
			return ""
		}
		r := row{Line: line, New: people.NewPerson{Name: get("name"), FullName: get("full_name"), Email: get("email"), Phone: get("phone"), Title: get("title"),
			Department: get("department"), Role: strings.ToLower(get("role")), Lang: get("lang")}}
		r.New.Groups = strings.FieldsFunc(get("groups"), func(r rune) bool { return strings.ContainsRune(",; |", r) })
		if r.New.Role == "" {
			r.New.Role = store.RoleMember
		}
		if r.New.Email == "" && r.New.FullName == "" && r.New.Name == "" {
			continue
		}
		rows = append(rows, r)
	}
	if len(rows) == 0 {
		return bad("There is nobody in this file")
	}
	return rows, nil
}
