package storetest

import "parley/store"

// links are kept in their order, each host's by itself.
func links(s *suite) {
	tickets := store.Link{
		ID:     "a",
		Name:   "Tickets",
		NameFR: "Demandes",
		URL:    "https://tickets.example/?a=1&b=\"2\"",
		Icon:   "ticket",
		Roles:  []string{store.RoleOwner, store.RoleAdmin},
		Teams:  []string{"t1"},
		Place:  2,
	}
	phones := store.Link{ID: "b", Name: "Telephony", URL: "https://phones.example/", Icon: "phone", Place: 1}
	s.same(len(must[[]store.Link](s)(s.st.Links(s.ctx, host))), 0)
	s.ok(s.st.SetLink(s.ctx, host, tickets))
	s.ok(s.st.SetLink(s.ctx, host, phones))
	s.ok(s.st.SetLink(s.ctx, other, store.Link{ID: "a", Name: "Other", URL: "https://other.example/", Icon: "link"}))
	s.same(must[[]store.Link](s)(s.st.Links(s.ctx, host)), []store.Link{phones, tickets})
	tickets = store.Link{ID: "a", Name: "Desk", URL: "https://desk.example/", Icon: "life-buoy", Place: 0,
		Teams: []string{"t2", "t3"}}
	s.ok(s.st.SetLink(s.ctx, host, tickets))
	s.same(must[[]store.Link](s)(s.st.Links(s.ctx, host)), []store.Link{tickets, phones})
	s.is(s.st.DeleteLink(s.ctx, host, "none"), store.ErrNotFound)
	s.ok(s.st.DeleteLink(s.ctx, host, "a"))
	s.same(must[[]store.Link](s)(s.st.Links(s.ctx, host)), []store.Link{phones})
	s.same(len(must[[]store.Link](s)(s.st.Links(s.ctx, other))), 1)
}
