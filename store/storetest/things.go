package storetest

import (
	"fmt"
	"time"

	"parley/store"
)

func private(s *suite) {
	s.user("romeo")
	_, err := s.st.Private(s.ctx, host, "romeo", "ns", "a")
	s.is(err, store.ErrNotFound)
	s.ok(s.st.SetPrivate(s.ctx, host, "romeo", "ns", "a", []byte("<a/>"), 2))
	s.ok(s.st.SetPrivate(s.ctx, host, "romeo", "ns", "b", []byte("<b/>"), 2))
	s.is(s.st.SetPrivate(s.ctx, host, "romeo", "ns2", "a", []byte("<c/>"), 2), store.ErrLimit)
	s.same(must[[][]byte](s)(s.st.AllPrivate(s.ctx, host, "romeo")), [][]byte{[]byte("<a/>"), []byte("<b/>")})
	s.same(len(must[[][]byte](s)(s.st.AllPrivate(s.ctx, host, "juliet"))), 0)
	s.same(must[[]string](s)(s.st.PrivateOwners(s.ctx, host, "ns", "a")), []string{"romeo"})
	s.same(len(must[[]string](s)(s.st.PrivateOwners(s.ctx, host, "ns", "none"))), 0)
	_, err = s.st.Private(s.ctx, host, "romeo", "ns2", "a")
	s.is(err, store.ErrNotFound)
	s.ok(s.st.SetPrivate(s.ctx, host, "romeo", "ns", "a", []byte("<a x='1'/>"), 2))
	s.same(string(must[[]byte](s)(s.st.Private(s.ctx, host, "romeo", "ns", "a"))), "<a x='1'/>")
}

func bookmarks(s *suite) {
	s.user("romeo")
	b := store.Bookmark{
		Room:       "b@c",
		Name:       "B",
		Nick:       "n",
		Password:   "p",
		Autojoin:   true,
		Extensions: []byte("<extensions/>"),
		Updated:    at(1),
	}
	a := store.Bookmark{Room: "a@c", Updated: at(2)}
	s.ok(s.st.SetBookmarks(s.ctx, host, "romeo", 2, b, a))
	s.same(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo")), []store.Bookmark{a, b})
	s.is(s.st.SetBookmarks(s.ctx, host, "romeo", 2, store.Bookmark{Room: "c@c"}), store.ErrLimit)
	b.Autojoin, b.Extensions = false, nil
	s.ok(s.st.SetBookmarks(s.ctx, host, "romeo", 2, b))
	s.ok(s.st.DeleteBookmarks(s.ctx, host, "romeo", "a@c", "never@was"))
	s.same(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo")), []store.Bookmark{b})
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, other, "romeo"))), 0)
}

func nodes(s *suite) {
	n := store.Node{
		Host:    host,
		Owner:   "romeo",
		Name:    "b",
		Config:  []byte("{}"),
		Creator: "romeo@example.org",
		Created: at(1),
	}
	s.ok(s.st.CreateNode(s.ctx, n, 2, store.NodeAffiliation{JID: "a@x", Affiliation: "owner"}))
	s.is(s.st.CreateNode(s.ctx, n, 2), store.ErrExists)
	m := n
	m.Name = "a"
	s.ok(s.st.CreateNode(s.ctx, m, 2))
	m.Name = "c"
	s.is(s.st.CreateNode(s.ctx, m, 2), store.ErrLimit)
	for i, by := range []string{"a@x", "a@x", "b@x"} { // each creator has a share of the common limit
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Name: fmt.Sprint("shared", i), Creator: by, Share: 2}, 9))
	}
	s.is(s.st.CreateNode(s.ctx, store.Node{Host: host, Name: "shared", Creator: "a@x", Share: 2}, 9), store.ErrLimit)
	s.ok(s.st.DeleteNode(s.ctx, host, "", "shared0", "", 1))
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Name: "shared", Creator: "a@x", Share: 2}, 9))
	s.same(must[store.Node](s)(s.st.Node(s.ctx, host, "romeo", "b")), n)
	_, err := s.st.Node(s.ctx, host, "juliet", "b")
	s.is(err, store.ErrNotFound)
	ns := must[[]store.Node](s)(s.st.Nodes(s.ctx, host, "romeo", "", 10))
	s.same([]string{ns[0].Name, ns[1].Name}, []string{"a", "b"})
	s.ok(s.st.SetNodeConfig(s.ctx, store.Node{Host: host, Owner: "romeo", Name: "b", Config: []byte("[]")}))
	s.is(s.st.SetNodeConfig(s.ctx, store.Node{Host: host, Owner: "romeo", Name: "z"}), store.ErrNotFound)
	s.same(string(must[store.Node](s)(s.st.Node(s.ctx, host, "romeo", "b")).Config), "[]")
	s.ok(s.st.Publish(s.ctx, host, "romeo", "b", store.Keep{Items: 5}, store.NodeItem{ID: "i", Seq: 1}))
	s.ok(s.st.DeleteNode(s.ctx, host, "romeo", "b", "", 1))
	s.is(s.st.DeleteNode(s.ctx, host, "romeo", "b", "", 1), store.ErrNotFound)
	s.is(s.st.Publish(s.ctx, host, "romeo", "b", store.Keep{Items: 5},
		store.NodeItem{ID: "i", Seq: 1}), store.ErrNotFound)
	n.Config = nil
	s.ok(s.st.CreateNode(s.ctx, n, 2)) // nothing of the old node is in it
	nodeRedirects(s)
	its, total, err := s.st.Items(s.ctx, host, "romeo", "b", store.ItemPage{Max: 10})
	s.ok(err)
	s.same([]int{
		len(its), total, len(must[[]store.NodeAffiliation](s)(s.st.NodeAffiliations(s.ctx, host, "romeo", "b"))),
	}, []int{0, 0, 0})
}

