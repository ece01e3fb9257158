package web

import (
	"net/http"
	"strings"

	"parley/internal/fault"
	"parley/internal/shape"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

func (s *Server) teams() {
	s.handle("GET /admin/teams", console, (*request).teamList)
	s.handle("POST /admin/teams", runs, (*request).createTeam)
	s.handle("GET /admin/teams/{team}", console, (*request).teamPage)
	s.handle("POST /admin/teams/{team}", runs, (*request).saveTeam)
	s.handle("GET /admin/teams/{team}/people", console, (*request).teamPeople)
	s.handle("POST /admin/teams/{team}/people", console, (*request).setTeamPeople)
	s.handle("GET /admin/teams/{team}/shared", console, (*request).teamShared)
	s.handle("POST /admin/teams/{team}/shared", console, (*request).share)
	s.handle("POST /admin/teams/{team}/delete", runs, (*request).deleteTeam)
}

// teamForm is the data of a team's page with its form.
type teamForm struct {
	org.NewTeam
	Teams        []teamCard
	Pager        pager
	Q            string
	Error, Field string
}

// teamCard is a team in a list.
type teamCard struct {
	store.Team
	Size int
}

// teamList lists all teams; to a supervisor those of the supervisor's own.
func (c *request) teamList() error {
	f, err := c.teamForm()
	if err != nil {
		return err
	}
	return c.panel(http.StatusOK, "teams", "list", c.T("Teams"), f)
}

func (c *request) teamForm() (f teamForm, err error) {
	mine, err := c.P.TeamsOf(c.r.Context(), c.Actor)
	if err != nil {
		return f, err
	}
	f.Q = c.form("q")
	for _, t := range mine {
		text := strings.ToLower(t.Name + " " + t.Slug + " " + t.Description)
		if !strings.Contains(text, strings.ToLower(f.Q)) {
			continue
		}
		ps, err := c.s.Org.TeamPeople(c.r.Context(), c.host(), t.ID)
		if err != nil {
			return f, err
		}
		f.Teams = append(f.Teams, teamCard{t, len(ps)})
	}
	page, total := c.pageNumber(), len(f.Teams)
	f.Pager = c.pager(page, total)
	f.Teams = f.Teams[min(total, (page-1)*perPage):min(total, page*perPage)]
	return f, nil
}

func (c *request) createTeam() error {
	n := org.NewTeam{
		Slug:        org.Slug(c.form("name")),
		Name:        c.form("name"),
		Emoji:       c.form("emoji"),
		Description: c.form("description"),
	}
	t, err := c.s.Org.CreateTeam(c.r.Context(), c.Actor, c.host(), n)
	if err != nil {
		f, ferr := c.teamForm()
		if ferr != nil {
			return ferr
		}
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		f.NewTeam = n
		return c.page(http.StatusUnprocessableEntity, "teams", c.T("Teams"), f)
	}
	return c.done("/admin/teams/"+t.Slug+"/people?as=outside", "The team {{.Name}} was created", "Name", t.Name)
}

// oneTeam is what the pages of a team have in common.
type oneTeam struct {
	Team         store.Team
	Size         int
	Label        string // the label in rooms and contact lists
	Error, Field string
}

// team gives the team of the path, if who asks has to do with it.
func (c *request) team() (d oneTeam, err error) {
	if d.Team, err = c.P.Team(c.r.Context(), c.Actor, c.r.PathValue("team")); err != nil {
		return d, err
	}
	ps, err := c.s.Org.TeamPeople(c.r.Context(), c.host(), d.Team.ID)
	d.Size, d.Label = len(ps), org.TeamLabel(d.Team)
	return d, err
}

// teamData is the first page of a team: its name, emoji and description.
type teamData struct {
	oneTeam
	Groups   []string // groups that have the whole team
	Defaults []string // groups that new people of the team join
	All      int      // all groups that can be chosen
	Picker   picker   // of the defaults
	Confirm  string
}

func (c *request) teamData() (d teamData, err error) {
	if d.oneTeam, err = c.team(); err != nil {
		return d, err
	}
	gs, err := c.s.Org.TeamGroups(c.r.Context(), c.host(), d.Team.ID)
	if err != nil {
		return d, err
	}
	ds, err := c.s.Org.TeamDefaults(c.r.Context(), c.host(), d.Team.ID)
	if err != nil {
		return d, err
	}
	d.Groups, d.Defaults = org.Slugs(gs), org.Slugs(ds)
	if d.All, err = c.s.Org.CountGroups(c.r.Context(), c.host()); err != nil || !c.Actor.Runs() {
		return d, err
	}
	chosen := d.Defaults
	if c.picks("defaults") {
		chosen = c.r.Form["defaults"]
	}
	d.Picker, err = c.allGroupsPicker("defaults", chosen)
	return d, err
}

func (c *request) teamPage() error {
	d, err := c.teamData()
	if err != nil {
		return err
	}
	return c.show("team", d.Team.Name, d)
}

// refuseTeam shows the page of a team again with an error.
func (c *request) refuseTeam(err error, change func(d *teamData)) error {
	d, derr := c.teamData()
	if derr != nil {
		return derr
	}
	var ok bool
	if d.Error, d.Field, ok = c.explain(err); !ok {
		return err
	}
	change(&d)
	return c.page(http.StatusUnprocessableEntity, "team", d.Team.Name, d)
}

func (c *request) saveTeam() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	if c.picks("defaults") {
		return c.teamPage()
	}
	slug := c.r.PathValue("team")
	var ch org.TeamChange
	if err := c.readChange(&ch); err != nil {
		return c.oops("/admin/teams/"+slug, err)
	}
	if c.r.Form.Has("with_defaults") { // a form without ticked boxes sends no value
		groups := append([]string{}, c.r.Form["defaults"]...)
		ch.Defaults = &groups
	}
	t, err := c.s.Org.Team(c.r.Context(), c.host(), slug)
	if err == nil {
		_, err = c.s.Org.UpdateTeam(c.r.Context(), c.Actor, t.Host, t.ID, ch)
	}
	if err != nil {
		return c.refuseTeam(err, func(d *teamData) { shape.Apply(org.TeamSettings(&d.Team), ch.TeamFields) })
	}
	return c.done("/admin/teams/"+slug, "Saved")
}

