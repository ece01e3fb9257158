package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"parley/acts"
	"parley/internal/fault"
	"parley/org"
	"parley/store"
)

func (s *Server) groupSettings() {
	s.handle("GET /g/{slug}/settings", member, (*request).groupSettingsPage)
	s.handle("POST /g/{slug}/settings", member, (*request).saveGroup)
	s.handle("POST /g/{slug}/delete", member, (*request).deleteGroup)
	s.handle("POST /groups/restore", runs, (*request).restoreGroup)
	s.handle("GET /g/{slug}/progress", member, (*request).mandatoryProgress)
	s.handle("POST /g/{slug}/mandatory", member, (*request).setMandatory)
	s.handle("POST /g/{slug}/teams", member, (*request).setGroupTeam)
}

type settingsData struct {
	room
	settingsForm
	Mandatory    string // "", "everyone" or a team's slug
	MandatoryIs  string // the team's name
	Teams        []groupTeam
	AllTeams     []store.Team
	Adding       progress
	AddingNow    bool
	Error, Field string
}

// kindFacts are the effects of a kind of group on people.
type kindFacts struct {
	Kind string
	org.Rules
}

func kindsOffered() (out []kindFacts) {
	for _, k := range org.Kinds {
		out = append(out, kindFacts{k, org.RulesOf(store.Group{GroupSettings: store.GroupSettings{Kind: k}})})
	}
	return out
}

// groupTeam is a team in a group.
type groupTeam struct {
	store.Team
	Role string
	Size int
}

// managed is room for people who manage the group.
func (c *request) managed() (room, error) {
	r, err := c.room()
	if err == nil && !r.Manages() {
		err = fault.ErrRole
	}
	return r, err
}

// owned returns the room to the owners of the group: only they change its settings, as with the commands of its rooms.
func (c *request) owned() (room, error) {
	r, err := c.managed()
	if err == nil && !r.Owns() {
		err = fault.ErrRole
	}
	return r, err
}

func (c *request) settingsData(r room) (d settingsData, err error) {
	d = settingsData{room: r, settingsForm: c.settingsForm(r, org.GroupChange{}), Mandatory: r.Group.Mandatory}
	ctx := c.r.Context()
	if d.AllTeams, err = c.s.Org.Teams(ctx, c.host()); err != nil {
		return d, err
	}
	gts, err := c.s.Org.GroupTeams(ctx, c.host(), r.Group.ID)
	if err != nil {
		return d, err
	}
	for _, t := range d.AllTeams {
		if t.ID == r.Group.Mandatory {
			d.Mandatory, d.MandatoryIs = t.Slug, org.TeamLabel(t)
		}
		i := slices.IndexFunc(gts, func(gt store.GroupTeam) bool { return gt.Team == t.ID })
		if i < 0 {
			continue
		}
		ps, err := c.s.Org.TeamPeople(ctx, c.host(), t.ID)
		if err != nil {
			return d, err
		}
		d.Teams = append(d.Teams, groupTeam{t, gts[i].Role, len(ps)})
	}
	d.Adding, d.AddingNow = c.adding(r.Group)
	return d, nil
}

// progress is how far a task in the background has come.
type progress struct{ Done, Total int }

// adding returns how many people of a mandatory group have been added.
func (c *request) adding(g store.Group) (p progress, now bool) {
	p.Done, p.Total, now = c.s.Org.Filling(g.Host, g.ID)
	return p, now
}

