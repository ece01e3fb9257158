package storetest

import (
	"fmt"
	"time"

	"parley/store"
)

func groupSettings(s *suite) {
	s.user("romeo", "juliet")
	romeo := store.Member{JID: "romeo@example.org", Role: store.RoleOwner, Since: at(1)}
	s.group("g1", "eng", romeo)
	g := must[store.Group](s)(s.st.Group(s.ctx, host, "g1"))
	g.GroupSettings = store.GroupSettings{
		Kind:      "request",
		Mandatory: "everyone",
		MentionBy: "moderators",
		ReactBy:   "moderators",
		Guests:    true,
		SinceJoin: true,
		Emoji:     "🚀",
	}
	s.ok(s.st.UpdateGroup(s.ctx, g))
	s.same(must[store.Group](s)(s.st.Group(s.ctx, host, "g1")), g)
	p := store.Photo{Type: "image/png", Hash: "abc", Data: []byte{1, 0, 2}}
	s.ok(s.st.SetGroupPhoto(s.ctx, host, "g1", p))
	s.same(must[store.Photo](s)(s.st.GroupPhoto(s.ctx, host, "g1")), p)
	s.ok(s.st.UpdateGroup(s.ctx, g)) // leaves the photo
	g.PhotoHash = "abc"
	s.same(must[[]store.Group](s)(s.st.Groups(s.ctx, host, "", 10)), []store.Group{g})
	s.same(must[[]store.Group](s)(s.st.GroupsOf(s.ctx, host, romeo.JID)), []store.Group{g})
	s.same(must[int](s)(s.st.OwnedGroups(s.ctx, host, romeo.JID, at(0))), 1)
	s.same(must[int](s)(s.st.OwnedGroups(s.ctx, host, "nobody@"+host, at(0))), 0)
	s.ok(s.st.SetGroupPhoto(s.ctx, host, "g1", store.Photo{}))
	_, err := s.st.GroupPhoto(s.ctx, host, "g1")
	s.is(err, store.ErrNotFound)
	s.same(must[store.Group](s)(s.st.Group(s.ctx, host, "g1")).PhotoHash, "")
	s.is(s.st.SetGroupPhoto(s.ctx, host, "no", p), store.ErrNotFound)
	s.is(s.st.SetGroupPhoto(s.ctx, other, "g1", p), store.ErrNotFound)
	g.ID = "no"
	s.is(s.st.UpdateGroup(s.ctx, g), store.ErrNotFound)
}

