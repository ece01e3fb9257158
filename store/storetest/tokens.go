package storetest

import "parley/store"

func factors(s *suite) {
	_, err := s.st.SecondFactor(s.ctx, host, "romeo")
	s.is(err, store.ErrNotFound)
	f := store.SecondFactor{Secret: "ABC", LastStep: 7, Recovery: []string{"x", "y"}}
	s.ok(s.st.SetSecondFactor(s.ctx, host, "romeo", f))
	s.same(must[store.SecondFactor](s)(s.st.SecondFactor(s.ctx, host, "romeo")), f)
	s.ok(s.st.UseSecondFactor(s.ctx, host, "romeo", func(f *store.SecondFactor) error {
		f.Confirmed, f.LastStep, f.Recovery = true, 8, nil
		return nil
	}))
	s.same(must[store.SecondFactor](s)(s.st.SecondFactor(s.ctx, host, "romeo")), store.SecondFactor{
		Secret:    "ABC",
		Confirmed: true,
		LastStep:  8,
		Recovery:  []string{},
	})
	s.is(s.st.UseSecondFactor(s.ctx, host, "juliet", nil), store.ErrNotFound)
	s.is(s.st.UseSecondFactor(s.ctx, host,
		"romeo", func(f *store.SecondFactor) error { f.LastStep = 99; return store.ErrConflict }), store.ErrConflict)
	s.same(must[store.SecondFactor](s)(s.st.SecondFactor(s.ctx, host, "romeo")).LastStep, int64(8))
	s.ok(s.st.DeleteSecondFactor(s.ctx, host, "romeo"))
	_, err = s.st.SecondFactor(s.ctx, host, "romeo")
	s.is(err, store.ErrNotFound)

	p := store.AppPassword{ID: "1", Name: "phone", Keys: []byte{1}, Created: at(1)}
	s.ok(s.st.AddAppPassword(s.ctx, host, "romeo", p, 1))
	s.is(s.st.AddAppPassword(s.ctx, host, "romeo",
		store.AppPassword{ID: "2", Keys: []byte{1}, Created: at(1)}, 1), store.ErrLimit)
	s.ok(s.st.UseAppPassword(s.ctx, host, "romeo", "1", at(3)))
	p.Used = at(3)
	s.same(must[[]store.AppPassword](s)(s.st.AppPasswords(s.ctx, host, "romeo")), []store.AppPassword{p})
	s.is(s.st.DeleteAppPassword(s.ctx, host, "juliet", "1"), store.ErrNotFound)
	s.ok(s.st.DeleteAppPassword(s.ctx, host, "romeo", "1"))
	s.same(must[[]store.AppPassword](s)(s.st.AppPasswords(s.ctx, host, "romeo")), []store.AppPassword(nil))
}

// Deleting an app password deletes the tokens that clients got with it.
func appTokens(s *suite) {
	s.user("romeo")
	app := func(id string) {
		s.ok(s.st.AddAppPassword(s.ctx, host, "romeo", store.AppPassword{
			ID:      id,
			Name:    id,
			Keys:    []byte{1},
			Created: at(1),
		}, 9))
	}
	put := func(client, app string, n byte) {
		s.ok(s.st.PutToken(s.ctx, store.Token{
			Host:      host,
			Owner:     "romeo",
			Client:    client,
			Mechanism: "m",
			Salt:      []byte{n},
			Issued:    at(1),
			Expires:   at(9),
			Fresh:     true,
			App:       app,
		}, 9))
	}
	apps := func(client string) (out []string) {
		for _, t := range must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", client)) {
			out = append(out, t.App)
		}
		return out
	}
	app("1")
	app("2")
	put("a", "1", 1)
	put("b", "2", 2)
	put("c", "", 3)
	s.same([][]string{apps("a"), apps("b"), apps("c")}, [][]string{{"1"}, {"2"}, {""}})
	s.ok(s.st.DeleteAppPassword(s.ctx, host, "romeo", "1"))
	s.same([][]string{apps("a"), apps("b"), apps("c")}, [][]string{nil, {"2"}, {""}})
	// A client that comes with another password has nothing left of the one before, used or not.
	b := must[[]store.Token](s)(s.st.Tokens(s.ctx, host, "romeo", "b"))
	s.ok(s.st.UseToken(s.ctx, b[0], 0))
	put("b", "", 4)
	s.same(apps("b"), []string{""})
	put("b", "2", 5)
	s.same(apps("b"), []string{"2"})

	s.ok(s.st.AddAPIToken(s.ctx, store.APIToken{
		Host:    host,
		Hash:    "r",
		Owner:   "romeo",
		Created: at(1),
		Expires: at(9),
	}, 9))
	s.user("nurse")
	s.ok(s.st.AddAppPassword(s.ctx, host, "nurse", store.AppPassword{ID: "1", Keys: []byte{1}, Created: at(1)}, 9))
	s.ok(s.st.RevokePrograms(s.ctx, host, "romeo"))
	s.same([][]string{apps("b"), apps("c")}, [][]string{nil, nil})
	s.same(len(must[[]store.AppPassword](s)(s.st.AppPasswords(s.ctx, host, "romeo"))), 0)
	s.same(len(must[[]store.APIToken](s)(s.st.APITokensOf(s.ctx, host, "romeo"))), 0)
	s.same(len(must[[]store.AppPassword](s)(s.st.AppPasswords(s.ctx, host, "nurse"))), 1)
}

func apiTokens(s *suite) {
	k := store.APIToken{
		Host:    host,
		Hash:    "h",
		Owner:   "romeo",
		Name:    "script",
		Scopes:  "people:read",
		Created: at(1),
		Expires: at(9),
	}
	s.ok(s.st.AddAPIToken(s.ctx, k, 1))
	s.is(s.st.AddAPIToken(s.ctx, store.APIToken{Host: host, Hash: "i", Owner: "romeo"}, 1), store.ErrLimit)
	s.same(must[store.APIToken](s)(s.st.APIToken(s.ctx, host, "h", at(8))), k)
	_, err := s.st.APIToken(s.ctx, host, "h", at(9))
	s.is(err, store.ErrNotFound)
	s.ok(s.st.UseAPIToken(s.ctx, host, "h", at(3)))
	k.Used = at(3)
	s.same(must[[]store.APIToken](s)(s.st.APITokensOf(s.ctx, host, "romeo")), []store.APIToken{k})
	j := store.APIToken{
		Host:    host,
		Hash:    "j",
		Owner:   "juliet",
		Name:    "other",
		Scopes:  "audit:read",
		Created: at(5),
		Expires: at(9),
	}
	s.ok(s.st.AddAPIToken(s.ctx, j, 1))
	for _, part := range []struct {
		offset, limit int
		want          []store.APIToken
	}{{0, 10, []store.APIToken{j, k}}, {0, 1, []store.APIToken{j}}, {1, 1, []store.APIToken{k}}, {2, 1, nil}} {
		ts, total, err := s.st.APITokens(s.ctx, host, part.offset, part.limit)
		s.ok(err)
		s.same(ts, part.want)
		s.same(total, 2)
	}
	s.is(s.st.DeleteAPIToken(s.ctx, host, "juliet", "h"), store.ErrNotFound)
	s.ok(s.st.DeleteAPIToken(s.ctx, host, "romeo", "h"))
}