func (c *request) deleteTeam() error {
	d, err := c.team()
	if err != nil {
		return err
	}
	if c.form("confirm") != d.Team.Name {
		return c.refuseTeam(fault.New(fault.Invalid, "confirm", "Type {{.Name}} to delete the team",
			"Name", d.Team.Name), func(t *teamData) { t.Confirm = c.form("confirm") })
	}
	if err := c.s.Org.DeleteTeam(c.r.Context(), c.Actor, c.host(), d.Team.ID); err != nil {
		return c.oops("/admin/teams/"+d.Team.Slug, err)
	}
	return c.done("/admin/teams", "{{.Name}} is deleted; its messages are kept", "Name", d.Team.Name)
}

// teamPeopleData is a page of the members of a team, or of the people outside it.
type teamPeopleData struct {
	oneTeam
	Outside     bool
	Q           string
	Department  string
	Departments []string
	People      []store.Person
	Online      map[string]int
	Pager       pager
}

func (c *request) teamFilter(t store.Team, outside bool) store.PeopleFilter {
	f := c.peopleFilter()
	f.Team, f.OutsideTeam, f.Here, f.State, f.Role = t.ID, outside, outside, "", ""
	if !outside {
		f.Department = c.form("department") // a supervisor sees all of the team, and may take out some
	}
	return f
}

func (c *request) teamPeople() error {
	t, err := c.team()
	if err != nil {
		return err
	}
	d := teamPeopleData{
		oneTeam:    t,
		Outside:    c.form("as") == "outside",
		Q:          c.form("q"),
		Department: c.form("department"),
	}
	page := c.pageNumber()
	f := c.teamFilter(t.Team, d.Outside)
	f.Offset = (page - 1) * perPage
	ps, total, err := c.colleagues(f)
	if err != nil {
		return err
	}
	if d.Departments, err = c.s.Store.Departments(c.r.Context(), c.host()); err != nil {
		return err
	}
	d.People, d.Pager, d.Online = ps, c.pager(page, total), c.online(ps)
	return c.panel(http.StatusOK, "teampeople", "list", c.T("People in {{.Name}}", "Name", t.Team.Name), d)
}

