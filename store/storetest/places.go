package storetest

import "parley/store"

func places(s *suite) {
	s.user("romeo", "juliet")
	of := func(owner, network string, used int) store.Place {
		return store.Place{Host: host, Owner: owner, Network: network, Used: at(used)}
	}
	all := func() []store.Place { return must[[]store.Place](s)(s.st.Places(s.ctx, host, store.Place{}, 100)) }
	s.ok(s.st.PutPlaces(s.ctx,
		[]store.Place{of("romeo", "a", 1), of("juliet", "a", 2), of("romeo", "b", 3), of("nobody", "a", 4)}, 3))
	s.same(all(), []store.Place{of("juliet", "a", 2), of("romeo", "a", 1), of("romeo", "b", 3)})
	s.same(must[[]store.Place](s)(s.st.Places(s.ctx, host, of("juliet", "a", 0), 1)),
		[]store.Place{of("romeo", "a", 1)})
	s.same(must[[]store.Place](s)(s.st.Places(s.ctx, host, of("romeo", "a", 0), 9)), []store.Place{of("romeo", "b", 3)})
	s.same(len(must[[]store.Place](s)(s.st.Places(s.ctx, other, store.Place{}, 9))), 0)
	// One is used again; the account keeps those used last.
	s.ok(s.st.PutPlaces(s.ctx, []store.Place{of("romeo", "a", 5), of("romeo", "c", 4), of("romeo", "d", 6)}, 3))
	s.same(all(), []store.Place{of("juliet", "a", 2), of("romeo", "a", 5), of("romeo", "c", 4), of("romeo", "d", 6)})
	s.ok(s.st.DeletePlaces(s.ctx, at(5)))
	s.same(all(), []store.Place{of("romeo", "a", 5), of("romeo", "d", 6)})
	// Places are deleted with the account: the next owner of its name has signed in from nowhere.
	s.ok(s.st.DeleteUser(s.ctx, host, "romeo"))
	s.same(len(all()), 0)
}
