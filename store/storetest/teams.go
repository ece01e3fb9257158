package storetest

import (
	"parley/store"
)

func (s *suite) team(id, slug string, people ...string) store.Team {
	s.Helper()
	t := store.Team{
		Host:        host,
		ID:          id,
		Slug:        slug,
		Name:        "Team " + slug,
		Emoji:       "🎈",
		Description: "d",
		MentionBy:   "members",
		Created:     at(1),
	}
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{Host: host, Team: &t, TeamID: id, In: people}))
	return t
}

func teams(s *suite) {
	s.user("romeo", "juliet", "nurse")
	s.ok(s.st.SetFullName(s.ctx, host, "romeo", "Romeo M."))
	b, a := s.team("t1", "b", "romeo", "juliet"), s.team("t2", "a", "romeo", "nobody")
	s.same(must[[]store.Team](s)(s.st.Teams(s.ctx, host)), []store.Team{a, b})
	s.same(len(must[[]store.Team](s)(s.st.Teams(s.ctx, other))), 0)
	people := func() (ps [][3]string) {
		for _, m := range must[[]store.TeamMember](s)(s.st.TeamMembers(s.ctx, host)) {
			ps = append(ps, [3]string{m.Team, m.Name, m.FullName})
		}
		return ps
	}
	s.same(people(), [][3]string{{"t1", "juliet", ""}, {"t1", "romeo", "Romeo M."}, {"t2", "romeo", "Romeo M."}})
	s.is(s.st.ChangeOrg(s.ctx,
		store.OrgChange{Host: host, Team: &store.Team{Host: host, ID: "t3", Slug: "a"}}), store.ErrExists)
	b.Name, b.Deleted = "B", at(5)
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{
		Host:   host,
		Team:   &b,
		TeamID: "t1",
		In:     []string{"nurse"},
		Out:    []string{"romeo"},
	}))
	s.same(must[[]store.Team](s)(s.st.Teams(s.ctx, host)), []store.Team{a})
	s.same(people(), [][3]string{{"t2", "romeo", "Romeo M."}})
	// for ever
	s.is(s.st.ChangeOrg(s.ctx,
		store.OrgChange{Host: host, Team: &store.Team{Host: host, ID: "t3", Slug: "b"}}), store.ErrExists)
	s.group("g1", "eng")
	s.group("g2", "art")
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{Host: host, TeamID: "t2", Defaults: []string{"g2", "g1"}}))
	s.same(must[[]string](s)(s.st.TeamDefaults(s.ctx, host, "t2")), []string{"g1", "g2"})
	s.ok(s.st.DeleteGroup(s.ctx, host, "g1", at(3)))
	s.same(must[[]string](s)(s.st.TeamDefaults(s.ctx, host, "t2")), []string{"g2"})
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{Host: host, TeamID: "t2", Defaults: []string{}}))
	s.same(len(must[[]string](s)(s.st.TeamDefaults(s.ctx, host, "t2"))), 0)
	s.deleted(host, "romeo")
	s.same(len(people()), 0)
}

