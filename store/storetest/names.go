package storetest

import (
	"fmt"
	"slices"
	"time"

	"parley/store"
)

// exactNames: a name is the bytes it is made of. Callers have prepared it (RFC 8265); the store neither folds it nor
// orders it as some language does.
func exactNames(s *suite) {
	names := []string{
		"Romeo", "a_b", "a-b", "a", "aa", "a.b", "ab", "romeo", "rom\u00e9o", "rome\u0301o", "stra\u00dfe", "strasse",
		"\u4e2d\u6587", "%", "x'y", `x\y`, "\U0001f600",
	}
	s.user(names...)
	for _, n := range names {
		s.same(must[store.User](s)(s.st.User(s.ctx, host, n)).Name, n)
		s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
			Host:     host,
			Owner:    n,
			ID:       1,
			With:     n + "@x",
			OriginID: n,
			Stanza:   []byte("<m>" + n + "</m>"),
		}))
		s.ok(s.st.CreateRoom(s.ctx, roomRow(n)))
		s.ok(s.st.Put(s.ctx, host, n, []byte(n)))
	}
	_, err := s.st.User(s.ctx, host, "ROMEO")
	s.is(err, store.ErrNotFound)
	// Pages of one after the other give each name once.
	page := func(next func(after string) string) (all []string) {
		for after := ""; ; {
			if after = next(after); after == "" || len(all) > len(names) {
				return all
			}
			all = append(all, after)
		}
	}
	sorted := slices.Sorted(slices.Values(names))
	s.same(slices.Sorted(slices.Values(page(func(after string) string {
		us := must[[]store.User](s)(s.st.Users(s.ctx, host, after, 1))
		if len(us) == 0 {
			return ""
		}
		return us[0].Name
	}))), sorted)
	s.same(slices.Sorted(slices.Values(page(func(after string) string {
		rs := must[[]store.Room](s)(s.st.Rooms(s.ctx, rooms, after, 1))
		if len(rs) == 0 {
			return ""
		}
		return rs[0].Name
	}))), sorted)
	for _, n := range names {
		es, _, total, err := s.st.ReadArchive(s.ctx, host, n, store.Page{Max: 9, With: n + "@x", Count: true})
		s.ok(err)
		if total != 1 || string(es[0].Stanza) != "<m>"+n+"</m>" {
			s.Errorf("%q: %d %v", n, total, es)
		}
		s.same(string(must[[]byte](s)(s.st.Get(s.ctx, host, n))), n)
	}
}

