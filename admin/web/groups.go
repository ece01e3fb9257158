package web

import (
	"net/http"
	"slices"
	"strings"

	"parley/admin"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

var goodbye = &wire.StreamError{Condition: "policy-violation", Text: "this session was closed from the web"}

func (s *Server) groups() {
	s.handle("GET /groups", member, (*ctx).groupList)
	s.handle("GET /groups/new", runs, (*ctx).newGroupPage)
	s.handle("POST /groups/new", runs, (*ctx).createGroup)
	s.handle("GET /g/{slug}", member, (*ctx).roomPage)
	s.handle("POST /g/{slug}", member, (*ctx).sayInRoom)
	s.handle("GET /g/{slug}/t/{key}", member, (*ctx).roomPage)
	s.handle("POST /g/{slug}/t/{key}", member, (*ctx).sayInRoom)
	s.handle("GET /g/{slug}/m/{id}", member, (*ctx).roomPage)
	s.handle("GET /g/{slug}/t/{key}/m/{id}", member, (*ctx).roomPage)
	s.handle("POST /g/{slug}/join", member, (*ctx).joinGroup)
	s.handle("POST /g/{slug}/leave", member, (*ctx).leaveGroup)
	s.themes()
	s.moderation()
	s.groupMembers()
	s.groupSettings()
	s.groupPhoto()
	s.teams()
}

// groupRow is a group in a list.
type groupRow struct {
	store.Group
	Mine    bool
	Kind    string
	Members int
	Themes  int
}

// deletedGroup is one that can be restored, for some more days.
type deletedGroup struct {
	admin.Group
	Left int
}

func (c *ctx) groupList() error {
	ctx := c.r.Context()
	gs, err := c.s.Org.VisibleGroups(ctx, c.host(), c.self(), 500)
	if err != nil {
		return err
	}
	q := strings.ToLower(c.form("q"))
	var mine, others []groupRow
	for _, g := range gs {
		if q != "" && !strings.Contains(strings.ToLower(g.Name+" "+g.Description), q) {
			continue
		}
		role, err := c.s.Org.RoleOf(ctx, c.host(), g.ID, c.self())
		if err != nil {
			return err
		}
		ms, err := c.s.Org.Members(ctx, c.host(), g.ID)
		if err != nil {
			return err
		}
		ts, err := c.s.Org.Themes(ctx, c.host(), g.ID, c.self())
		if err != nil {
			return err
		}
		r := groupRow{Group: g, Kind: org.RulesOf(g).Kind, Members: len(ms), Mine: role != "" && role != store.RoleBanned}
		for _, t := range ts {
			if t.Closed.IsZero() {
				r.Themes++
			}
		}
		if r.Mine {
			mine = append(mine, r)
		} else {
			others = append(others, r)
		}
	}
	d := map[string]any{"Mine": mine, "Others": others, "Q": c.form("q"), "May": c.Actor.Runs()}
	if c.Actor.Runs() {
		gs, err := c.s.Ops.DeletedGroups(ctx, c.host())
		if err != nil {
			return err
		}
		deleted := make([]deletedGroup, len(gs))
		for i, g := range gs {
			deleted[i] = deletedGroup{g, c.daysLeft(g)}
		}
		d["Deleted"] = deleted
	}
	return c.panel(http.StatusOK, "groups", "list", c.T("Groups"), d)
}

type groupForm struct {
	org.NewGroup
	People       []store.Person
	Chosen       []string
	Kinds        []kindFacts
	Error, Field string
}

func (c *ctx) groupForm() (f groupForm, err error) {
	f = groupForm{Kinds: kindsOffered()}
	f.Kind, f.ThemesBy = org.Private, "members"
	f.People, _, err = c.colleagues(store.PeopleFilter{Limit: 500})
	f.People = slices.DeleteFunc(f.People, func(p store.Person) bool { return p.Disabled })
	return f, err
}

func (c *ctx) newGroupPage() error {
	f, err := c.groupForm()
	if err != nil {
		return err
	}
	return c.show("newgroup", c.T("New group"), f)
}

func (c *ctx) createGroup() error {
	f, err := c.groupForm()
	if err != nil {
		return err
	}
	f.NewGroup = org.NewGroup{Name: c.form("name"), Description: c.form("description"), Kind: c.form("kind"), ThemesBy: c.form("themes_by"), Emoji: c.form("emoji"), Owner: c.self()}
	f.Chosen = c.r.Form["member"]
	for _, n := range f.Chosen {
		if j, err := jid.New(n, c.host(), ""); err == nil {
			f.Members = append(f.Members, j)
		}
	}
	g, err := c.s.Org.CreateGroup(c.r.Context(), c.host(), f.NewGroup)
	if err != nil {
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "newgroup", c.T("New group"), f)
	}
	c.P.Audit(c.r.Context(), c.Actor, "group.create", g.Slug, map[string]any{"kind": f.Kind, "members": len(f.Members) + 1})
	return c.done("/g/"+g.Slug, "The group {{.Name}} is there, and its members have it in their apps", "Name", g.Name)
}