// nodeRedirects checks that a redirect stays until the node is made again, and that only so many are kept.
func nodeRedirects(s *suite) {
	_, err := s.st.NodeRedirect(s.ctx, host, "juliet", "x")
	s.is(err, store.ErrNotFound)
	for _, name := range []string{"x", "y", "z"} {
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "juliet", Name: name, Config: []byte("{}")}, 0))
		s.ok(s.st.DeleteNode(s.ctx, host, "juliet", name, "xmpp:"+name, 2))
	}
	_, err = s.st.NodeRedirect(s.ctx, host, "juliet", "x")
	s.is(err, store.ErrNotFound)
	s.same(must[string](s)(s.st.NodeRedirect(s.ctx, host, "juliet", "z")), "xmpp:z")
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: "juliet", Name: "z", Config: []byte("{}")}, 0))
	_, err = s.st.NodeRedirect(s.ctx, host, "juliet", "z")
	s.is(err, store.ErrNotFound)
}

// nodeUpkeep: the upkeep removes what it should, and nothing else.
func nodeUpkeep(s *suite) {
	const hour = time.Hour
	now := store.Epoch.Add(1000 * hour)
	put := func(node, id, who string, ago time.Duration) {
		s.ok(s.st.Publish(s.ctx, host, "romeo", node, store.Keep{Items: 9},
			store.NodeItem{ID: id, Seq: store.FirstID(now.Add(-ago)) + 1, Publisher: who}))
	}
	left := func(node string, since store.ID) (ids []string) {
		its, total, err := s.st.Items(s.ctx, host, "romeo", node, store.ItemPage{Max: 9, Since: since})
		s.ok(err)
		for _, it := range its {
			ids = append(ids, it.ID)
		}
		s.same(total, len(its))
		return ids
	}
	for _, n := range []store.Node{
		{Name: "short", Upkeep: store.Upkeep{Expire: hour}},
		{Name: "long"},
		{Name: "off", Upkeep: store.Upkeep{PurgeOffline: true}},
	} {
		n.Host, n.Owner, n.Config = host, "romeo", []byte("{}")
		s.ok(s.st.CreateNode(s.ctx, n, 0))
		put(n.Name, "old", "romeo@"+host, 2*hour)
		put(n.Name, "new", "juliet@"+host, hour/2)
	}
	s.same(left("short", store.FirstID(now.Add(-hour))), []string{"new"})
	sub := store.NodeSubscription{
		Node:    "long",
		JID:     "a@x",
		SubID:   "1",
		State:   "subscribed",
		Options: []byte(`{"a":1}`),
		Expires: now,
	}
	stays := store.NodeSubscription{Node: "long", JID: "b@x", SubID: "2", State: "subscribed", Expires: now.Add(hour)}
	s.ok(s.st.SetNodeSubscriptions(s.ctx, host, "romeo", 9, sub, stays))
	s.same(must[[]store.NodeSubscription](s)(s.st.SubscriptionsOf(s.ctx, host, "romeo", "a@x")),
		[]store.NodeSubscription{sub})
	s.ok(s.st.ExpireNodes(s.ctx, "other.example", now))
	s.same(left("short", 0), []string{"old", "new"})
	s.ok(s.st.ExpireNodes(s.ctx, host, now))
	s.same(left("short", 0), []string{"new"})
	s.same(left("long", 0), []string{"old", "new"})
	s.same(must[[]store.NodeSubscription](s)(s.st.NodeSubscriptions(s.ctx, host, "romeo", "long")),
		[]store.NodeSubscription{stays})
	gone := must[[]store.OwnedItem](s)(s.st.PurgeOffline(s.ctx, host, "romeo", "romeo@"+host))
	if len(gone) != 1 || gone[0].Node != "off" || gone[0].ID != "old" || string(gone[0].Config) != "{}" {
		s.Errorf("went with their publisher: %+v", gone)
	}
	s.same(left("off", 0), []string{"new"})
	s.same(left("long", 0), []string{"old", "new"})
	s.ok(s.st.SetNodeConfig(s.ctx, store.Node{Host: host, Owner: "romeo", Name: "off", Config: []byte("{}")}))
	s.same(len(must[[]store.OwnedItem](s)(s.st.PurgeOffline(s.ctx, host, "romeo", "juliet@"+host))), 0)
}

