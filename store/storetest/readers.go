package storetest

import (
	"fmt"
	"slices"

	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// readers checks that a search finds for every kind of person what they may read, and nothing else. In rooms of groups
// org decides that; this test decides it for free rooms.
func readers(s *suite) {
	people := []string{
		"owner", "moderator", "member", "banned", "former", "listed", "kept-out", "guest", "admin", "admin-guest",
		"admin-member", "admin-banned", "admin-kept-out", "disabled", "disabled-admin", "stranger",
	}
	for _, p := range people {
		admin := len(p) >= 5 && p[:5] == "admin" || p == "disabled-admin"
		s.ok(s.st.CreateUser(s.ctx, store.User{Host: host, Name: p, Admin: admin, Created: at(1)}))
	}
	for _, p := range []string{"disabled", "disabled-admin"} {
		s.ok(s.st.SetDisabled(s.ctx, host, p, true))
	}
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: other, Name: "member", Created: at(1)}))
	askers := []string{
		here("nobody"), "guest@elsewhere.example", "far@elsewhere.example",
		"farther@elsewhere.example", "member@" + other,
	}
	for _, p := range people {
		askers = append(askers, here(p))
	}
	readersGroups(s)
	free := readersFree(s)
	id := store.ID(0)
	for _, r := range must[[]store.Room](s)(s.st.Rooms(s.ctx, rooms, "", 100)) {
		epoch := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, r.Name)).Epoch
		var ws []store.Write
		for n := range 101 {
			id++
			ws = append(ws, &store.RoomEntry{
				Host:   rooms,
				Room:   r.Name,
				Epoch:  epoch,
				Seq:    int64(n + 1),
				ID:     store.FirstID(at(n)) + id,
				Nick:   "N",
				Sender: here("member"),
				Stanza: said(fmt.Sprint("needle number", n, " in ", r.Name)),
			})
		}
		s.ok(s.st.Commit(s.ctx, ws...))
	}
	for _, p := range append(people, "nobody") {
		id++
		s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
			Host:   host,
			Owner:  p,
			ID:     store.FirstID(at(200)) + id,
			With:   "x@y",
			Stanza: said("needle of mine"),
		}))
	}
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "f-gone", at(500)))
	s.ok(s.st.DeleteGroup(s.ctx, host, "gone", at(500)))

	x := readersOf{s, org.New(s.st, org.Config{}), free}
	for _, stage := range []string{"read", "indexed"} {
		for _, asker := range askers {
			x.check(stage, asker)
		}
		must[int](s)(s.st.IndexArchives(s.ctx, rooms, later()))
	}
}

// here gives the address of somebody on the host.
func here(name string) string { return name + "@" + host }

// readersGroups makes a group of each kind, each with an open and a restricted theme, and one that is deleted later.
func readersGroups(s *suite) {
	members := []store.Member{
		{JID: here("owner"), Role: store.RoleOwner},
		{JID: here("moderator"), Role: store.RoleModerator},
		{JID: here("member"), Role: store.RoleMember},
		{JID: here("banned"), Role: store.RoleBanned},
		{JID: here("listed"), Role: store.RoleMember},
		{JID: here("kept-out"), Role: store.RoleMember},
		{JID: here("former"), Role: store.RoleMember},
		{JID: here("admin-member"), Role: store.RoleMember},
		{JID: here("admin-banned"), Role: store.RoleBanned},
		{JID: here("disabled"), Role: store.RoleMember},
		{JID: "far@elsewhere.example", Role: store.RoleMember},
	}
	theme := func(group, key string, restricted bool) {
		t := store.Theme{
			Host:       host,
			Group:      group,
			Key:        key,
			Slug:       key,
			Room:       group + "." + key,
			Name:       "Theme " + key,
			Restricted: restricted,
			Created:    at(1),
		}
		s.ok(s.st.CreateTheme(s.ctx, t,
			store.Room{Host: rooms, Name: t.Room, Group: group, Theme: key, Created: at(1)}, nil, store.Bookmark{}))
		list := []store.Member{
			{JID: here("kept-out"), Role: store.RoleBanned},
			{JID: here("admin-kept-out"), Role: store.RoleBanned},
			{JID: here("guest"), Role: store.RoleGuest},
			{JID: here("admin-guest"), Role: store.RoleGuest},
			{JID: "guest@elsewhere.example", Role: store.RoleGuest},
		}
		if restricted {
			for _, name := range []string{"listed", "former", "stranger"} {
				list = append(list, store.Member{JID: here(name), Role: store.RoleMember})
			}
		}
		s.ok(s.st.SetThemeList(s.ctx, host, key, list...))
	}
	for _, id := range append([]string{"g1", "gone"}, org.Kinds...) {
		g := store.Group{
			Host:     host,
			ID:       id,
			Slug:     id,
			Room:     id,
			Name:     "Group " + id,
			Private:  true,
			ThemesBy: "members",
			Created:  at(1),
		}
		if slices.Contains(org.Kinds, id) {
			g.Kind = id
		}
		s.ok(s.st.CreateGroup(s.ctx, g, store.Room{Host: rooms, Name: id, Group: id, Created: at(1)},
			members, store.Bookmark{}))
		s.ok(s.st.SetMembers(s.ctx, host, id, []store.Member{{JID: here("former")}}, nil))
		theme(id, "open-"+id, false)
		theme(id, "few-"+id, true)
	}
}

