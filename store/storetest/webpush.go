package storetest

import "parley/store"

// pushSubscriptions: each session has one at most, a browser is woken for one person, and what is over is not woken.
func pushSubscriptions(s *suite) {
	s.user("romeo", "juliet")
	for _, w := range []store.WebSession{
		{Hash: "a", Owner: "romeo", Expires: at(10)}, {Hash: "b", Owner: "romeo", Expires: at(20)},
		{Hash: "c", Owner: "juliet", Expires: at(20)},
	} {
		w.Host, w.Created, w.Seen, w.Proven = host, at(1), at(2), at(1)
		s.ok(s.st.CreateWebSession(s.ctx, w, 5))
	}
	sub := func(owner, session, endpoint string) store.PushSubscription {
		return store.PushSubscription{
			Owner:    owner,
			Session:  session,
			Endpoint: endpoint,
			Key:      "k" + endpoint,
			Auth:     "x",
		}
	}
	of := func(owner string, now, used int) []store.PushSubscription {
		return must[[]store.PushSubscription](s)(s.st.PushSubscriptionsOf(s.ctx, host, owner, at(now), at(used)))
	}
	set := func(p store.PushSubscription) { s.ok(s.st.SetPushSubscription(s.ctx, host, p)) }
	set(sub("romeo", "a", "old"))
	set(sub("romeo", "a", "one"))
	set(sub("romeo", "b", "two"))
	set(sub("juliet", "c", "three"))
	s.is(s.st.SetPushSubscription(s.ctx, host, sub("romeo", "c", "four")), store.ErrNotFound)
	s.is(s.st.SetPushSubscription(s.ctx, other, sub("romeo", "a", "four")), store.ErrNotFound)
	s.same(of("romeo", 5, 1), []store.PushSubscription{sub("romeo", "a", "one"), sub("romeo", "b", "two")})
	s.same(len(of("romeo", 5, 2)), 0)
	s.same(of("romeo", 15, 1), []store.PushSubscription{sub("romeo", "b", "two")})
	s.same(must[[]string](s)(s.st.PushSubscribers(s.ctx, host)), []string{"juliet", "romeo"})

	set(sub("juliet", "c", "two")) // she has signed in with his browser
	s.same(of("romeo", 5, 1), []store.PushSubscription{sub("romeo", "a", "one")})
	s.is(s.st.DeletePushSubscription(s.ctx, host, "romeo", "a", "two"), store.ErrNotFound)
	s.ok(s.st.DeletePushSubscription(s.ctx, host, "romeo", "a", "one"))
	s.is(s.st.DeletePushSubscription(s.ctx, host, "romeo", "a", ""), store.ErrNotFound)
	s.same(must[[]string](s)(s.st.PushSubscribers(s.ctx, host)), []string{"juliet"})

	set(sub("romeo", "a", "one"))
	set(sub("romeo", "b", "five"))
	s.ok(s.st.DeleteWebSession(s.ctx, host, "romeo", "a"))
	s.same(of("romeo", 5, 1), []store.PushSubscription{sub("romeo", "b", "five")})
	s.ok(s.st.DeleteWebSessions(s.ctx, host, "romeo", ""))
	s.same(must[[]string](s)(s.st.PushSubscribers(s.ctx, host)), []string{"juliet"})
	s.ok(s.st.SetKeys(s.ctx, host, "juliet", []byte{2}))
	s.same(len(must[[]string](s)(s.st.PushSubscribers(s.ctx, host))), 0)
}
