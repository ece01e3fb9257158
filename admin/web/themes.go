package web

import (
	"net/http"
	"strings"

	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

func (s *Server) themes() {
	s.handle("POST /g/{slug}/themes", member, (*request).createTheme)
	s.handle("GET /g/{slug}/themes/new", member, (*request).newThemePage)
	s.handle("POST /g/{slug}/t/{key}/close", member, (*request).closeTheme)
	s.handle("GET /g/{slug}/t/{key}/settings", member, (*request).themeSettings)
	s.handle("POST /g/{slug}/t/{key}/settings", member, (*request).saveTheme)
	s.handle("POST /g/{slug}/t/{key}/people", member, (*request).saveThemePeople)
}

// themeForm is the form of a theme, a new one or an existing one.
type themeForm struct {
	room
	Name         string
	Restricted   bool
	Offered      picker      // the people to choose from
	People       []memberRow // a restricted theme's people, guests, and banned people
	Guests       bool
	State        string
	Error, Field string
}

// mayStart says whether somebody may start a theme in a group.
func (r room) mayStart() bool {
	return r.Manages() || r.Role != "" && r.Role != store.RoleBanned && org.RulesOf(r.Group).ThemesBy == "members"
}

func (c *request) newThemePage() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	if !r.mayStart() {
		return fault.ErrRole
	}
	f := themeForm{room: r}
	if f.Offered, err = c.membersPicker(r, nil, nil); err != nil {
		return err
	}
	return c.show("newtheme", c.T("New theme"), f)
}

func (c *request) createTheme() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	n := org.NewTheme{Name: c.form("name"), Creator: c.self(), Restricted: c.form("restricted") != ""}
	f := themeForm{room: r, Name: n.Name, Restricted: n.Restricted}
	offer := func() (err error) {
		f.Offered, err = c.membersPicker(r, c.r.Form["person"], nil)
		return err
	}
	if c.picks("person") {
		if !r.mayStart() {
			return fault.ErrRole
		}
		if err := offer(); err != nil {
			return err
		}
		return c.page(http.StatusOK, "newtheme", c.T("New theme"), f)
	}
	if n.Restricted {
		if n.People, err = c.addressesIn("person"); err != nil {
			return c.oops(r.Path+"/themes/new", err)
		}
	}
	t, err := c.s.Org.CreateTheme(c.r.Context(), c.Actor, c.host(), r.Group.ID, n)
	if err != nil {
		if !r.mayStart() {
			return c.oops(r.Path, err)
		}
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		if err := offer(); err != nil {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "newtheme", c.T("New theme"), f)
	}
	to := r.Path + "/t/" + t.Key
	if t.Restricted {
		return c.done(to, "The theme was created and is in the chosen people's apps")
	}
	return c.done(to, "The theme was created and is in everyone's apps")
}

// addressesIn reads the people that a form names.
func (c *request) addressesIn(field string) (js []jid.JID, err error) {
	for _, a := range c.r.Form[field] {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		if !strings.Contains(a, "@") {
			a += "@" + c.host()
		}
		j, err := jid.Parse(a)
		if err != nil || j.Local() == "" {
			return nil, fault.New(fault.Invalid, field, "{{.Address}} is not the address of a person", "Address", a)
		}
		js = append(js, j.Bare())
	}
	return js, nil
}

// theme returns the theme in the path to people who may change it.
func (c *request) theme() (room, error) {
	r, err := c.room()
	if err != nil {
		return r, err
	}
	return r, c.s.Org.MayManageTheme(c.r.Context(), c.host(), r.Theme.Key, c.self())
}

func (c *request) closeTheme() error {
	r, err := c.theme()
	if err != nil {
		return err
	}
	open, state := c.form("do") == "open", org.ThemeClosed
	if open {
		state = org.ThemeOpen
	}
	if err := c.s.Org.SetThemeState(c.r.Context(), c.Actor, c.host(), r.Theme.Key, state); err != nil {
		return c.oops(r.Path, err)
	}
	if open {
		return c.done(r.Path, "The theme is open again")
	}
	return c.undoable(r.Path, undo(r.Path+"/close", "do", "open"),
		"The theme is closed: people can read it but not write in it")
}

func (c *request) themeData(r room) (f themeForm, err error) {
	f = themeForm{
		room:       r,
		Name:       r.Theme.Name,
		Restricted: r.Theme.Restricted,
		State:      org.StateOf(*r.Theme),
		Guests:     r.Group.Guests,
	}
	ms, err := c.s.Org.ThemePeople(c.r.Context(), c.host(), r.Theme.Key)
	if err != nil {
		return f, err
	}
	if f.People, err = c.named(ms); err != nil {
		return f, err
	}
	if f.Restricted {
		f.Offered, err = c.membersPicker(r, c.r.Form["person"], addressSet(ms))
	}
	return f, err
}

func (c *request) themeSettings() error {
	r, err := c.theme()
	if err != nil {
		return err
	}
	f, err := c.themeData(r)
	if err != nil {
		return err
	}
	return c.show("theme", c.T("Settings of {{.Name}}", "Name", r.Theme.Name), f)
}

// saveTheme renames a theme, and opens, closes or archives it.
func (c *request) saveTheme() error {
	r, err := c.theme()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	var ch org.ThemeChange
	if err := c.readChange(&ch); err != nil {
		return c.oops(r.Path+"/settings", err)
	}
	if _, err := c.s.Org.ChangeTheme(c.r.Context(), c.Actor, c.host(), r.Theme.Key, ch); err != nil {
		f, derr := c.themeData(r)
		if derr != nil {
			return derr
		}
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		f.Name = c.form("name")
		return c.page(http.StatusUnprocessableEntity, "theme", r.Theme.Name, f)
	}
	return c.done(r.Path+"/settings", "Saved")
}

// saveThemePeople adds people to a restricted theme, adds guests, or removes them. Moderators decide, as with the
// command of its room.
func (c *request) saveThemePeople() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	page, role := r.Path+"/settings", c.form("role")
	if c.picks("person") {
		f, err := c.themeData(r)
		if err != nil {
			return err
		}
		return c.page(http.StatusOK, "theme", r.Theme.Name, f)
	}
	if role == "remove" {
		role = ""
	}
	js, err := c.addressesIn("person")
	if err == nil && len(js) == 0 {
		err = fault.New(fault.Invalid, "person", "Select some people first")
	}
	if err != nil {
		return c.oops(page, err)
	}
	var ms []store.Member
	for _, j := range js {
		ms = append(ms, store.Member{JID: j.String(), Role: role})
	}
	if err := c.s.Org.SetThemePeople(c.r.Context(), c.Actor, c.host(), r.Theme.Key, ms); err != nil {
		return c.oops(page, err)
	}
	if role == "" && len(js) <= 20 && r.Theme.Restricted {
		u := undo(r.Path+"/people", "role", store.RoleMember)
		for _, j := range js {
			u.Fields = append(u.Fields, [2]string{"person", j.String()})
		}
		return c.undoable(page, u, "Done for {{.Count}} people", "Count", len(js))
	}
	return c.done(page, "Done for {{.Count}} people", "Count", len(js))
}
