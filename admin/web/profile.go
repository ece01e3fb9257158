package web

import (
	"net/http"
	"time"

	"parley/org"
	"parley/people"
	"parley/store"
)

// shownRow is a field of a profile and whom it is shown to.
type shownRow struct{ Name, Label, Value, To string }

type profileForm struct {
	store.Person
	Shown        []shownRow
	Error, Field string
}

// fieldLabels are what the fields of a profile are called.
func (c *ctx) fieldLabel(field string) string {
	switch field {
	case "email":
		return c.T("Work e-mail")
	case "phone":
		return c.T("Mobile")
	case "title":
		return c.T("Job title")
	}
	return c.T("Department")
}

// shownRows are the choices of whom a person's fields are shown to.
func (c *ctx) shownRows(u store.Person) (rows []shownRow) {
	for _, f := range people.ShownFields {
		rows = append(rows, shownRow{f, c.fieldLabel(f), map[string]string{"email": u.Email, "phone": u.Phone, "title": u.Title, "department": u.Department}[f], people.ShownOf(u, f)})
	}
	return rows
}

// shownForm reads them from a form; nil if it has none.
func (c *ctx) shownForm() map[string]string {
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

func (c *ctx) profileForm(u store.Person) profileForm {
	return profileForm{Person: u, Shown: c.shownRows(u)}
}

func (c *ctx) profile() error { return c.show("profile", c.T("Profile"), c.profileForm(*c.Me)) }

func (c *ctx) saveProfile() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ch := people.Change{FullName: c.given("full_name"), Phone: c.given("phone"), Title: c.given("title"), Lang: c.given("lang"), Show: c.shownForm()}
	u, err := *c.Me, c.locked()
	if err == nil {
		u, err = c.P.Update(c.r.Context(), c.Actor, c.Me.Name, ch)
	}
	if err != nil {
		f := c.profileForm(*c.Me)
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		for to, from := range map[*string]*string{&f.FullName: ch.FullName, &f.Phone: ch.Phone, &f.Title: ch.Title} {
			if from != nil {
				*to = *from
			}
		}
		return c.page(http.StatusUnprocessableEntity, "profile", c.T("Profile"), f)
	}
	if u.Lang != "" {
		c.cookie(langCookie, u.Lang, 365*24*time.Hour)
		c.Lang = c.s.Words.Lang(u.Lang)
	}
	return c.done("/me", "Saved")
}

// locked refuses what has a lock on this page, also to administrators: they change it where it needs a proof.
func (c *ctx) locked() error {
	for _, f := range people.Locked {
		if c.r.Form.Has(f) {
			return &people.Error{Kind: org.Forbidden, Field: f, Text: "This is kept by your organization: an administrator changes it"}
		}
	}
	return nil
}

// colleagues gives people as who asks may see them; words are looked for only in what that one would be shown.
func (c *ctx) colleagues(f store.PeopleFilter) ([]store.Person, int, error) {
	f.Open = !c.Actor.Runs()
	ps, total, err := c.s.Store.People(c.r.Context(), c.host(), f)
	if err == nil {
		err = c.P.SeenAll(c.r.Context(), c.Actor, ps)
	}
	return ps, total, err
}
