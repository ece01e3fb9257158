package storetest

import "parley/store"

func reports(s *suite) {
	r := store.Report{
		Host:     host,
		ID:       10,
		Reporter: "romeo",
		Who:      "tybalt@c.example",
		Reason:   "abuse",
		Text:     "he bites his thumb",
		Messages: []store.ID{3, 4},
	}
	s.ok(s.st.AddReport(s.ctx, r, 2))
	second := store.Report{Host: host, ID: 20, Reporter: "romeo", Who: "c.example", Reason: "spam"}
	s.ok(s.st.AddReport(s.ctx, second, 2))
	s.is(s.st.AddReport(s.ctx, store.Report{Host: host, ID: 30, Reporter: "romeo", Who: "x"}, 2), store.ErrLimit)
	third := store.Report{Host: host, ID: 40, Reporter: "juliet", Who: "x", Reason: "spam", Room: "verona@" + rooms,
		Messages: []store.ID{7}}
	s.ok(s.st.AddReport(s.ctx, third, 2))
	s.same(must[[]store.Report](s)(s.st.Reports(s.ctx, host, 0, 10)), []store.Report{third, second, r})
	s.same(must[[]store.Report](s)(s.st.Reports(s.ctx, host, 40, 1)), []store.Report{second})
	s.same(len(must[[]store.Report](s)(s.st.Reports(s.ctx, "other.example", 0, 10))), 0)
	s.ok(s.st.DeleteReport(s.ctx, host, 20))
	s.is(s.st.DeleteReport(s.ctx, host, 20), store.ErrNotFound)
	s.same(must[[]store.Report](s)(s.st.Reports(s.ctx, host, 0, 10)), []store.Report{third, r})
}