// findGroups: words, whose they are, deleted ones, parts of the list with how many there are in all.
func findGroups(s *suite) {
	s.user("romeo", "juliet")
	for i := range 7 {
		g := s.group(fmt.Sprintf("g%d", i), fmt.Sprintf("group-%d", i), store.Member{
			JID:   "romeo@example.org",
			Role:  []string{store.RoleOwner, store.RoleMember, store.RoleBanned}[i%3],
			Since: at(1),
		})
		g.Name, g.Description, g.Private, g.Kind = fmt.Sprintf("Équipe %d", i), "100% Ärger", i >= 4,
			[]string{"", "public", "announcement", "request"}[i%4]
		if i == 5 {
			g.Mandatory = "everyone"
		}
		s.ok(s.st.UpdateGroup(s.ctx, g))
	}
	find := func(f store.GroupFilter) (slugs string) {
		if f.Limit == 0 {
			f.Limit = 10
		}
		gs, total, err := s.st.FindGroups(s.ctx, host, f)
		s.ok(err)
		if f.Offset == 0 && f.Limit == 10 {
			s.same(total, len(gs))
		}
		for _, g := range gs {
			slugs += g.Slug[len("group-"):]
		}
		return slugs
	}
	s.same(find(store.GroupFilter{}), "0123456")
	s.same(find(store.GroupFilter{Offset: 2, Limit: 3}), "234")
	s.same(find(store.GroupFilter{Offset: 9, Limit: 3}), "")
	_, total, err := s.st.FindGroups(s.ctx, host, store.GroupFilter{})
	s.ok(err)
	s.same(total, 7)
	s.same(find(store.GroupFilter{Words: []string{"éQUIPE", "6"}}), "6")
	s.same(find(store.GroupFilter{Words: []string{"0%"}}), "")
	s.same(find(store.GroupFilter{Words: []string{"0% ä"}, Described: true}), "0123456")
	s.same(find(store.GroupFilter{Slugs: []string{"group-1", "group-3", "no"}}), "13")
	s.same(find(store.GroupFilter{Mandatory: "everyone"}), "5")
	s.same(find(store.GroupFilter{Optional: true}), "012346")
	romeo, juliet := "romeo@"+host, "juliet@"+host
	s.same(find(store.GroupFilter{Asker: romeo}), "01346") // of 2 and 5 banned
	s.same(find(store.GroupFilter{Asker: romeo, Whose: store.OwnGroups}), "01346")
	s.same(find(store.GroupFilter{Asker: romeo, Whose: store.OtherGroups}), "")
	// listed: not a private one without a kind or of announcements
	s.same(find(store.GroupFilter{Asker: juliet}), "01235")
	s.same(find(store.GroupFilter{Asker: juliet, Foreign: true}), "") // nothing is listed elsewhere
	s.same(find(store.GroupFilter{Asker: juliet, Foreign: true, Whose: store.OtherGroups}), "")
	s.same(find(store.GroupFilter{Asker: juliet, Sees: true}), "0123456") // an administrator
	s.same(find(store.GroupFilter{Asker: romeo, Sees: true}), "01346")    // kept out is kept out
	s.same(find(store.GroupFilter{Asker: juliet, Puts: true}), "0125")    // not where people ask
	s.same(find(store.GroupFilter{Asker: romeo, Puts: true}), "0136")     // and groups where the person has a role
	s.same(find(store.GroupFilter{Asker: romeo, Words: []string{"3"}}), "3")
	s.ok(s.st.DeleteGroup(s.ctx, host, "g3", at(9)))
	s.same(find(store.GroupFilter{Asker: romeo}), "0146")
	s.same(find(store.GroupFilter{DeletedAfter: at(8)}), "3")
	s.same(find(store.GroupFilter{DeletedAfter: at(9)}), "")
	_, total, err = s.st.FindGroups(s.ctx, other, store.GroupFilter{})
	s.ok(err)
	s.same(total, 0)
}

func groupRequests(s *suite) {
	s.group("g1", "eng")
	s.ok(s.st.PutGroupRequest(s.ctx, host, "g1",
		store.GroupRequest{JID: "juliet@example.org", Reason: "please", Since: at(2)}, 2))
	s.ok(s.st.PutGroupRequest(s.ctx, host, "g1", store.GroupRequest{JID: "nurse@example.org", Since: at(1)}, 2))
	s.ok(s.st.PutGroupRequest(s.ctx, host, "g1",
		store.GroupRequest{JID: "juliet@example.org", Reason: "pretty please", Since: at(9)}, 2))
	s.is(s.st.PutGroupRequest(s.ctx, host, "g1",
		store.GroupRequest{JID: "romeo@example.org", Since: at(3)}, 2), store.ErrLimit)
	s.same(must[[]store.GroupRequest](s)(s.st.GroupRequests(s.ctx, host, "g1")), []store.GroupRequest{
		{JID: "nurse@example.org", Since: at(1)}, {JID: "juliet@example.org", Reason: "pretty please", Since: at(2)}})
	s.same(len(must[[]store.GroupRequest](s)(s.st.GroupRequests(s.ctx, other, "g1"))), 0)
	s.ok(s.st.DropGroupRequest(s.ctx, host, "g1", "nurse@example.org"))
	s.is(s.st.DropGroupRequest(s.ctx, host, "g1", "nurse@example.org"), store.ErrNotFound)
}

