package storetest

import "parley/store"

// quiet hours are kept as they are said, by account, and go with it.
func quiet(s *suite) {
	s.user("romeo", "juliet")
	_, err := s.st.QuietHours(s.ctx, host, "romeo")
	s.is(err, store.ErrNotFound)
	get := func(name string) store.QuietHours {
		return must[store.QuietHours](s)(s.st.QuietHours(s.ctx, host, name))
	}
	nights := store.QuietHours{
		On:    true,
		From:  22 * 60,
		To:    7*60 + 30,
		Days:  1<<1 | 1<<5,
		Zone:  "Europe/Paris",
		Until: at(5),
	}
	s.ok(s.st.SetQuietHours(s.ctx, host, "romeo", nights))
	s.same(get("romeo"), nights)
	s.ok(s.st.SetQuietHours(s.ctx, host, "juliet", store.QuietHours{Days: store.EveryDay, To: 1439, Zone: "UTC"}))
	s.ok(s.st.SetQuietHours(s.ctx, host, "romeo", store.QuietHours{}))
	s.same(get("romeo"), store.QuietHours{})
	s.same(get("juliet"), store.QuietHours{Days: store.EveryDay, To: 1439, Zone: "UTC"})
	s.is(s.st.SetQuietHours(s.ctx, host, "nobody", nights), store.ErrNotFound)
	s.deleted(host, "juliet")
	_, err = s.st.QuietHours(s.ctx, host, "juliet")
	s.is(err, store.ErrNotFound)
}