func items(s *suite) {
	for _, owner := range []string{"romeo", "juliet"} {
		s.ok(s.st.CreateNode(s.ctx, store.Node{Host: host, Owner: owner, Name: "n", Config: []byte("{}")}, 0))
	}
	put := func(max int, is ...store.NodeItem) {
		s.ok(s.st.Publish(s.ctx, host, "romeo", "n", store.Keep{Items: max}, is...))
	}
	for i := 1; i <= 5; i++ {
		put(4, store.NodeItem{
			ID:        fmt.Sprint("i", i),
			Seq:       store.ID(i),
			Publisher: "romeo@example.org",
			Payload:   fmt.Appendf(nil, "<p>%d</p>", i),
		})
	}
	list := func(p store.ItemPage) (string, int) {
		its, total, err := s.st.Items(s.ctx, host, "romeo", "n", p)
		s.ok(err)
		out := ""
		for _, it := range its {
			out += it.ID + " "
		}
		return out, total
	}
	check := func(p store.ItemPage, want string) {
		s.Helper()
		if got, total := list(p); got != want || total != 4 {
			s.Errorf("%+v: got %q of %d, want %q", p, got, total, want)
		}
	}
	check(store.ItemPage{Max: 10}, "i2 i3 i4 i5 ")
	put(4, store.NodeItem{ID: "i2", Seq: 6, Payload: []byte("<again/>")}) // published again: it is now the newest item
	check(store.ItemPage{Max: 10}, "i3 i4 i5 i2 ")
	s.is(s.st.Publish(s.ctx, host, "romeo", "n", store.Keep{Items: 4, Refuse: true},
		store.NodeItem{ID: "i6", Seq: 7}), store.ErrFull)
	// the node takes no further item
	s.ok(s.st.Publish(s.ctx, host, "romeo", "n", store.Keep{Items: 4, Refuse: true},
		store.NodeItem{ID: "i2", Seq: 7, Payload: []byte("<again/>")}))
	check(store.ItemPage{Max: 10}, "i3 i4 i5 i2 ")
	check(store.ItemPage{Max: 2}, "i3 i4 ")
	check(store.ItemPage{Max: 2, Backwards: true}, "i5 i2 ")
	check(store.ItemPage{Max: 2, After: "i4"}, "i5 i2 ")
	check(store.ItemPage{Max: 1, Backwards: true, Before: "i5"}, "i4 ")
	check(store.ItemPage{Max: 9, IDs: []string{"i5", "i3", "no"}}, "i3 i5 ")
	_, _, err := s.st.Items(s.ctx, host, "romeo", "n", store.ItemPage{Max: 1, After: "no"})
	s.is(err, store.ErrNotFound)
	s.ok(s.st.Publish(s.ctx, host, "juliet", "n", store.Keep{Items: 4}, store.NodeItem{ID: "j", Seq: 9}))
	last := must[[]store.OwnedItem](s)(s.st.LastItems(s.ctx, host,
		[]string{"romeo", "juliet", "nobody"}, []string{"n", "m"}))
	got := make(map[string]string)
	for _, l := range last {
		got[l.Owner] = l.ID + string(l.Config)
	}
	s.same(got, map[string]string{"romeo": "i2{}", "juliet": "j{}"})
	s.same(must[[]string](s)(s.st.Retract(s.ctx, host, "romeo", "n", "i5", "no", "i2")), []string{"i5", "i2"})
	s.ok(s.st.Purge(s.ctx, host, "romeo", "n"))
	_, total := list(store.ItemPage{Max: 1})
	s.same(total, 0)
}