// restoreGroup: everything that was deleted with the group comes back with it, and nothing else.
func restoreGroup(s *suite) {
	s.user("romeo")
	s.group("g1", "eng", store.Member{JID: "romeo@example.org", Role: store.RoleOwner, Since: at(1)})
	room := func(name, theme string) {
		s.ok(s.st.CreateRoom(s.ctx, store.Room{Host: rooms, Name: name, Group: "g1", Theme: theme, Created: at(1)}))
	}
	room("eng.one", "one")
	room("eng.two", "two")
	taken := must[store.Room](s)(s.st.TakeRoom(s.ctx, rooms, "eng.two"))
	s.ok(s.st.Commit(s.ctx, &store.RoomEntry{
		Host:   rooms,
		Room:   "eng.two",
		Epoch:  taken.Epoch,
		Seq:    1,
		ID:     77,
		Stanza: []byte("<message/>"),
	}))
	s.ok(s.st.DestroyRoom(s.ctx, rooms, "eng.one", at(5)))
	s.is(s.st.RestoreGroup(s.ctx, host, "g1", nil, nil), store.ErrNotFound)
	s.ok(s.st.DeleteGroup(s.ctx, host, "g1", at(9)))
	s.same(len(must[[]store.Group](s)(s.st.DeletedGroups(s.ctx, host, at(9)))), 0)
	gs := must[[]store.Group](s)(s.st.DeletedGroups(s.ctx, host, at(8)))
	s.same([]int{must[int](s)(s.st.OwnedGroups(s.ctx, host, "romeo@"+host, at(8))), must[int](s)(s.st.OwnedGroups(s.ctx,
		host, "romeo@"+host, at(9)))}, []int{1, 0})
	if len(gs) != 1 || gs[0].ID != "g1" || !gs[0].Deleted.Equal(at(9)) {
		s.Fatalf("deleted groups: %+v", gs)
	}
	// Its addresses are still nobody else's.
	err := s.st.CreateGroup(s.ctx, store.Group{Host: host, ID: "g2", Slug: "eng", Room: "other", Created: at(1)},
		store.Room{Host: rooms, Name: "other", Group: "g2"}, nil, store.Bookmark{Room: "other@" + rooms})
	s.is(err, store.ErrExists)
	s.ok(s.st.RestoreGroup(s.ctx, host, "g1", []string{"romeo"},
		[]store.Bookmark{{Room: "eng@" + rooms, Autojoin: true}, {Room: "eng.two@" + rooms}}))
	g := must[store.Group](s)(s.st.Group(s.ctx, host, "g1"))
	s.same(g.Deleted, time.Time{})
	_, err = s.st.Room(s.ctx, rooms, "eng.one")
	s.is(err, store.ErrNotFound)
	two := must[store.Room](s)(s.st.Room(s.ctx, rooms, "eng.two"))
	s.same(two.LastSeq, int64(1))
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo"))), 2)
	s.is(s.st.RestoreGroup(s.ctx, host, "no", nil, nil), store.ErrNotFound)
}

func themeDetails(s *suite) {
	s.group("g1", "eng")
	th := store.Theme{
		Host:    host,
		Group:   "g1",
		Key:     "k",
		Slug:    "q",
		Room:    "eng.k",
		Name:    "Q",
		Creator: "romeo@example.org",
		Created: at(1),
		Source:  store.Source{Room: "eng", ID: 99, Thread: "t"},
	}
	s.ok(s.st.CreateTheme(s.ctx, th, store.Room{Host: rooms, Name: "eng.k", Group: "g1", Theme: "k", Created: at(1)},
		nil, store.Bookmark{Room: "eng.k@" + rooms}))
	th.Closed, th.Archived = at(3), true
	s.ok(s.st.UpdateTheme(s.ctx, th))
	s.same(must[[]store.Theme](s)(s.st.Themes(s.ctx, host, "g1")), []store.Theme{th})
	th.Key = "no"
	s.is(s.st.UpdateTheme(s.ctx, th), store.ErrNotFound)
}

