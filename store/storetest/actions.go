package storetest

import "parley/store"

// actions are kept in their order, each host's by itself.
func actions(s *suite) {
	ticket := store.Action{
		ID:      "a",
		Name:    "Create a ticket",
		NameFR:  "Créer une demande",
		Icon:    "ticket",
		URL:     "https://tickets.example/new?a=1&b=\"2\"",
		Secret:  "s1",
		Roles:   []string{store.RoleOwner},
		Teams:   []string{"t1"},
		Groups:  []string{"g1", "g2"},
		Tells:   []string{"text", "link"},
		Comment: true,
		Place:   2,
	}
	wiki := store.Action{ID: "b", Name: "Keep", Icon: "folder", URL: "https://wiki.example/", Secret: "s2", Place: 1}
	s.same(len(must[[]store.Action](s)(s.st.Actions(s.ctx, host))), 0)
	s.ok(s.st.SetAction(s.ctx, host, ticket))
	s.ok(s.st.SetAction(s.ctx, host, wiki))
	s.ok(s.st.SetAction(s.ctx, other, store.Action{ID: "a", Name: "Other", Icon: "link", URL: "https://o.example/"}))
	s.same(must[[]store.Action](s)(s.st.Actions(s.ctx, host)), []store.Action{wiki, ticket})
	ticket = store.Action{ID: "a", Name: "Report", Icon: "wrench", URL: "https://desk.example/", Secret: "s3",
		Tells: []string{"author"}}
	s.ok(s.st.SetAction(s.ctx, host, ticket))
	s.same(must[[]store.Action](s)(s.st.Actions(s.ctx, host)), []store.Action{ticket, wiki})
	s.is(s.st.DeleteAction(s.ctx, host, "none"), store.ErrNotFound)
	s.ok(s.st.DeleteAction(s.ctx, host, "a"))
	s.same(must[[]store.Action](s)(s.st.Actions(s.ctx, host)), []store.Action{wiki})
	s.same(len(must[[]store.Action](s)(s.st.Actions(s.ctx, other))), 1)
}