func (c *request) groupSettingsPage() error {
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

// saveGroup changes a group's settings. With "look" it first shows the effects, if the change has any for people.
func (c *request) saveGroup() error {
	r, err := c.owned()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	page := "/g/" + r.Group.Slug + "/settings"
	ch, err := c.groupChange()
	if err != nil {
		return c.oops(page, err)
	}
	was, is, err := c.s.Org.PlanUpdate(c.r.Context(), c.host(), r.Group.ID, ch)
	if err == nil && c.looks() {
		effects, err := c.effects(was, is)
		if err != nil {
			return err
		}
		if len(effects) > 0 {
			return c.confirm(r, confirmation{
				Action:   page,
				Back:     page,
				Question: c.T("Change {{.Name}}?", "Name", was.Name),
				Effects:  append(effects, c.T("Nobody is added or removed.")),
				Verb:     c.T("Save"),
			})
		}
	}
	if err == nil {
		_, err = c.s.Org.Update(c.r.Context(), c.Actor, c.host(), r.Group.ID, ch)
	}
	if err != nil {
		d, derr := c.settingsData(r)
		if derr != nil {
			return derr
		}
		var ok bool
		if d.Error, d.Field, ok = c.explain(err); !ok {
			return err
		}
		d.settingsForm = c.settingsForm(r, ch) // the typed values stay
		return c.page(http.StatusUnprocessableEntity, "groupsettings", r.Group.Name, d)
	}
	return c.done(page, "Saved")
}

// effects says what a change of a group means for people. Changes of words and looks alone mean nothing.
func (c *request) effects(was, is store.Group) (out []string, err error) {
	ms, err := c.s.Org.Members(c.r.Context(), c.host(), was.ID)
	if err != nil {
		return nil, err
	}
	members, moderators := 0, 0
	for _, m := range ms {
		if m.Role != store.RoleBanned {
			members++
		}
		if m.Role == store.RoleOwner || m.Role == store.RoleModerator {
			moderators++
		}
	}
	out = append(c.nameEffects(was, is), c.accessEffects(org.RulesOf(was), org.RulesOf(is), members, moderators)...)
	out = append(out, c.featureEffects(was, is)...)
	return append(out, c.otherEffects(was, is)...), nil
}

// sayer adds a text to a list if something has changed.
type sayer func(changed bool, id string, args ...any)

func (c *request) sayTo(out *[]string) sayer {
	return func(changed bool, id string, args ...any) {
		if changed {
			*out = append(*out, c.T(id, args...))
		}
	}
}

func (c *request) nameEffects(was, is store.Group) (out []string) {
	say := c.sayTo(&out)
	say(was.Name != is.Name, "Its new name is {{.Name}}, in everyone's apps too.", "Name", is.Name)
	return out
}

// accessEffects says who finds a group, gets into it and writes in it after its rules have changed from a to b.
func (c *request) accessEffects(a, b org.Rules, members, moderators int) (out []string) {
	say := c.sayTo(&out)
	say(b.Listed && !a.Listed, "Everyone in the organization can find it.")
	say(a.Listed && !b.Listed, "Only its {{.Count}} members see it.", "Count", members)
	say(b.Joins && !a.Joins, "People who join become members.")
	say(b.Asks && !a.Asks, "People ask its owners and moderators to join.")
	say(!b.Joins && !b.Asks && b.MembersOnly && (a.Joins || a.Asks || !a.MembersOnly),
		"Its owners and moderators add new people.")
	say(a.MembersOnly && !b.MembersOnly, "Everyone in the organization can read and write in it, members or not.")
	say(!a.MembersOnly && b.MembersOnly,
		"Only its {{.Count}} members can read and write in it. Everyone else leaves its rooms now.", "Count", members)
	say(b.Moderated && !a.Moderated, "Only its {{.Count}} owners and moderators can write.", "Count", moderators)
	say(a.Moderated && !b.Moderated, "All its {{.Count}} members can write.", "Count", members)
	say(a.ShowAddresses && !b.ShowAddresses, "Only owners and moderators see addresses. Everyone else sees nicknames.")
	say(b.ShowAddresses && !a.ShowAddresses, "Everyone in the group sees each other's addresses.")
	say(b.Remote && !a.Remote, "People from other servers can become members.")
	return out
}

// featureEffects says what changes for themes, mentions, guests and earlier messages.
func (c *request) featureEffects(was, is store.Group) (out []string) {
	say := c.sayTo(&out)
	say(was.ThemesBy != is.ThemesBy && is.ThemesBy == "moderators", "Only owners and moderators can start themes.")
	say(was.ThemesBy != is.ThemesBy && is.ThemesBy == "members", "Every member can start themes.")
	say(was.MentionBy != is.MentionBy && is.MentionBy == "members", "Every member can notify everyone with @all.")
	say(was.MentionBy != is.MentionBy && is.MentionBy == "moderators",
		"Only owners and moderators can notify everyone with @all.")
	say(was.MentionBy != is.MentionBy && is.MentionBy == "nobody", "Nobody can notify everyone with @all.")
	say(is.Guests && !was.Guests, "Themes can have guests who are not in the group.")
	say(was.Guests && !is.Guests, "Themes get no new guests. Current guests stay until somebody removes them.")
	say(is.SinceJoin && !was.SinceJoin, "Members can read only messages sent after they joined.")
	say(was.SinceJoin && !is.SinceJoin, "Members can read all earlier messages.")
	return out
}

// confirmation shows the effects of an act and asks for a confirmation.
type confirmation struct {
	Group    store.Group
	Action   string // where the form goes again, without the look
	Back     string
	Question string
	Effects  []string
	People   []string // the first people affected
	More     int      // the number of other people
	Verb     string
	Danger   bool
	Fields   [][2]string
}

// looks says whether a form asks for its effects only.
func (c *request) looks() bool { return c.r.FormValue("step") == "look" }

// confirm shows the effects of a form, with all its values to send again.
func (c *request) confirm(r room, q confirmation) error {
	q.Group = r.Group
	for _, name := range slices.Sorted(maps.Keys(c.r.PostForm)) {
		if name == "step" {
			continue
		}
		for _, v := range c.r.PostForm[name] {
			q.Fields = append(q.Fields, [2]string{name, v})
		}
	}
	return c.show("confirm", q.Question, q)
}

func (c *request) deleteGroup() error {
	r, err := c.owned()
	if err != nil {
		return err
	}
	if c.form("confirm") != r.Group.Name {
		c.say("error", c.T("Type {{.Name}} to delete the group", "Name", r.Group.Name))
		return c.to("/g/" + r.Group.Slug + "/settings#danger")
	}
	if err := c.s.Org.DeleteGroup(c.r.Context(), c.Actor, c.host(), r.Group.ID); err != nil {
		return c.oops(r.Path, err)
	}
	if c.Actor.Runs() {
		return c.undoable("/groups", undo("/groups/restore", "slug", r.Group.Slug),
			"{{.Name}} is deleted; its messages are kept", "Name", r.Group.Name)
	}
	return c.done("/groups", "{{.Name}} is deleted; its messages are kept", "Name", r.Group.Name)
}

func (c *request) restoreGroup() error {
	g, err := c.s.Org.RestoreGroup(c.r.Context(), c.Actor, c.host(), c.form("slug"))
	if err != nil {
		return c.oops("/groups", err)
	}
	return c.done("/g/"+g.Slug, "The group {{.Name}} was created and is in its members' apps", "Name", g.Name)
}

// setMandatory makes a group mandatory for everyone, for a team, or for nobody.
func (c *request) setMandatory() error {
	r, err := c.room()
	if err == nil && !c.Actor.Runs() {
		err = fault.ErrRole
	}
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ctx, page, whom := c.r.Context(), "/g/"+r.Group.Slug+"/settings", c.form("whom")
	if c.looks() {
		effects, err := c.mandatoryEffects(r.Group, whom)
		if err != nil {
			return c.oops(page, err)
		}
		return c.confirm(r, confirmation{
			Action:   "/g/" + r.Group.Slug + "/mandatory",
			Back:     page,
			Question: c.T("Change who must be in {{.Name}}?", "Name", r.Group.Name),
			Effects:  effects,
			Verb:     c.T("Save"),
		})
	}
	if err := c.s.setMandatory(ctx, c.Actor, r.Group, whom); err != nil {
		return c.oops(page, err)
	}
	return c.done(page+"#everybody", "Saved")
}

// setMandatory makes a group mandatory for everyone, for the team with a slug, or for nobody.
func (s *Server) setMandatory(ctx context.Context, by acts.Actor, g store.Group, whom string) error {
	if whom != "" && whom != org.Everyone {
		t, err := s.Org.Team(ctx, g.Host, whom)
		if err != nil {
			return err
		}
		whom = t.ID
	}
	return s.Org.SetMandatory(ctx, by, g.Host, g.ID, whom)
}

func (c *request) mandatoryEffects(g store.Group, whom string) ([]string, error) {
	ctx := c.r.Context()
	nobody := c.T("Nobody is removed.")
	switch whom {
	case "":
		return []string{c.T("Members stay, and can leave."), c.T("New accounts no longer join automatically."), nobody},
			nil
	case org.Everyone:
		n, err := c.s.Org.PlanMandatory(ctx, c.host(), g.ID)
		return []string{c.T("{{.Count}} people will be added.",
			"Count", n), c.T("New accounts join automatically, and nobody can leave."), nobody}, err
	}
	t, err := c.s.Org.Team(ctx, c.host(), whom)
	if err != nil {
		return nil, err
	}
	n, err := c.teamOutside(g, t)
	return []string{
		c.T("{{.Count}} people will be added.", "Count", n),
		c.T("People who join the team {{.Team}} join the group, and cannot leave it while they are in the team.",
			"Team", org.TeamLabel(t)), nobody,
	}, err
}

// teamOutside counts the members of a team who are not in a group.
func (c *request) teamOutside(g store.Group, t store.Team) (n int, err error) {
	ps, err := c.s.Org.TeamPeople(c.r.Context(), c.host(), t.ID)
	if err != nil {
		return 0, err
	}
	ms, err := c.s.Org.Members(c.r.Context(), c.host(), g.ID)
	if err != nil {
		return 0, err
	}
	in := make(map[string]bool, len(ms))
	for _, m := range ms {
		in[m.JID] = true
	}
	for _, p := range ps {
		if !in[p.Name+"@"+c.host()] {
			n++
		}
	}
	return n, nil
}

// mandatoryProgress is the part of the settings that browsers ask for again while people are being added.
func (c *request) mandatoryProgress() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	if c.r.Header.Get("HX-Request") == "" {
		return c.to("/g/" + r.Group.Slug + "/settings#everybody")
	}
	d := settingsData{room: r}
	d.Adding, d.AddingNow = c.adding(r.Group)
	return c.panel(http.StatusOK, "groupsettings", "progress", "", d)
}