func nodePeople(s *suite) {
	s.ok(s.st.CreateNode(s.ctx, store.Node{Host: rooms, Name: "n"}, 0))
	a := store.NodeAffiliation{JID: "a@x", Affiliation: "owner"}
	s.ok(s.st.SetNodeAffiliations(s.ctx, rooms, "", "n", 2, a,
		store.NodeAffiliation{JID: "b@x", Affiliation: "member"}))
	s.is(s.st.SetNodeAffiliations(s.ctx, rooms, "", "n", 2,
		store.NodeAffiliation{JID: "c@x", Affiliation: "member"}), store.ErrLimit)
	s.ok(s.st.SetNodeAffiliations(s.ctx, rooms, "", "n", 2, store.NodeAffiliation{JID: "b@x", Affiliation: "none"}))
	s.same(must[[]store.NodeAffiliation](s)(s.st.NodeAffiliations(s.ctx, rooms, "", "n")), []store.NodeAffiliation{a})
	s.same(must[[]store.NodeRole](s)(s.st.NodeRoles(s.ctx, rooms, "", "a@x")),
		[]store.NodeRole{{Node: "n", Affiliation: "owner"}})
	one := store.NodeSubscription{Node: "n", JID: "a@x/res", SubID: "1", State: "subscribed"}
	two := store.NodeSubscription{Node: "n", JID: "a@x", SubID: "2", State: "pending"}
	s.ok(s.st.SetNodeSubscriptions(s.ctx, rooms, "", 2, one, two))
	s.is(s.st.SetNodeSubscriptions(s.ctx, rooms, "", 2,
		store.NodeSubscription{Node: "n", JID: "b@x", State: "subscribed"}), store.ErrLimit)
	s.same(must[[]store.NodeSubscription](s)(s.st.NodeSubscriptions(s.ctx, rooms, "", "n")),
		[]store.NodeSubscription{two, one})
	s.same(len(must[[]store.NodeSubscription](s)(s.st.SubscriptionsOf(s.ctx, rooms, "", "a@x"))), 2)
	one.State = "none"
	s.ok(s.st.SetNodeSubscriptions(s.ctx, rooms, "", 2, one))
	s.same(must[[]store.NodeSubscription](s)(s.st.SubscriptionsOf(s.ctx, rooms, "", "a@x")),
		[]store.NodeSubscription{two})
}

func (s *suite) group(id, slug string, ms ...store.Member) store.Group {
	g := store.Group{
		Host:        host,
		ID:          id,
		Slug:        slug,
		Room:        slug,
		Name:        "Group " + slug,
		Description: "D",
		Private:     true,
		ThemesBy:    "members",
		Created:     at(1),
	}
	s.ok(s.st.CreateGroup(s.ctx, g, store.Room{Host: rooms, Name: slug, Group: id, Created: at(1)}, ms,
		store.Bookmark{Room: slug + "@" + rooms, Name: g.Name, Autojoin: true}))
	return g
}

