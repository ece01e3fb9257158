package web

import (
	"net/http"
	"slices"
	"strings"
	"unicode"

	"parley/internal/fault"
	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

func (s *Server) groupMembers() {
	s.handle("GET /g/{slug}/members", member, (*request).membersPage)
	s.handle("POST /g/{slug}/members", member, (*request).saveMembers)
	s.handle("GET /g/{slug}/members/add", member, (*request).addMembersPage)
	s.handle("POST /g/{slug}/requests", member, (*request).answerRequest)
}

type membersData struct {
	room
	People      []store.Person
	Roles       map[string]string // by localpart
	ByTeam      map[string]bool
	Online      map[string]int
	Remote      []store.Member // members of other servers
	Requests    []store.GroupRequest
	Tabs        []tab
	Pager       pager
	Q, Role     string
	Department  string
	Departments []string
	Total       int // people whom the filter chooses
}

// memberFilter is what the address or the form narrows the group's people to.
func (c *request) memberFilter(r room, role string) store.PeopleFilter {
	words := strings.Fields(c.form("q"))
	return store.PeopleFilter{
		Words:      words[:min(len(words), 8)],
		Department: c.form("department"),
		Group:      r.Group.ID,
		GroupRole:  role,
		Limit:      perPage,
	}
}

// membersPage lists the members of a group to people who may see them, and lets its managers change them.
func (c *request) membersPage() error {
	r, err := c.room()
	if err != nil {
		return err
	}
	if !r.Access.Read || !r.Manages() && !org.ShowsAddresses(r.Group, r.Access) {
		return fault.ErrRole
	}
	ctx, page, role := c.r.Context(), c.pageNumber(), c.form("as")
	if !slices.Contains(rolesShown, role) && role != "" || role == store.RoleBanned && !r.Manages() {
		return notFound
	}
	d := membersData{
		room:       r,
		Roles:      make(map[string]string),
		Q:          c.form("q"),
		Role:       role,
		Department: c.form("department"),
	}
	ms, err := c.s.Org.Members(ctx, c.host(), r.Group.ID)
	if err != nil {
		return err
	}
	c.sortMembers(&d, ms)
	f := c.memberFilter(r, role)
	f.Offset = (page - 1) * perPage
	if d.People, d.Total, err = c.colleagues(f); err != nil {
		return err
	}
	if d.Departments, err = c.s.Store.Departments(ctx, c.host()); err != nil {
		return err
	}
	d.Pager, d.Online = c.pager(page, d.Total), c.online(d.People)
	if r.Manages() {
		if d.Requests, err = c.s.Org.Requests(ctx, c.host(), r.Group.ID); err != nil {
			return err
		}
	}
	return c.panel(http.StatusOK, "members", "list", c.T("Members of {{.Name}}", "Name", r.Group.Name), d)
}

// rolesShown are the roles that the list of members can be narrowed to, in the order of its tabs.
var rolesShown = []string{store.RoleOwner, store.RoleModerator, store.RoleMember, store.RoleBanned}

// sortMembers fills in the roles of the organization's people, the members from other servers and the tabs.
func (c *request) sortMembers(d *membersData, ms []store.Member) {
	counts := make(map[string]int)
	for _, m := range ms {
		counts[m.Role]++
		name, ours := strings.CutSuffix(m.JID, "@"+c.host())
		if ours {
			d.Roles[name] = m.Role
		} else if d.Role == "" && m.Role != store.RoleBanned || d.Role == m.Role {
			d.Remote = append(d.Remote, m)
		}
	}
	d.Tabs = []tab{{"", c.T("All"), len(ms) - counts[store.RoleBanned], d.Role == ""}}
	for _, as := range rolesShown {
		if counts[as] > 0 && (as != store.RoleBanned || d.Manages()) || as == d.Role {
			d.Tabs = append(d.Tabs, tab{as, c.T("members " + as), counts[as], d.Role == as})
		}
	}
}

// addMembersPage lists people outside the group, to be ticked or added all at once.
func (c *request) addMembersPage() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	ctx, page := c.r.Context(), c.pageNumber()
	d := membersData{room: r, Q: c.form("q"), Department: c.form("department")}
	f := c.memberFilter(r, store.OutsideGroup)
	f.Offset = (page - 1) * perPage
	if d.People, d.Total, err = c.colleagues(f); err != nil {
		return err
	}
	if d.Departments, err = c.s.Store.Departments(ctx, c.host()); err != nil {
		return err
	}
	d.Pager, d.Online = c.pager(page, d.Total), c.online(d.People)
	return c.panel(http.StatusOK, "addmembers", "list", c.T("Add people to {{.Name}}", "Name", r.Group.Name), d)
}