// setTeamPeople takes those who were ticked, or all that the form's filter chooses, into the team or out of it.
func (c *request) setTeamPeople() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	t, err := c.team()
	if err != nil {
		return err
	}
	out := c.form("do") == "out"
	names := c.r.Form["member"]
	if c.form("all") != "" {
		f := c.teamFilter(t.Team, !out)
		f.Limit = maxChosen
		ps, total, err := c.colleagues(f)
		if err != nil {
			return err
		}
		if total > maxChosen {
			return c.oops("/admin/teams/"+t.Team.Slug+"/people",
				fault.New(fault.Invalid, "", "Too many people at once: narrow the list"))
		}
		names = nil
		for _, p := range ps {
			names = append(names, p.Name)
		}
	}
	page := c.back("/admin/teams/" + t.Team.Slug + "/people")
	if len(names) == 0 {
		return c.oops(page, fault.New(fault.Invalid, "", "Select some people first"))
	}
	if err := c.P.SetTeamPeople(c.r.Context(), c.Actor, t.Team, names, out); err != nil {
		return c.oops(page, err)
	}
	back := undo("/admin/teams/"+t.Team.Slug+"/people", "do", map[bool]string{true: "in", false: "out"}[out])
	for _, n := range names {
		back.Fields = append(back.Fields, [2]string{"member", n})
	}
	text := "{{.Count}} people joined the team"
	if out {
		text = "{{.Count}} people left the team"
	}
	if len(names) > maxUndo {
		return c.done(page, text, "Count", len(names))
	}
	return c.undoable(page, back, text, "Count", len(names))
}

// sharedData holds the things that a team shares.
type sharedData struct {
	oneTeam
	Snippets, Contacts []store.Shared
	Name, Text         string // as they were filled in
	Kind               string
}

func (c *request) sharedData() (d sharedData, err error) {
	if d.oneTeam, err = c.team(); err != nil {
		return d, err
	}
	if d.Snippets, err = c.s.Org.TeamShares(c.r.Context(), c.host(), d.Team.ID, store.SharedSnippet); err != nil {
		return d, err
	}
	d.Contacts, err = c.s.Org.TeamShares(c.r.Context(), c.host(), d.Team.ID, store.SharedContact)
	return d, err
}

func (c *request) teamShared() error {
	d, err := c.sharedData()
	if err != nil {
		return err
	}
	return c.show("teamshared", c.T("What {{.Name}} shares", "Name", d.Team.Name), d)
}

// shareWith keeps the saved reply or contact of the form for a team.
func (c *request) shareWith(team string) error {
	ctx := c.r.Context()
	switch c.form("kind") {
	case store.SharedSnippet:
		return c.s.Org.PutSnippet(ctx, c.Actor, c.host(), team, c.form("name"),
			strings.ReplaceAll(c.r.FormValue("text"), "\x00", ""))
	case store.SharedContact:
		address, err := jid.Parse(c.form("name"))
		if err != nil {
			return fault.New(fault.Invalid, "contact", "This is not an address: write it like alice@example.org")
		}
		return c.s.Org.PutContact(ctx, c.Actor, c.host(), team, address, c.form("text"))
	}
	return badForm
}

// unshare takes what the form names back from a team, and offers to undo that on the page.
func (c *request) unshare(page, team string) error {
	kind, name := c.form("kind"), c.form("name")
	if kind != store.SharedSnippet && kind != store.SharedContact {
		return badForm
	}
	if err := c.s.Org.Unshare(c.r.Context(), c.Actor, c.host(), team, kind, name); err != nil {
		return c.oops(page, err)
	}
	return c.undoable(page, undo(page, "team", team, "kind", kind, "name", name, "text", c.form("text")),
		"{{.Name}} is no longer shared", "Name", name)
}

// share keeps a saved reply or a contact for a team, or takes one back.
func (c *request) share() error {
	d, err := c.sharedData()
	if err != nil {
		return err
	}
	page := "/admin/teams/" + d.Team.Slug + "/shared"
	d.Kind, d.Name, d.Text = c.form("kind"), c.form("name"), c.form("text")
	if c.form("do") == "remove" {
		return c.unshare(page, d.Team.Slug)
	}
	if err = c.shareWith(d.Team.Slug); err != nil {
		var ok bool
		if d.Error, d.Field, ok = c.explain(err); !ok {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "teamshared",
			c.T("What {{.Name}} shares", "Name", d.Team.Name), d)
	}
	return c.done(page, "{{.Name}} is shared with the team", "Name", d.Name)
}