func groups(s *suite) {
	s.user("romeo", "juliet", "nurse")
	romeo := store.Member{JID: "romeo@example.org", Role: store.RoleOwner, Since: at(1)}
	g := s.group("g1", "eng", romeo, store.Member{JID: "far@elsewhere.example", Role: store.RoleMember, Since: at(1)})
	s.same(must[store.Group](s)(s.st.Group(s.ctx, host, "g1")), g)
	s.same(must[store.Group](s)(s.st.GroupBySlug(s.ctx, host, "eng")), g)
	err := s.st.CreateGroup(s.ctx, store.Group{Host: host, ID: "g2", Slug: "eng", Room: "eng2", Created: at(1)},
		store.Room{Host: rooms, Name: "eng2", Group: "g2"}, nil, store.Bookmark{Room: "eng2@" + rooms})
	s.is(err, store.ErrExists)
	s.same(must[store.Room](s)(s.st.Room(s.ctx, rooms, "eng")).Group, "g1")
	bs := must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo"))
	if len(bs) != 1 || bs[0].Room != "eng@"+rooms || !bs[0].Autojoin {
		s.Errorf("bookmarks of a new member: %+v", bs)
	}
	s.same(must[store.Member](s)(s.st.Member(s.ctx, host, "g1", "romeo@example.org")), romeo)
	s.same(must[map[string]store.Member](s)(s.st.Memberships(s.ctx, host, "romeo@example.org"))["g1"], romeo)
	s.same(len(must[map[string]store.Member](s)(s.st.Memberships(s.ctx, other, "romeo@example.org"))), 0)
	_, err = s.st.Member(s.ctx, host, "g1", "juliet@example.org")
	s.is(err, store.ErrNotFound)
	mark := []store.Bookmark{{Room: "eng@" + rooms, Autojoin: true}}
	s.ok(s.st.SetMembers(s.ctx, host, "g1", []store.Member{
		{JID: "juliet@example.org", Role: store.RoleMember, Since: at(2)},
		{JID: "nurse@example.org", Role: store.RoleBanned, Since: at(2)},
	}, mark))
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "juliet"))), 1)
	s.same(len(must[[]store.Group](s)(s.st.GroupsOf(s.ctx, host, "juliet@example.org"))), 1)
	s.same(len(must[[]store.Group](s)(s.st.GroupsOf(s.ctx, host, "nurse@example.org"))), 0)
	s.ok(s.st.SetMembers(s.ctx, host, "g1", []store.Member{{JID: "juliet@example.org"}}, mark))
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "juliet"))), 0)
	s.same(len(must[[]store.Member](s)(s.st.Members(s.ctx, host, "g1"))), 3)
	g.Name, g.Private = "Engineers", false
	s.ok(s.st.UpdateGroup(s.ctx, g))
	s.group("g3", "art")
	gs := must[[]store.Group](s)(s.st.Groups(s.ctx, host, "", 10))
	s.same([]string{gs[0].Slug, gs[1].Name}, []string{"art", "Engineers"})
	s.ok(s.st.DeleteGroup(s.ctx, host, "g1", at(9)))
	s.is(s.st.DeleteGroup(s.ctx, host, "g1", at(9)), store.ErrNotFound)
	_, err = s.st.Room(s.ctx, rooms, "eng")
	s.is(err, store.ErrNotFound)
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo"))), 0)
	s.same(len(must[[]store.Group](s)(s.st.Groups(s.ctx, host, "", 10))), 1)
}

func themes(s *suite) {
	s.user("romeo", "juliet")
	s.group("g1", "eng", store.Member{JID: "romeo@example.org", Role: store.RoleOwner, Since: at(1)})
	th := store.Theme{
		Host:    host,
		Group:   "g1",
		Key:     "abc234",
		Slug:    "q4",
		Room:    "q4.abc234",
		Name:    "Q4 launch",
		Creator: "romeo@example.org",
		Created: at(1),
	}
	make := func(th store.Theme) error {
		return s.st.CreateTheme(s.ctx, th,
			store.Room{Host: rooms, Name: th.Room, Group: "g1", Theme: th.Key, Created: at(1)},
			[]string{"romeo@example.org", "far@elsewhere.example"},
			store.Bookmark{Room: th.Room + "@" + rooms, Autojoin: true})
	}
	s.ok(make(th))
	s.is(make(th), store.ErrExists)
	s.same(must[store.Theme](s)(s.st.Theme(s.ctx, host, "abc234")), th)
	s.same(len(must[[]store.Bookmark](s)(s.st.Bookmarks(s.ctx, host, "romeo"))), 2)
	two := th
	two.Key, two.Room, two.Created = "xyz567", "q4.xyz567", at(2)
	s.ok(make(two))
	ts := must[[]store.Theme](s)(s.st.Themes(s.ctx, host, "g1"))
	s.same([]string{ts[0].Key, ts[1].Key}, []string{"abc234", "xyz567"})
	th.Name, th.Closed, th.Restricted = "Q5", at(5), true
	s.ok(s.st.UpdateTheme(s.ctx, th))
	s.same(must[store.Theme](s)(s.st.Theme(s.ctx, host, "abc234")), th)
	m := store.Member{JID: "juliet@example.org", Role: store.RoleMember, Since: at(3)}
	s.ok(s.st.SetThemeList(s.ctx, host, "abc234", m))
	s.same(must[[]store.Member](s)(s.st.ThemeList(s.ctx, host, "abc234")), []store.Member{m})
	m.Role = ""
	s.ok(s.st.SetThemeList(s.ctx, host, "abc234", m))
	s.same(len(must[[]store.Member](s)(s.st.ThemeList(s.ctx, host, "abc234"))), 0)
	_, err := s.st.Theme(s.ctx, host, "no")
	s.is(err, store.ErrNotFound)
}
