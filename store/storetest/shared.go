package storetest

import "parley/store"

// sharing: a team's shared things, by kind, within a limit.
func sharing(s *suite) {
	x := func(kind, name, text string) store.Shared {
		return store.Shared{
			Host:    host,
			Team:    "t",
			Kind:    kind,
			Name:    name,
			Text:    text,
			Creator: "romeo@example.org",
			Updated: at(1),
		}
	}
	s.ok(s.st.PutShared(s.ctx, x(store.SharedSnippet, "hello", "Hello ♥"), 2))
	s.ok(s.st.PutShared(s.ctx, x(store.SharedSnippet, "bye", "Bye"), 2))
	s.ok(s.st.PutShared(s.ctx, x(store.SharedSnippet, "bye", "Goodbye"), 2))
	s.ok(s.st.PutShared(s.ctx, x(store.SharedContact, "nurse@example.org", "Nurse"), 1))
	s.is(s.st.PutShared(s.ctx, x(store.SharedSnippet, "more", "x"), 2), store.ErrLimit)
	s.same(must[[]store.Shared](s)(s.st.Shared(s.ctx, host, "t", store.SharedSnippet)),
		[]store.Shared{x(store.SharedSnippet, "bye", "Goodbye"), x(store.SharedSnippet, "hello", "Hello ♥")})
	s.same(len(must[[]store.Shared](s)(s.st.Shared(s.ctx, host, "other", store.SharedSnippet))), 0)
	s.ok(s.st.DeleteShared(s.ctx, host, "t", store.SharedSnippet, "bye"))
	s.is(s.st.DeleteShared(s.ctx, host, "t", store.SharedSnippet, "bye"), store.ErrNotFound)
	s.same(len(must[[]store.Shared](s)(s.st.Shared(s.ctx, host, "t", store.SharedContact))), 1)
}
