package web

import (
	"net/http"

	"parley/admin"
	"parley/org"
)

func (s *Server) teams() {
	s.handle("GET /admin/teams", runs, (*ctx).teamList)
	s.handle("POST /admin/teams", runs, (*ctx).createTeam)
	s.handle("GET /admin/teams/{team}", runs, (*ctx).teamPage)
	s.handle("POST /admin/teams/{team}", runs, (*ctx).saveTeam)
	s.handle("POST /admin/teams/{team}/{act}", runs, (*ctx).teamAct)
}

func (c *ctx) teamData() (map[string]any, error) {
	ts, err := c.s.Ops.Teams(c.r.Context(), c.host())
	return map[string]any{"Teams": ts}, err
}

func (c *ctx) teamList() error {
	d, err := c.teamData()
	if err != nil {
		return err
	}
	return c.show("teams", c.T("Teams"), d)
}

func (c *ctx) createTeam() error {
	n := admin.NewTeam{Host: c.host(), Slug: org.Slug(c.form("name")), Name: c.form("name"), Emoji: c.form("emoji"), Description: c.form("description")}
	t, err := c.s.Ops.CreateTeam(c.r.Context(), n)
	if err != nil {
		d, derr := c.teamData()
		if derr != nil {
			return derr
		}
		text, field, ok := c.explain(err)
		if !ok {
			return err
		}
		d["Error"], d["Field"], d["Name"] = text, field, n.Name
		return c.page(http.StatusUnprocessableEntity, "teams", c.T("Teams"), d)
	}
	c.P.Audit(c.r.Context(), c.Actor, "team.create", t.Slug, map[string]any{"name": t.Name})
	return c.done("/admin/teams/"+t.Slug, "The team {{.Name}} is there", "Name", t.Name)
}

func (c *ctx) teamPage() error {
	t, err := c.s.Ops.Team(c.r.Context(), c.host(), c.r.PathValue("team"))
	if err != nil {
		return err
	}
	f, err := c.groupForm() // for the people
	if err != nil {
		return err
	}
	in := make(map[string]bool)
	for _, p := range t.People {
		in[p.Address] = true
	}
	return c.show("team", t.Name, map[string]any{"Team": t, "People": f.People, "In": in})
}

func (c *ctx) saveTeam() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	slug := c.r.PathValue("team")
	ch := admin.TeamChange{Name: c.given("name"), Emoji: c.given("emoji"), Description: c.given("description"), MentionBy: c.given("mention_by")}
	if _, err := c.s.Ops.ChangeTeam(c.r.Context(), c.host(), slug, ch); err != nil {
		return c.oops("/admin/teams/"+slug, err)
	}
	c.P.Audit(c.r.Context(), c.Actor, "team.change", slug, nil)
	return c.done("/admin/teams/"+slug, "Saved")
}

func (c *ctx) teamAct() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ctx, slug := c.r.Context(), c.r.PathValue("team")
	page := "/admin/teams/" + slug
	switch c.r.PathValue("act") {
	case "people":
		t, err := c.s.Ops.Team(ctx, c.host(), slug)
		if err != nil {
			return err
		}
		want := make(map[string]bool)
		for _, n := range c.r.Form["member"] {
			want[n+"@"+c.host()] = true
		}
		var in, out []string
		for _, p := range t.People {
			if !want[p.Address] {
				out = append(out, p.Address)
			}
			delete(want, p.Address)
		}
		for a := range want {
			in = append(in, a)
		}
		if err := c.s.Ops.SetTeamPeople(ctx, c.host(), slug, in, out); err != nil {
			return c.oops(page, err)
		}
		c.P.Audit(ctx, c.Actor, "team.people", slug, map[string]any{"members": in, "removed": out})
		return c.done(page, "{{.In}} were added, {{.Out}} were taken out", "In", len(in), "Out", len(out))
	case "delete":
		if err := c.s.Ops.DeleteTeam(ctx, c.host(), slug); err != nil {
			return c.oops(page, err)
		}
		c.P.Audit(ctx, c.Actor, "team.delete", slug, nil)
		return c.done("/admin/teams", "{{.Name}} is deleted; what was said is kept", "Name", slug)
	}
	return notFound
}