// setGroupTeam adds a team to a group or removes it.
func (c *request) setGroupTeam() error {
	r, err := c.owned()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ctx, page, slug, role := c.r.Context(), "/g/"+r.Group.Slug+"/settings", c.form("team"), c.form("role")
	if role == "remove" {
		role = ""
	}
	t, err := c.s.Org.Team(ctx, c.host(), slug)
	if err != nil {
		return c.oops(page, err)
	}
	if c.looks() {
		n, err := c.teamOutside(r.Group, t)
		if err != nil {
			return err
		}
		effects := []string{
			c.T("{{.Count}} people will be added.", "Count", n),
			c.T("People who join the team join the group, and people who leave the team leave the group."),
			c.T("Nobody is removed."),
		}
		if role == "" {
			effects = []string{c.T("People who are in the group only through this team leave it.")}
		}
		return c.confirm(r, confirmation{
			Action:   "/g/" + r.Group.Slug + "/teams",
			Back:     page,
			Question: c.T("Change the teams in {{.Name}}?", "Name", r.Group.Name),
			Effects:  effects,
			Verb:     c.T("Save"),
			Danger:   role == "",
		})
	}
	if err := c.s.Org.SetGroupTeam(ctx, c.Actor, c.host(), r.Group.ID, t.ID, role); err != nil {
		return c.oops(page, err)
	}
	return c.done(page+"#teams", "Saved")
}

// daysLeft returns for how many more days a deleted group can be restored.
func (c *request) daysLeft(g store.Group) int {
	return max(0, int(org.Restorable.Hours()/24)-int(c.now.Sub(g.Deleted).Hours()/24))
}

// shortList returns the first of some addresses, and the number of the others.
func shortList(addresses []string, host string) (names []string, more int) {
	for _, a := range addresses[:min(len(addresses), 12)] {
		names = append(names, strings.TrimSuffix(a, "@"+host))
	}
	return names, len(addresses) - len(names)
}