// readersFree makes rooms without a group, and gives what each lets be read.
func readersFree(s *suite) map[string]store.RoomAccess {
	lists := []store.Affiliation{
		{JID: here("owner"), Affiliation: "owner"},
		{JID: here("moderator"), Affiliation: "admin"},
		{JID: here("member"), Affiliation: "member", Since: at(98)},
		{JID: here("banned"), Affiliation: "outcast"},
		{JID: here("disabled"), Affiliation: "member"},
		{JID: "far@elsewhere.example", Affiliation: "member"},
	}
	const anyone = store.ReadersAnyone
	free := map[string]store.RoomAccess{
		"f-open":         {Readers: anyone},
		"f-named":        {Readers: anyone, Named: true},
		"f-closed":       {},
		"f-closed-named": {Named: true},
		"f-gone":         {Readers: anyone},
		"f-shut":         {Readers: anyone},
		"f-admins":       {Readers: store.ReadersAdmins, Named: true},
		"f-since":        {Readers: anyone, Since: true, Named: true},
	}
	for name, a := range free {
		lists := lists
		r := roomRow(name)
		r.Access = a
		if name == "f-shut" { // to a whole domain
			lists = append(slices.Clip(lists), store.Affiliation{JID: host, Affiliation: "outcast"})
		}
		s.ok(s.st.CreateRoom(s.ctx, r, lists...))
	}
	s.ok(s.st.SaveRoomConfig(s.ctx, rooms, "f-closed", []byte("{}"), store.RoomAccess{Readers: anyone}))
	s.ok(s.st.SaveRoomConfig(s.ctx, rooms, "f-closed", []byte("{}"), store.RoomAccess{}))
	return free
}

type readersOf struct {
	*suite
	org  *org.Org
	free map[string]store.RoomAccess
}

// rooms returns the rooms that an asker may read; the value says whether they may know the authors.
func (x readersOf) rooms(asker jid.JID) map[string]bool {
	may := make(map[string]bool)
	if asker.Domain() == host {
		u, err := x.st.User(x.ctx, host, asker.Local())
		if err != nil || u.Disabled {
			return may
		}
		may[""] = true
	}
	for _, r := range must[[]store.Room](x.suite)(x.st.Rooms(x.ctx, rooms, "", 100)) {
		if r.Group != "" {
			a, err := x.org.Access(x.ctx, host, r.Group, r.Theme, asker)
			x.ok(err)
			if a.Read {
				g := must[store.Group](x.suite)(x.st.Group(x.ctx, host, r.Group))
				may[r.Name] = org.RulesOf(g).ShowAddresses || a.Affiliation == org.Owner || a.Affiliation == org.Admin
			}
			continue
		}
		a := org.None
		domain := false
		for _, l := range must[[]store.Affiliation](x.suite)(x.st.Affiliations(x.ctx, rooms, r.Name)) {
			if l.JID == asker.String() {
				a = l.Affiliation
			}
			domain = domain || l.JID == asker.Domain() && l.Affiliation == org.Outcast
		}
		access := x.free[r.Name]
		switch {
		case a == org.Owner, a == org.Admin:
			may[r.Name] = true
		case a == org.Member && access.Readers != store.ReadersAdmins, a == org.None && !domain &&
			access.Readers == store.ReadersAnyone && !access.Since && asker.Domain() == host:
			may[r.Name] = access.Named
		}
	}
	return may
}

func (x readersOf) check(stage, asker string) {
	x.Helper()
	may := x.rooms(jid.MustParse(asker))
	find := func(f store.Find) map[string]bool {
		f.Host, f.Rooms, f.Asker, f.Max = host, rooms, asker, 120 // the newest of each room are among them
		fs, _, err := x.st.SearchMessages(x.ctx, f)
		x.ok(err)
		got := make(map[string]bool)
		for _, m := range fs {
			if m.Room == "f-since" && asker == "member@"+host && m.ID.Time().Before(at(98)) {
				x.Errorf("%s: from before they were added: %+v", asker, m)
			}
			got[m.Room] = m.Sender != ""
			if (m.Theme != "") != (m.ThemeName != "") || (m.Group != "") != (m.GroupName != "") {
				x.Errorf("%s: %+v", asker, m)
			}
		}
		return got
	}
	expect := func(what string, got map[string]bool, ok func(room string, named bool) bool) {
		x.Helper()
		want := make(map[string]bool)
		for r, named := range may {
			if ok(r, named) {
				want[r] = named
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			x.Errorf("%s: %s, %s:\ngot  %v\nwant %v", stage, asker, what, got, want)
		}
	}
	all := func(string, bool) bool { return true }
	expect("one word", find(store.Find{Text: "needle"}), all)
	expect("two words", find(store.Find{Text: "needle in "}), func(r string, _ bool) bool { return r != "" })
	expect("the beginning of one", find(store.Find{Text: "number9"}), func(r string, _ bool) bool { return r != "" })
	expect("another's words", find(store.Find{Text: "needle", From: "member@" + host}),
		func(r string, named bool) bool {
			return r != "" && named || r == "" && asker == "member@"+host
		})
	expect("a group", find(store.Find{Text: "needle", Group: "g1"}), func(r string, _ bool) bool {
		return slices.Contains([]string{"g1", "g1.open-g1", "g1.few-g1"}, r)
	})
	expect("a theme", find(store.Find{Text: "needle", Theme: "few-large"}), func(r string, _ bool) bool {
		return r == "large.few-large"
	})
	expect("what was said since",
		find(store.Find{Text: "needle", Room: "f-since"}), func(r string, _ bool) bool { return r == "f-since" })
	expect("a room", find(store.Find{Text: "needle", Room: "f-open"}),
		func(r string, _ bool) bool { return r == "f-open" })
}