// groupTeams: people join and leave a group with a team; a role of their own is kept beside.
func groupTeams(s *suite) {
	s.user("romeo", "juliet")
	s.team("t1", "a", "romeo", "juliet")
	s.group("g1", "eng")
	mark := store.Bookmark{Room: "eng@" + rooms, Autojoin: true}
	row := func(name, role, own string, team bool) store.GroupMember {
		return store.GroupMember{
			Group:  "g1",
			Member: store.Member{JID: name + "@" + host, Role: role, Since: at(1)},
			Own:    own,
			ByTeam: team,
		}
	}
	gt := store.GroupTeam{Group: "g1", Team: "t1", Role: store.RoleMember}
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{
		Host:       host,
		GroupTeams: []store.GroupTeam{gt},
		Bookmarks:  map[string][]store.Bookmark{"g1": {mark}},
		Members: []store.GroupMember{row("romeo", store.RoleOwner, store.RoleOwner, true), row("juliet",
			store.RoleMember, "", true)},
	}))
	s.same(must[[]store.GroupTeam](s)(s.st.GroupTeams(s.ctx, host, "g1")), []store.GroupTeam{gt})
	s.same(must[[]store.GroupTeam](s)(s.st.TeamGroups(s.ctx, host, "t1")), []store.GroupTeam{gt})
	s.same(must[map[string]string](s)(s.st.Grants(s.ctx, host, "g1")),
		map[string]string{"romeo@" + host: store.RoleOwner, "juliet@" + host: ""})
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "juliet"))), 1)
	gt.Role = ""
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{
		Host:       host,
		GroupTeams: []store.GroupTeam{gt},
		Members:    []store.GroupMember{row("romeo", store.RoleOwner, "", false), row("juliet", "", "", false)},
	}))
	s.same(len(must[map[string]string](s)(s.st.Grants(s.ctx, host, "g1"))), 0)
	ms := must[[]store.Member](s)(s.st.Members(s.ctx, host, "g1"))
	s.same([]any{len(ms), ms[0].JID, ms[0].Role}, []any{1, "romeo@" + host, store.RoleOwner})
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "juliet"))), 0)
	s.same(len(must[[]store.GroupTeam](s)(s.st.GroupTeams(s.ctx, host, "g1"))), 0)
	for range 2 { // a job is listed once
		s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{
			Host:       host,
			GroupTeams: []store.GroupTeam{{Group: "g1", Team: "t1", Role: store.RoleMember}},
			Fill:       "g1",
		}))
	}
	s.same(must[[]string](s)(s.st.ToFill(s.ctx, host)), []string{"g1"})
	s.ok(s.st.FillDone(s.ctx, other, "g1"))
	s.same(len(must[[]string](s)(s.st.ToFill(s.ctx, host))), 1)
	s.ok(s.st.FillDone(s.ctx, host, "g1"))
	s.same(len(must[[]string](s)(s.st.ToFill(s.ctx, host))), 0)
	s.ok(s.st.DeleteGroup(s.ctx, host, "g1", at(3)))
	s.is(s.st.ChangeOrg(s.ctx, store.OrgChange{
		Host:    host,
		TeamID:  "t1",
		Out:     []string{"romeo"},
		Members: []store.GroupMember{row("juliet", store.RoleMember, "", false)},
	}), store.ErrNotFound)
	s.same(len(must[[]store.TeamMember](s)(s.st.TeamMembers(s.ctx, host))), 2) // all or nothing
}

// mandatory: a new account is in the groups that everyone is in, from its first moment.
func mandatory(s *suite) {
	s.user("romeo")
	for _, g := range []struct{ id, mandatory string }{
		{"g1", "everyone"}, {"g2", ""}, {"g3", "t1"}, {"g4", "everyone"},
	} {
		s.group(g.id, "s"+g.id)
		x := must[store.Group](s)(s.st.Group(s.ctx, host, g.id))
		x.Mandatory = g.mandatory
		s.ok(s.st.UpdateGroup(s.ctx, x))
	}
	s.ok(s.st.DeleteGroup(s.ctx, host, "g4", at(2)))
	s.same(must[int](s)(s.st.CountOutside(s.ctx, host, "g1")), 1)
	s.user("juliet")
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: other, Name: "far", Created: at(1)}))
	s.ok(s.st.CreatePerson(s.ctx,
		store.Person{User: store.User{Host: host, Name: "nurse", Created: at(1)}, Role: store.RoleMember}))
	for _, name := range []string{"juliet", "nurse"} {
		gs := must[[]store.Group](s)(s.st.GroupsOf(s.ctx, host, name+"@"+host))
		s.same([]any{len(gs), gs[0].ID}, []any{1, "g1"})
		bs := must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, name))
		s.same([]any{len(bs), bs[0].Room, bs[0].Name, bs[0].Autojoin}, []any{1, "sg1@" + rooms, gs[0].Name, true})
	}
	s.same(must[[]string](s)(s.st.Outside(s.ctx, host, "g1", "", 10)), []string{"romeo"})
	s.same(must[[]string](s)(s.st.Outside(s.ctx, host, "g2", "juliet", 10)), []string{"nurse", "romeo"})
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, other, "far"))), 0)
	s.is(s.st.CreateUser(s.ctx, store.User{Host: host, Name: "juliet"}), store.ErrExists)
}