// findUsers: whatever the case, in every script.
func findUsers(s *suite) {
	for name, full := range map[string]string{
		"eric":        "Éric Ångström",
		"olga":        "Ольга",
		"x_y":         "100%",
		"ann":         `Back\slash`,
		"bob":         "",
		`d\27art\20o`: "",
	} {
		s.ok(s.st.CreateUser(s.ctx, store.User{Host: host, Name: name, FullName: full}))
	}
	s.ok(s.st.CreateUser(s.ctx, store.User{Host: other, Name: "eric", FullName: "Éric"}))
	fullNames(s)
	for word, want := range map[string]string{
		"éric":  "[eric]",
		"ÉRIC":  "[eric]",
		"ÅNG":   "[eric]",
		"ольга": "[olga]",
		"ОЛЬГА": "[olga]",
		"%":     "[x_y]",
		"_":     "[x_y]",
		`\`:     `[ann d\27art\20o]`,
		`K\S`:   "[ann]",
		"B":     "[ann bob]",
		"D'ART": `[d\27art\20o]`,
		`d\27`:  `[d\27art\20o]`,
		"'":     `[d\27art\20o]`,
		"":      `[ann bob d\27art\20o eric olga x_y]`,
	} {
		var got []string
		us, total, before, err := s.st.FindUsers(s.ctx, host, []string{word}, store.UserPage{Max: 10})
		s.ok(err)
		for _, u := range us {
			got = append(got, u.Name)
		}
		s.same([2]int{total, before}, [2]int{len(us), 0})
		if fmt.Sprint(got) != want {
			s.Errorf("%q: %v, want %s", word, got, want)
		}
	}
	for _, tc := range []struct {
		page store.UserPage
		want string
	}{
		{store.UserPage{Max: 2}, "[ann bob] 6 0"},
		{store.UserPage{Max: 2, After: "bob"}, `[d\27art\20o eric] 6 2`},
		{store.UserPage{Max: 9, After: "olga"}, "[x_y] 6 5"},
		{store.UserPage{Max: 9, After: "x_y"}, "[] 6 0"},
		{store.UserPage{Max: 2, Last: true}, "[olga x_y] 6 4"},
		{store.UserPage{Max: 2, Last: true, Before: "olga"}, `[d\27art\20o eric] 6 2`},
		{store.UserPage{Max: 1, Offset: 3}, "[eric] 6 3"},
		{store.UserPage{Max: 3, Offset: 6}, "[] 6 0"},
		{store.UserPage{}, "[] 6 0"},
	} {
		us, total, before, err := s.st.FindUsers(s.ctx, host, nil, tc.page)
		s.ok(err)
		names := []string{}
		for _, u := range us {
			names = append(names, u.Name)
		}
		s.same(fmt.Sprint(names, total, before), tc.want)
	}
}

// fullNames: of many accounts at once, without those that are disabled or do not exist.
func fullNames(s *suite) {
	names := []string{"eric", "ann", `d\27art\20o`, "ERIC", "nobody", "'; --"}
	for i := range 5000 {
		names = append(names, fmt.Sprint("absent", i))
	}
	want := map[string]string{"eric": "Éric Ångström", "ann": `Back\slash`, `d\27art\20o`: ""}
	s.same(must[map[string]string](s)(s.st.FullNames(s.ctx, host, names)), want)
	s.same(must[map[string]string](s)(s.st.FullNames(s.ctx, host, nil)), map[string]string{})
	s.ok(s.st.SetDisabled(s.ctx, host, "eric", true))
	delete(want, "eric")
	s.same(must[map[string]string](s)(s.st.FullNames(s.ctx, host, names)), want)
	s.ok(s.st.SetDisabled(s.ctx, host, "eric", false))
}

// hosts: the same names in two organizations are two things.
func hosts(s *suite) {
	room := map[string]string{host: rooms, other: "groups." + other}
	for _, h := range []string{host, other} {
		s.ok(s.st.CreateUser(s.ctx, store.User{Host: h, Name: "romeo", FullName: h}))
		jid := "romeo@" + h
		_, err := s.st.UpdateContact(s.ctx, h, "romeo", "juliet@x",
			0, func(c *store.Contact) (bool, error) { c.Name, c.InRoster = h, true; return false, nil })
		s.ok(err)
		s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
			Host:     h,
			Owner:    "romeo",
			ID:       1,
			With:     "juliet@x",
			OriginID: "o",
			Stanza:   []byte(h),
		}, &store.OfflineEntry{Host: h, Owner: "romeo", ID: 1, Stanza: []byte(h), Expires: time.Now().Add(time.Hour)}))
		s.ok(s.st.SetPrivate(s.ctx, h, "romeo", "ns", "e", []byte(h), 1))
		s.ok(s.st.Block(s.ctx, h, "romeo", 1, "tybalt@"+h))
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: h, Owner: "romeo", Name: "n", Config: []byte(h)}, 1))
		s.ok(s.st.Publish(s.ctx, h, "romeo", "n", store.Keep{Items: 1},
			store.NodeItem{ID: "i", Seq: 1, Payload: []byte(h)}))
		s.ok(s.st.CreateUpload(s.ctx, store.Upload{Host: h, ID: "u", Owner: "romeo", Name: h, Size: 5}, 0, 5))
		s.ok(s.st.PutToken(s.ctx, store.Token{
			Host:      h,
			Owner:     "romeo",
			Client:    "c",
			Mechanism: h,
			Salt:      []byte(h),
			Expires:   at(9),
		}, 1))
		g := store.Group{Host: h, ID: "g" + h, Slug: "eng", Room: "eng", Name: h}
		s.ok(s.st.CreateGroup(s.ctx, g, store.Room{Host: room[h], Name: "eng", Group: g.ID, Config: []byte(h)},
			[]store.Member{{JID: jid, Role: store.RoleOwner}}, store.Bookmark{Room: "eng@" + room[h], Name: h}))
		s.ok(s.st.CreateTheme(s.ctx, store.Theme{Host: h, Group: g.ID, Key: "k", Room: "t.k", Name: h},
			store.Room{Host: room[h], Name: "t.k", Group: g.ID, Theme: "k"}, []string{jid},
			store.Bookmark{Room: "t.k@" + room[h], Name: h}))
		r := must[store.Room](s)(s.st.TakeRoom(s.ctx, room[h], "eng"))
		s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
			Host:   room[h],
			Room:   "eng",
			Epoch:  r.Epoch,
			Seq:    1,
			ID:     1,
			Stanza: []byte(h),
		}))
	}
	check := func(h string) {
		s.Helper()
		is := func(what, got string) {
			s.Helper()
			if got != h {
				s.Errorf("%s of %s is %q", what, h, got)
			}
		}
		is("account", must[store.User](s)(s.st.User(s.ctx, h, "romeo")).FullName)
		is("contact", must[store.Contact](s)(s.st.Contact(s.ctx, h, "romeo", "juliet@x")).Name)
		is("found message", string(must[store.Archived](s)(s.st.FindArchived(s.ctx, h, "romeo",
			"juliet@x", "o", false)).Stanza))
		is("offline message", string(must[[]store.OfflineEntry](s)(s.st.TakeOffline(s.ctx, h, "romeo", 1))[0].Stanza))
		is("private data", string(must[[]byte](s)(s.st.Private(s.ctx, h, "romeo", "ns", "e"))))
		s.same(must[[]string](s)(s.st.Blocked(s.ctx, h, "romeo")), []string{"tybalt@" + h})
		is("node", string(must[store.Node](s)(s.st.Node(s.ctx, h, "romeo", "n")).Config))
		is("item", string(must[[]store.OwnedItem](s)(s.st.LastItems(s.ctx, h,
			[]string{"romeo"}, []string{"n"}))[0].Payload))
		is("upload", must[store.Upload](s)(s.st.Upload(s.ctx, h, "u")).Name)
		is("token", must[[]store.Token](s)(s.st.Tokens(s.ctx, h, "romeo", "c"))[0].Mechanism)
		is("group", must[store.Group](s)(s.st.GroupBySlug(s.ctx, h, "eng")).Name)
		is("theme", must[store.Theme](s)(s.st.Theme(s.ctx, h, "k")).Name)
		is("room", string(must[store.Room](s)(s.st.Room(s.ctx, room[h], "eng")).Config))
		es, _, total, err := s.st.ReadRoom(s.ctx, room[h], "eng", store.Page{Max: 9, Count: true})
		s.ok(err)
		s.same(total, 1)
		is("room's message", string(es[0].Stanza))
		for _, b := range must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, h, "romeo")) {
			is("bookmark", b.Name)
		}
		s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, h, "romeo"))), 2)
	}
	check(host)
	check(other)
	// Deleting something on one host leaves the other host's.
	s.ok(s.st.DeleteGroup(s.ctx, host, "g"+host, at(9)))
	s.ok(s.st.DeleteUpload(s.ctx, host, "u"))
	s.ok(s.st.DeleteTokens(s.ctx, host, "romeo", ""))
	s.deleted(host, "romeo")
	s.same(must[int](s)(s.st.ExpireArchive(s.ctx, host, "romeo", time.Now(), 10)), 0)
	check(other)
}
