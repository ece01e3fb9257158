package web

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"parley/internal/fault"
	"parley/people"
	"parley/store"
)

// shownRow is a field of a profile and whom it is shown to.
type shownRow struct{ Name, Label, Value, To string }

type profileForm struct {
	store.Person
	Shown        []shownRow
	Fields       []fieldRow
	Error, Field string
}

// fieldLabels are the labels of a profile's fields.
func (c *request) fieldLabel(field string) string {
	return c.T(people.Label(field))
}

// shownRows are the choices of whom a person's fields are shown to.
func (c *request) shownRows(u store.Person) (rows []shownRow) {
	for _, f := range people.ShownFields {
		rows = append(rows, shownRow{f, c.fieldLabel(f), map[string]string{
			"email":      u.Email,
			"phone":      u.Phone,
			"title":      u.Title,
			"department": u.Department,
		}[f], people.ShownOf(u, f)})
	}
	return rows
}

// shownForm reads them from a form; nil if it has none.
func (c *request) shownForm() map[string]string {
	var m map[string]string
	for _, f := range people.ShownFields {
		if v := c.given("show_" + f); v != nil {
			if m == nil {
				m = make(map[string]string)
			}
			m[f] = *v
		}
	}
	return m
}

func (c *request) profileForm(u store.Person) (profileForm, error) {
	rows, err := c.fieldRows(u)
	return profileForm{Person: u, Shown: c.shownRows(u), Fields: rows}, err
}

func (c *request) profile() error {
	f, err := c.profileForm(*c.Me)
	if err != nil {
		return err
	}
	return c.show("profile", c.T("Profile"), f)
}

func (c *request) saveProfile() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	u, err := *c.Me, c.locked()
	ch, ferr := c.profileChange()
	if err = errors.Join(err, ferr); err == nil {
		u, err = c.P.Update(c.r.Context(), c.Actor, c.Me.Name, ch)
	}
	if err != nil {
		f, ferr := c.profileForm(*c.Me)
		if ferr != nil {
			return ferr
		}
		var ok bool
		if f.Error, f.Field, ok = c.explain(c.inWords(err)); !ok {
			return err
		}
		f.Error = keepRows(f.Fields, ch.Fields, f.Error, f.Field)
		ch.Into(&f.Person)
		return c.page(http.StatusUnprocessableEntity, "profile", c.T("Profile"), f)
	}
	if u.Lang != "" {
		c.cookie(langCookie, u.Lang, 365*24*time.Hour)
		c.Lang = c.s.Words.Lang(u.Lang)
	}
	return c.done("/me", "Saved")
}

// profileChange reads the change in a form of a profile: fields have the names of package people; those that the
// organization has defined have their key with "field_" before it.
func (c *request) profileChange() (people.Change, error) {
	ch := people.Change{Show: c.shownForm()}
	err := c.readChange(&ch.Profile)
	ch.Fields = c.fieldValues()
	return ch, err
}

// fieldValues reads the values of profile fields from a form, by key; nil if it has none.
func (c *request) fieldValues() (values map[string]string) {
	for name := range c.r.Form {
		key, ok := strings.CutPrefix(name, fieldPrefix)
		if !ok {
			continue
		}
		if values == nil {
			values = make(map[string]string)
		}
		values[key] = c.form(name)
	}
	return values
}

// fieldPrefix begins the names of inputs for the fields that the organization has defined.
const fieldPrefix = "field_"

// locked refuses changes of locked values on this page, even from administrators: they change them where it needs a
// proof.
func (c *request) locked() error {
	for _, f := range people.Locked {
		if c.r.Form.Has(f) {
			return fault.New(fault.Forbidden, f, "Your organization manages this: ask an administrator to change it")
		}
	}
	return nil
}

// colleagues returns people as the caller may see them. It searches only the values that the caller may see.
func (c *request) colleagues(f store.PeopleFilter) ([]store.Person, int, error) {
	f.Open = !c.Actor.Runs()
	ps, total, err := c.s.Store.People(c.r.Context(), c.host(), f)
	if err == nil {
		err = c.P.SeenAll(c.r.Context(), c.Actor, ps)
	}
	return ps, total, err
}