const maxChosen = 5000 // people in one form

// membersAs are people with a role.
func membersAs(js []jid.JID, role string) []store.Member {
	ms := make([]store.Member, len(js))
	for i, j := range js {
		ms[i] = store.Member{JID: j.Bare().String(), Role: role}
	}
	return ms
}

// chosenMembers are those who were ticked, or all that the form's filter chooses.
func (c *request) chosenMembers(r room, role string) (js []jid.JID, err error) {
	names := c.r.Form["member"]
	if c.form("all") != "" {
		as := c.form("as")
		if c.form("from") == "outside" {
			as = store.OutsideGroup
		}
		f := c.memberFilter(r, as)
		f.Limit = maxChosen
		ps, total, err := c.colleagues(f)
		if err != nil {
			return nil, err
		}
		if total > maxChosen {
			return nil, fault.New(fault.Invalid, "", "Too many people at once: narrow the list")
		}
		names = nil
		for _, p := range ps {
			// nobody takes themselves out by "all"
			if p.Name != c.Me.Name || role == store.RoleMember && as == store.OutsideGroup {
				names = append(names, p.Name)
			}
		}
	}
	for _, n := range names {
		// addresses may be written in a row
		for _, one := range strings.FieldsFunc(n, func(r rune) bool {
			return r == ',' || r == ';' || unicode.IsSpace(r)
		}) {
			if !strings.Contains(one, "@") {
				one += "@" + c.host()
			}
			j, err := jid.Parse(one)
			if err != nil || j.Local() == "" {
				return nil, fault.New(fault.Invalid, "member",
					"{{.Address}} is not the address of a person", "Address", one)
			}
			js = append(js, j.Bare())
		}
	}
	if len(js) == 0 {
		return nil, fault.New(fault.Invalid, "member", "Select some people first")
	}
	return js, nil
}

// saveMembers gives people a role in a group, or takes them out. With "look" it first says whom that adds and removes.
func (c *request) saveMembers() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	role, page := c.form("role"), c.back("/g/"+r.Group.Slug+"/members")
	if role == "remove" {
		role = ""
	}
	js, err := c.chosenMembers(r, role)
	if err != nil {
		return c.oops(page, err)
	}
	ctx := c.r.Context()
	ms := membersAs(js, role)
	plan, err := c.s.Org.PlanMembers(ctx, c.Actor, c.host(), r.Group.ID, ms)
	if err != nil {
		return c.oops(page, err)
	}
	if plan.None() {
		return c.done(page, "Nothing to change: they already are")
	}
	if c.looks() {
		return c.confirmMembers(r, plan, role, page)
	}
	if err := c.s.Org.SetMembers(ctx, c.Actor, c.host(), r.Group.ID, ms); err != nil {
		return c.oops(page, err)
	}
	if back, ok := c.takeBack(r, plan); ok {
		in, out := len(plan.Added), len(plan.Removed)
		switch {
		case out == 0:
			return c.undoable(page, back, "{{.Count}} people added", "Count", in)
		case in == 0:
			return c.undoable(page, back, "{{.Count}} people removed", "Count", out)
		}
		return c.undoable(page, back, "{{.In}}, {{.Out}}", "In", c.T("{{.Count}} people added", "Count", in), "Out",
			c.T("{{.Count}} people removed", "Count", out))
	}
	return c.done(page, "Done for {{.Count}} people", "Count", len(js))
}

