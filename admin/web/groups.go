package web

import (
	"net/http"

	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

var goodbye = &wire.StreamError{Condition: "policy-violation", Text: "this session was closed from the web"}

func (s *Server) groups() {
	s.handle("GET /groups", member, (*request).groupList)
	s.handle("GET /groups/new", member, (*request).newGroupPage)
	s.handle("POST /groups/new", member, (*request).createGroup)
	s.handle("POST /groups/first", member, (*request).createFirstGroup)
	s.handle("GET /g/{slug}", member, (*request).roomPage)
	s.handle("POST /g/{slug}", member, (*request).sayInRoom)
	s.handle("GET /g/{slug}/t/{key}", member, (*request).roomPage)
	s.handle("POST /g/{slug}/t/{key}", member, (*request).sayInRoom)
	s.handle("GET /g/{slug}/m/{id}", member, (*request).roomPage)
	s.handle("GET /g/{slug}/t/{key}/m/{id}", member, (*request).roomPage)
	s.handle("POST /g/{slug}/join", member, (*request).joinGroup)
	s.handle("POST /g/{slug}/leave", member, (*request).leaveGroup)
	s.themes()
	s.moderation()
	s.groupMembers()
	s.groupSettings()
	s.groupPhoto()
	s.teams()
	s.pickers()
}

// groupRow is a group in a list.
type groupRow struct {
	store.Group
	Kind    string
	Members int
	Themes  int
}

// deletedGroup is a group that can be restored for some more days.
type deletedGroup struct {
	store.Group
	Left int
}

// groupList shows the groups that the person may know of in pages, own groups first; the parameter "of" narrows the
// list.
func (c *request) groupList() error {
	of, page := c.form("of"), c.pageNumber()
	f := store.GroupFilter{Words: c.words("q"), Described: true, Limit: perPage, Offset: (page - 1) * perPage}
	if of == "deleted" {
		return c.deletedGroups(f)
	}
	count := func(whose string) (int, error) {
		_, n, err := c.s.Org.FindGroups(c.r.Context(), c.host(), c.self(),
			store.GroupFilter{Words: f.Words, Described: true, Whose: whose})
		return n, err
	}
	mine, err := count(store.OwnGroups)
	if err != nil {
		return err
	}
	others, err := count(store.OtherGroups)
	if err != nil {
		return err
	}
	d := map[string]any{"Q": c.form("q"), "Of": of, "May": c.mayCreate()}
	total := mine + others
	switch of {
	case "mine":
		total = mine
		d["Mine"], err = c.groupRows(f, store.OwnGroups)
	case "others":
		total = others
		d["Others"], err = c.groupRows(f, store.OtherGroups)
	default:
		if d["Mine"], err = c.groupRows(f, store.OwnGroups); err != nil {
			return err
		}
		f.Limit -= max(0, min(perPage, mine-f.Offset))
		f.Offset = max(0, f.Offset-mine)
		d["Others"], err = c.groupRows(f, store.OtherGroups)
	}
	if err != nil {
		return err
	}
	d["Pager"], d["Total"] = c.pager(page, total), total
	d["Tabs"], err = c.groupTabs(of, mine, others)
	if err != nil {
		return err
	}
	return c.panel(http.StatusOK, "groups", "list", c.T("Groups"), d)
}

// groupTabs narrow the list. Only people who can restore groups see the deleted groups.
func (c *request) groupTabs(of string, mine, others int) ([]tab, error) {
	tabs := []tab{
		{"", c.T("All"), mine + others, of == ""},
		{"mine", c.T("Mine"), mine, of == "mine"},
		{"others", c.T("Others"), others, of == "others"},
	}
	if !c.Actor.Runs() {
		return tabs, nil
	}
	_, n, err := c.s.Org.FindDeleted(c.r.Context(), c.host(), store.GroupFilter{})
	if n > 0 || of == "deleted" {
		tabs = append(tabs, tab{"deleted", c.T("Deleted groups"), n, of == "deleted"})
	}
	return tabs, err
}

// groupRows returns a part of the groups that the person is in, or is not in.
func (c *request) groupRows(f store.GroupFilter, whose string) (rows []groupRow, err error) {
	ctx := c.r.Context()
	f.Whose = whose
	gs, _, err := c.s.Org.FindGroups(ctx, c.host(), c.self(), f)
	if err != nil {
		return nil, err
	}
	for _, g := range gs {
		ms, err := c.s.Org.Members(ctx, c.host(), g.ID)
		if err != nil {
			return nil, err
		}
		ts, err := c.s.Org.Themes(ctx, c.host(), g.ID, c.self())
		if err != nil {
			return nil, err
		}
		r := groupRow{Group: g, Kind: org.RulesOf(g).Kind}
		for _, m := range ms {
			if m.Role != store.RoleBanned {
				r.Members++
			}
		}
		for _, t := range ts {
			if t.Closed.IsZero() {
				r.Themes++
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// deletedGroups lists the groups that can be restored, for people who may restore them.
func (c *request) deletedGroups(f store.GroupFilter) error {
	if !c.Actor.Runs() {
		return fault.ErrRole
	}
	ctx := c.r.Context()
	gs, total, err := c.s.Org.FindDeleted(ctx, c.host(), f)
	if err != nil {
		return err
	}
	deleted := make([]deletedGroup, len(gs))
	for i, g := range gs {
		deleted[i] = deletedGroup{g, c.daysLeft(g)}
	}
	var counts [2]int
	for i, whose := range []string{store.OwnGroups, store.OtherGroups} {
		if _, counts[i], err = c.s.Org.FindGroups(ctx, c.host(), c.self(),
			store.GroupFilter{Whose: whose}); err != nil {
			return err
		}
	}
	tabs, err := c.groupTabs("deleted", counts[0], counts[1])
	if err != nil {
		return err
	}
	return c.panel(http.StatusOK, "groups", "list", c.T("Groups"), map[string]any{
		"Q":       c.form("q"),
		"Of":      "deleted",
		"May":     c.mayCreate(),
		"Deleted": deleted,
		"Total":   total,
		"Pager":   c.pager(c.pageNumber(), total),
		"Tabs":    tabs,
	})
}

type groupForm struct {
	settingsForm
	People       picker
	Error, Field string
}

// groupForm returns the form for a group with the typed values and the chosen people.
func (c *request) groupForm(written org.GroupChange, chosen []string) (f groupForm, err error) {
	first := org.SettingsOf(store.Group{ThemesBy: "members", GroupSettings: store.GroupSettings{Kind: org.Private}})
	f.settingsForm = c.formOf(first, written)
	f.People, err = c.peoplePicker(chosen)
	return f, err
}

// mayCreate says whether the person may create groups.
func (c *request) mayCreate() bool { return c.s.Org.MayCreateGroup(c.r.Context(), c.Actor, c.host()) }

func (c *request) newGroupPage() error {
	if !c.mayCreate() {
		return fault.ErrRole
	}
	f, err := c.groupForm(org.GroupChange{}, nil)
	if err != nil {
		return err
	}
	return c.show("newgroup", c.T("New group"), f)
}

func (c *request) createGroup() error {
	if !c.mayCreate() {
		return fault.ErrRole
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	is, err := c.groupChange()
	if err != nil {
		return c.oops("/groups/new", err)
	}
	chosen := c.r.Form["member"]
	f, err := c.groupForm(is, chosen)
	if err != nil {
		return err
	}
	if c.picks("member") {
		return c.page(http.StatusOK, "newgroup", c.T("New group"), f)
	}
	made := org.NewGroup{Settings: is, Owner: c.self()}
	for _, n := range chosen {
		if j, err := jid.New(n, c.host(), ""); err == nil {
			made.Members = append(made.Members, j)
		}
	}
	g, err := c.s.Org.CreateGroup(c.r.Context(), c.Actor, c.host(), made)
	if err != nil {
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "newgroup", c.T("New group"), f)
	}
	return c.done("/g/"+g.Slug, "The group {{.Name}} was created and is in its members' apps", "Name", g.Name)
}
