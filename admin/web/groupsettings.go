package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/admin"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

type settingsData struct {
	room
	Members      []memberRow
	Others       []store.Person
	Requests     []admin.Request
	Kind         string
	Kinds        []string
	Error, Field string
}

// managed is room for who manages it.
func (c *ctx) managed() (room, error) {
	r, err := c.room()
	if err == nil && !r.Manages() {
		err = forbidden
	}
	return r, err
}

func (c *ctx) settingsData(r room) (d settingsData, err error) {
	d = settingsData{room: r, Kind: org.RulesOf(r.Group).Kind, Kinds: org.Kinds}
	if d.Members, err = c.members(r.Group.ID); err != nil {
		return d, err
	}
	if d.Requests, err = c.s.Ops.Requests(c.r.Context(), c.host(), r.Group.Slug); err != nil {
		return d, err
	}
	ps, _, err := c.s.Store.People(c.r.Context(), c.host(), store.PeopleFilter{Limit: 1000})
	for _, p := range ps {
		in := slices.ContainsFunc(d.Members, func(m memberRow) bool { return m.Name == p.Name })
		if !in && !p.Disabled {
			d.Others = append(d.Others, p)
		}
	}
	return d, err
}

func (c *ctx) groupSettings() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	d, err := c.settingsData(r)
	if err != nil {
		return err
	}
	return c.show("groupsettings", r.Group.Name, d)
}

func (c *ctx) saveGroup() error {
	r, err := c.managed()
	if err == nil && r.Access.Affiliation != org.Owner { // as by the command of its rooms
		err = forbidden
	}
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ch := org.GroupChange{Name: c.given("name"), Description: c.given("description"), Kind: c.given("kind"), ThemesBy: c.given("themes_by"), MentionBy: c.given("mention_by"), Emoji: c.given("emoji")}
	g, err := c.s.Org.Update(c.r.Context(), c.host(), r.Group.ID, ch)
	if err != nil {
		d, derr := c.settingsData(r)
		if derr != nil {
			return derr
		}
		var ok bool
		if d.Error, d.Field, ok = c.explain(err); !ok {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "groupsettings", r.Group.Name, d)
	}
	detail := make(map[string]any)
	for _, f := range [][3]string{{"name", r.Group.Name, g.Name}, {"description", r.Group.Description, g.Description}, {"kind", org.RulesOf(r.Group).Kind, org.RulesOf(g).Kind}, {"themes_by", r.Group.ThemesBy, g.ThemesBy}} {
		if f[1] != f[2] {
			detail[f[0]] = []string{f[1], f[2]}
		}
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.change", g.Slug, detail)
	return c.done("/g/"+g.Slug+"/settings", "Saved")
}

// saveMembers adds those who were ticked, or changes one person's role.
func (c *ctx) saveMembers() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	page := "/g/" + r.Group.Slug + "/settings"
	role := c.form("role")
	if role == "remove" {
		role = ""
	}
	var ms []jid.JID
	var names []string
	for _, n := range c.r.Form["member"] {
		if !strings.Contains(n, "@") {
			n += "@" + c.host()
		}
		j, err := jid.Parse(n)
		if err != nil || j.Local() == "" {
			return badForm
		}
		ms, names = append(ms, j), append(names, j.Bare().String())
	}
	if len(ms) == 0 {
		c.say("error", c.T("Tick some people first"))
		return c.to(page)
	}
	if err := c.s.Org.SetMembersAs(c.r.Context(), c.host(), r.Group.ID, c.self(), ms, role); err != nil {
		return c.oops(page, err)
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.members", r.Group.Slug, map[string]any{"role": role, "members": names})
	return c.done(page, "Done for {{.Count}} people", "Count", len(ms))
}

func (c *ctx) deleteGroup() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	if r.Access.Affiliation != org.Owner {
		return forbidden
	}
	if c.form("confirm") != r.Group.Name {
		c.say("error", c.T("Type {{.Name}} to delete the group", "Name", r.Group.Name))
		return c.to("/g/" + r.Group.Slug + "/settings#danger")
	}
	if err := c.s.Org.DeleteGroup(c.r.Context(), c.host(), r.Group.ID); err != nil {
		return c.oops(r.Path, err)
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.delete", r.Group.Slug, map[string]any{"name": r.Group.Name})
	return c.done("/groups", "{{.Name}} is deleted; what was said is kept", "Name", r.Group.Name)
}

// answerRequest lets somebody into a group who has asked, or not.
func (c *ctx) answerRequest() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	page, who, yes := "/g/"+r.Group.Slug+"/settings", c.form("address"), c.form("do") == "yes"
	if err := c.s.Ops.AnswerRequest(c.r.Context(), c.host(), r.Group.Slug, who, yes); err != nil {
		return c.oops(page, err)
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.request", r.Group.Slug, map[string]any{"members": []string{who}, "open": yes})
	return c.done(page, "Saved")
}

// setMandatory makes a group everybody's, or not.
func (c *ctx) setMandatory() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	page, whom := "/g/"+r.Group.Slug+"/settings", ""
	if c.form("do") == "everyone" {
		whom = "everyone"
	}
	if err := c.s.Ops.SetMandatory(c.r.Context(), c.host(), r.Group.Slug, whom); err != nil {
		return c.oops(page, err)
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.mandatory", r.Group.Slug, map[string]any{"all": whom != ""})
	return c.done(page, "Saved")
}

func (c *ctx) restoreGroup() error {
	g, err := c.s.Ops.RestoreGroup(c.r.Context(), c.host(), c.form("slug"))
	if err != nil {
		return c.oops("/groups", err)
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.restore", g.Slug, nil)
	return c.done("/g/"+g.Slug, "The group {{.Name}} is there, and its members have it in their apps", "Name", g.Name)
}