// themePeople: bookmarks come and go with a theme's list; all bookmarks of a room are renamed or dropped at once.
func themePeople(s *suite) {
	s.user("romeo", "juliet", "nurse")
	s.group("g1", "eng")
	mark := store.Bookmark{Room: "eng.k@" + rooms, Name: "Eng › Q", Autojoin: true}
	th := store.Theme{
		Host:       host,
		Group:      "g1",
		Key:        "k",
		Slug:       "q",
		Room:       "eng.k",
		Name:       "Q",
		Restricted: true,
		Created:    at(1),
	}
	th.First = &store.RoomEntry{Host: rooms, Room: "eng.k", Seq: 1, ID: 7, OriginID: "o", Stanza: []byte("<message/>")}
	list := []store.Member{
		{JID: "juliet@example.org", Role: store.RoleMember, Since: at(1)},
		{JID: "romeo@example.org", Role: store.RoleMember, Since: at(1)},
	}
	s.ok(s.st.CreateTheme(s.ctx, th, store.Room{Host: rooms, Name: "eng.k", Group: "g1", Theme: "k", Created: at(1)},
		[]string{"romeo@example.org", "juliet@example.org"}, mark, list...))
	s.same(must[[]store.Member](s)(s.st.ThemeList(s.ctx, host, "k")), list)
	es, _, _, err := s.st.ReadRoom(s.ctx, rooms, "eng.k", store.Page{Max: 9})
	s.ok(err)
	s.same([]any{len(es), es[0].ID, es[0].Seq, string(es[0].Stanza)}, []any{1, store.ID(7), int64(1), "<message/>"})
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "eng.k")).LastSeq, int64(1))
	second := *th.First
	second.Seq, second.ID = 2, 8
	s.ok(s.st.Commit(s.ctx, &second))
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "eng.k")).LastSeq, int64(2))
	s.is(s.st.CreateTheme(s.ctx, th,
		store.Room{Host: rooms, Name: "eng.k", Group: "g1", Theme: "k", Created: at(1)}, nil, mark), store.ErrExists)
	nurse := store.Member{JID: "nurse@example.org", Role: store.RoleGuest, Since: at(2)}
	s.ok(s.st.ChangeThemeList(s.ctx, host, "k", []store.Member{nurse, {JID: "juliet@example.org"}}, []string{"nurse"},
		[]string{"juliet"}, mark))
	s.same(must[[]store.Member](s)(s.st.ThemeList(s.ctx, host, "k")), []store.Member{nurse, list[1]})
	of := func(user string) []store.Bookmark {
		return must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, user))
	}
	s.same([]int{len(of("juliet")), len(of("nurse")), len(of("romeo"))}, []int{0, 1, 1})
	own := mark
	own.Name = "My own name"
	s.ok(s.st.SetBookmarks(s.ctx, host, "nurse", 0, own))
	s.ok(s.st.SetBookmarks(s.ctx, host, "juliet", 0, mark))
	s.same(must[[]string](s)(s.st.Bookmarkers(s.ctx, host, mark.Room, mark.Name)), []string{"juliet", "romeo"})
	s.same(must[[]string](s)(s.st.RenameBookmarks(s.ctx, host, mark.Room, mark.Name, "Eng › R", nil)), []string(nil))
	s.same(must[[]string](s)(s.st.RenameBookmarks(s.ctx, host, mark.Room, mark.Name, "Eng › R",
		[]string{"nurse", "romeo"})), []string{"romeo"})
	s.same([]string{of("romeo")[0].Name, of("nurse")[0].Name, of("juliet")[0].Name},
		[]string{"Eng › R", "My own name", mark.Name})
	s.ok(s.st.DeleteBookmarks(s.ctx, host, "juliet", mark.Room))
	s.same(must[[]string](s)(s.st.DropBookmarks(s.ctx, other, mark.Room)), []string(nil))
	s.same(must[[]string](s)(s.st.DropBookmarks(s.ctx, host, mark.Room)), []string{"nurse", "romeo"})
	s.same(len(of("romeo")), 0)
}