// takeBack is the form that undoes a change, where one form can: nobody was somebody else's kind before.
func (c *request) takeBack(r room, p org.Plan) (undoing, bool) {
	const most = 20 // so that it fits in a cookie
	u := undo("/g/" + r.Group.Slug + "/members")
	add := func(ms []store.Member) {
		for _, m := range ms {
			u.Fields = append(u.Fields, [2]string{"member", strings.TrimSuffix(m.JID, "@"+c.host())})
		}
	}
	switch {
	case len(p.Changed)+len(p.Freed) > 0, len(p.Added)+len(p.Removed) > most:
		return u, false
	case len(p.Removed) == 0:
		u.Fields = append(u.Fields, [2]string{"role", "remove"})
		add(p.Added)
		return u, true
	case len(p.Added) == 0:
		for _, m := range p.Removed {
			if p.Was[m.JID] != p.Was[p.Removed[0].JID] {
				return u, false
			}
		}
		was := p.Was[p.Removed[0].JID]
		if was == "" { // kept out without having been in
			was = "remove"
		}
		u.Fields = append(u.Fields, [2]string{"role", was})
		add(p.Removed)
		return u, true
	}
	return u, false
}

func (c *request) confirmMembers(r room, p org.Plan, role, back string) error {
	q := confirmation{
		Action:   "/g/" + r.Group.Slug + "/members",
		Back:     back,
		Question: c.T("Change who is in {{.Name}}?", "Name", r.Group.Name),
		Verb:     c.T("Do it"),
	}
	addressesOf := func(ms []store.Member) (out []string) {
		for _, m := range ms {
			out = append(out, m.JID)
		}
		return out
	}
	tell := func(n int, some, none string) {
		if n > 0 {
			q.Effects = append(q.Effects, c.T(some, "Count", n))
		} else if none != "" {
			q.Effects = append(q.Effects, c.T(none))
		}
	}
	tell(len(p.Added), "{{.Count}} people will be added.", "Nobody is added.")
	if role == store.RoleBanned {
		tell(len(p.Removed), "{{.Count}} people will be banned: they cannot come in until somebody lifts the ban.", "")
	} else {
		tell(len(p.Removed), "{{.Count}} people will be removed.", "Nobody is removed.")
	}
	if n := len(p.Changed); n > 0 {
		q.Effects = append(q.Effects,
			c.T("{{.Count}} people will be {{.Role}}.", "Count", n, "Role", c.T("members "+role)))
	}
	tell(len(p.Freed), "{{.Count}} people will no longer be banned.", "")
	q.Danger = len(p.Removed) > 0
	q.People, q.More = shortList(slices.Concat(addressesOf(p.Added), addressesOf(p.Removed), addressesOf(p.Changed),
		addressesOf(p.Freed)), c.host())
	return c.confirm(r, q)
}

// answerRequest accepts or refuses somebody's request to join a group.
func (c *request) answerRequest() error {
	r, err := c.managed()
	if err != nil {
		return err
	}
	page, who, yes := "/g/"+r.Group.Slug+"/members", c.form("address"), c.form("do") == "yes"
	j, err := jid.Parse(who)
	if err != nil || j.Local() == "" {
		return c.oops(page, fault.New(fault.Invalid, "member",
			"{{.Address}} is not the address of a person", "Address", who))
	}
	if err := c.s.Org.AnswerRequest(c.r.Context(), c.Actor, c.host(), r.Group.ID, j, yes); err != nil {
		return c.oops(page, err)
	}
	return c.done(page, "Saved")
}
