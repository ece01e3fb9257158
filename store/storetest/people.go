package storetest

import (
	"fmt"
	"time"

	"parley/store"
)

func invitation(id string) store.Invitation {
	return store.Invitation{
		Host:       host,
		ID:         id,
		Generation: 1,
		Inviter:    "romeo",
		Kind:       store.KindInvite,
		Account:    true,
		Contact:    true,
		Username:   "juliet",
		Email:      "j@x.example",
		Lang:       "fr",
		Note:       "hello",
		State:      store.InviteOpen,
		MaxUses:    1,
		Created:    at(1),
		Expires:    at(10),
	}
}

func invitations(s *suite) {
	i := invitation("one")
	created := store.InvitationEvent{ID: 1, Kind: "created", Actor: "romeo"}
	s.ok(s.st.CreateInvitation(s.ctx, i, 2, created))
	s.is(s.st.CreateInvitation(s.ctx, i, 9, created), store.ErrExists)
	s.same(must[store.Invitation](s)(s.st.Invitation(s.ctx, host, "one")), i)
	for _, c := range [][2]string{{host, "two"}, {other, "one"}} {
		_, err := s.st.Invitation(s.ctx, c[0], c[1])
		s.is(err, store.ErrNotFound)
	}
	use := func(id string, generation int, at time.Time) error {
		_, err := s.st.UseInvitation(s.ctx, host, id, generation, at, nil,
			store.InvitationEvent{ID: 9, Kind: "accepted"})
		return err
	}
	s.is(use("one", 1, at(10)), store.ErrNotFound) // expired
	s.is(use("one", 2, at(2)), store.ErrNotFound)  // of another generation
	two := invitation("two")
	two.Created, two.MaxUses, two.Username = at(2), 2, ""
	s.ok(s.st.CreateInvitation(s.ctx, two, 2, created))
	three := invitation("three")
	s.is(s.st.CreateInvitation(s.ctx, three, 2, created), store.ErrLimit)
	_, err := s.st.Invitation(s.ctx, host, "three")
	s.is(err, store.ErrNotFound)
	all, n, err := s.st.Invitations(s.ctx, host, store.InvitationFilter{Limit: 1})
	s.ok(err)
	s.same(n, 2)
	s.same(all, []store.Invitation{two})
	all, n, err = s.st.Invitations(s.ctx, host, store.InvitationFilter{
		Username: "juliet",
		Kind:     store.KindInvite,
		Inviter:  "romeo",
		Limit:    5,
	})
	s.ok(err)
	s.same(n, 1)
	s.same(all, []store.Invitation{i})

	// Used twice, and then no longer.
	s.ok(use("two", 1, at(3)))
	_, err = s.st.UseInvitation(s.ctx, host, "two", 1, at(3), nil, store.InvitationEvent{ID: 10, Kind: "accepted"})
	s.ok(err)
	s.is(use("two", 1, at(3)), store.ErrNotFound)
	s.same(must[store.Invitation](s)(s.st.Invitation(s.ctx, host, "two")).State, store.InviteAccepted)
	s.ok(s.st.CreateInvitation(s.ctx, three, 2, created)) // an invitation that is over does not count

	got, err := s.st.UpdateInvitation(s.ctx, host, "one", func(i *store.Invitation) (store.InvitationEvent, error) {
		i.Generation, i.State, i.Expires = 2, store.InviteRevoked, at(20)
		return store.InvitationEvent{ID: 5, Kind: "revoked", Actor: "romeo", Detail: "x"}, nil
	})
	s.ok(err)
	i.Generation, i.State, i.Expires = 2, store.InviteRevoked, at(20)
	s.same(got, i)
	s.same(must[store.Invitation](s)(s.st.Invitation(s.ctx, host, "one")), i)
	s.is(use("one", 2, at(2)), store.ErrNotFound)
	s.ok(s.st.AddInvitationEvent(s.ctx, host, "one", store.InvitationEvent{ID: 3, Kind: "opened"}))
	s.same(must[[]store.InvitationEvent](s)(s.st.InvitationEvents(s.ctx, host, "one")),
		[]store.InvitationEvent{created, {ID: 3, Kind: "opened"}, {
			ID:     5,
			Kind:   "revoked",
			Actor:  "romeo",
			Detail: "x",
		}})
	_, err = s.st.UpdateInvitation(s.ctx, host, "none", nil)
	s.is(err, store.ErrNotFound)
}

// invitedAccounts are made with the invitation, or get their password with it, and never lose one by it.
func invitedAccounts(s *suite) {
	n := store.ID(0)
	use := func(i store.Invitation, u store.User) error {
		n++
		s.ok(s.st.CreateInvitation(s.ctx, i, 0, store.InvitationEvent{ID: 1}))
		_, err := s.st.UseInvitation(s.ctx, host, i.ID, 1, at(2), &u,
			store.InvitationEvent{ID: n + 1, Kind: "accepted"})
		return err
	}
	i := invitation("new")
	i.Username = ""
	u := store.User{Host: host, Name: "benvolio", Keys: []byte{1}, FullName: "Benvolio", Created: at(2)}
	s.ok(use(i, u))
	s.same(must[store.User](s)(s.st.User(s.ctx, host, "benvolio")), u)
	i.ID = "again"
	u.Keys = []byte{2}
	s.is(use(i, u), store.ErrExists)
	s.same(must[store.Invitation](s)(s.st.Invitation(s.ctx, host, "again")).Uses, 0) // the use does not count

	s.ok(s.st.CreatePerson(s.ctx, store.Person{
		User: store.User{Host: host, Name: "juliet", FullName: "Juliet", Created: at(1)},
		Role: store.RoleMember,
	}))
	i.ID = "stranger" // an invitation without a name cannot take an account that waits
	s.is(use(i, store.User{Host: host, Name: "juliet", Keys: []byte{3}}), store.ErrExists)
	s.ok(use(invitation("hers"), store.User{Host: host, Name: "juliet", Keys: []byte{4}, FullName: "Juliet C"}))
	p := must[store.Person](s)(s.st.Person(s.ctx, host, "juliet"))
	s.same([]any{p.Keys, p.FullName, p.State()}, []any{[]byte{4}, "Juliet C", store.StateActive})
	s.is(use(invitation("late"), store.User{Host: host, Name: "juliet", Keys: []byte{5}}), store.ErrExists)

	reset := invitation("reset")
	reset.Kind = store.KindReset
	s.ok(s.st.CreateWebSession(s.ctx, store.WebSession{
		Host:    host,
		Hash:    "h",
		Owner:   "juliet",
		Created: at(1),
		Expires: at(9),
	}, 5))
	s.ok(use(reset, store.User{Host: host, Name: "juliet", Keys: []byte{6}}))
	s.same(must[store.User](s)(s.st.User(s.ctx, host, "juliet")).Keys, []byte{6})
	_, err := s.st.WebSession(s.ctx, host, "h", at(2))
	s.is(err, store.ErrNotFound)
	reset.ID, reset.Username = "nobody", "nobody"
	s.is(use(reset, store.User{Host: host, Name: "nobody", Keys: []byte{6}}), store.ErrNotFound)
}

func people(s *suite) {
	p := store.Person{
		User: store.User{
			Host:     host,
			Name:     "juliet",
			Keys:     []byte{1},
			Admin:    true,
			FullName: "Juliette Été",
			Created:  at(1),
		},
		Role:       store.RoleOwner,
		Email:      "Juliet@Capulet.example",
		Phone:      "+33 1",
		Title:      "Lead",
		Department: "Été",
		Lang:       "fr",
		Shown:      store.Shown{Phone: store.ShownToAdmins},
	}
	s.ok(s.st.CreatePerson(s.ctx, p))
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "juliet")), p)
	s.same(must[store.Person](s)(s.st.PersonByEmail(s.ctx, host, "juliet@capulet.EXAMPLE")), p)
	for _, err := range []error{
		second(s.st.Person(s.ctx, other, "juliet")), second(s.st.PersonByEmail(s.ctx, other, p.Email)),
		second(s.st.PersonByEmail(s.ctx, host, "")),
	} {
		s.is(err, store.ErrNotFound)
	}
	s.is(s.st.CreatePerson(s.ctx, p), store.ErrExists)
	q := store.Person{
		User:  store.User{Host: host, Name: "nurse", Created: at(1)},
		Role:  store.RoleMember,
		Email: "JULIET@capulet.example",
	}
	s.is(s.st.CreatePerson(s.ctx, q), store.ErrExists)
	_, err := s.st.User(s.ctx, host, "nurse")
	s.is(err, store.ErrNotFound) // nothing of it is kept
	q.Email = ""
	s.ok(s.st.CreatePerson(s.ctx, q))
	q.Name, q.Host = "nurse", other
	s.ok(s.st.CreatePerson(s.ctx, q))
	q.Host = host
	s.user("romeo") // without anything known of him
	s.ok(s.st.SetAdmin(s.ctx, host, "romeo", true))
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "romeo")).Role, store.RoleAdmin)

	peopleLists(s)
	peopleChanges(s, p)
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "nurse")), q)

	// Deleting somebody deletes all that belongs to them; the address is free again.
	s.deleted(host, "juliet")
	_, err = s.st.PersonByEmail(s.ctx, host, "j@x.example")
	s.is(err, store.ErrNotFound)
	s.user("juliet")
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "juliet")).Shown, store.Shown{})
}

// peopleNames gives how many people a filter finds, and the names on the page that it asks for.
func (s *suite) peopleNames(f store.PeopleFilter) (ns []string) {
	f.Limit = max(f.Limit, 1)
	ps, n, err := s.st.People(s.ctx, host, f)
	s.ok(err)
	ns = append(ns, fmt.Sprint(n))
	for _, p := range ps {
		ns = append(ns, p.Name)
	}
	return ns
}

// peopleLists checks the filters, with juliet, nurse and romeo as people has made them.
func peopleLists(s *suite) {
	for _, c := range []struct {
		f    store.PeopleFilter
		want []string
	}{
		{store.PeopleFilter{Limit: 9}, []string{"3", "juliet", "nurse", "romeo"}},
		{store.PeopleFilter{Limit: 1, Offset: 1}, []string{"3", "nurse"}},
		{store.PeopleFilter{Words: []string{"ÉTÉ", "capulet"}}, []string{"1", "juliet"}},
		{store.PeopleFilter{Words: []string{"%"}}, []string{"0"}},
		{store.PeopleFilter{State: store.StateInvited}, []string{"1", "nurse"}},
		{store.PeopleFilter{Role: store.RoleAdmin}, []string{"1", "romeo"}},
		{store.PeopleFilter{Role: store.RoleOwner}, []string{"1", "juliet"}},
		{store.PeopleFilter{Department: "Été"}, []string{"1", "juliet"}},
		{store.PeopleFilter{Words: []string{"capulet"}, Open: true}, []string{"1", "juliet"}},
		{store.PeopleFilter{Words: []string{"été", "lead"}, Open: true}, []string{"1", "juliet"}},
		{store.PeopleFilter{Department: "Été", Open: true}, []string{"1", "juliet"}},
	} {
		s.same(s.peopleNames(c.f), c.want)
	}
	s.group("g1", "eng", store.Member{JID: "romeo@" + host, Role: store.RoleOwner, Since: at(1)},
		store.Member{JID: "juliet@" + host, Role: store.RoleMember, Since: at(1)},
		store.Member{JID: "nurse@" + host, Role: store.RoleBanned, Since: at(1)},
		store.Member{JID: "nurse@elsewhere.example", Role: store.RoleMember, Since: at(1)})
	s.user("tybalt")
	for role, want := range map[string][]string{
		"":                  {"2", "juliet", "romeo"},
		store.RoleOwner:     {"1", "romeo"},
		store.RoleBanned:    {"1", "nurse"},
		store.RoleModerator: {"0"},
		store.OutsideGroup:  {"1", "tybalt"},
	} {
		s.same(s.peopleNames(store.PeopleFilter{Group: "g1", GroupRole: role, Limit: 9}), want)
	}
	s.same(s.peopleNames(store.PeopleFilter{Group: "g1", Words: []string{"rom"}, Limit: 9}), []string{"1", "romeo"})
	s.same(s.peopleNames(store.PeopleFilter{Group: "none", Limit: 9}), []string{"0"})
	s.deleted(host, "tybalt")
	s.ok(s.st.ChangeOrg(s.ctx, store.OrgChange{
		Host:   host,
		TeamID: "t",
		Team:   &store.Team{Host: host, ID: "t", Slug: "t", Name: "T", Created: at(1)},
		In:     []string{"nurse"},
	}))
	s.same(s.peopleNames(store.PeopleFilter{Team: "t", Limit: 9}), []string{"1", "nurse"})
	s.same(s.peopleNames(store.PeopleFilter{Team: "t", OutsideTeam: true, Limit: 9}), []string{"2", "juliet", "romeo"})
	s.same(s.peopleNames(store.PeopleFilter{Team: "t", Words: []string{"juliet"}}), []string{"0"})
	s.same(must[map[string]int](s)(s.st.CountPeople(s.ctx, host, store.PeopleFilter{})),
		map[string]int{store.StateActive: 2, store.StateInvited: 1})
	s.same(must[[]string](s)(s.st.Departments(s.ctx, host)), []string{"Été"})
	s.same(must[map[string]int](s)(s.st.CountByTeam(s.ctx, host, store.PeopleFilter{})), map[string]int{"t": 1})
	s.same(must[map[string]int](s)(s.st.CountByTeam(s.ctx, host, store.PeopleFilter{But: "nurse"})), map[string]int{})
	s.countByDepartment()
}

// countByDepartment counts people, and leaves out those who do not show everybody their department where that matters.
func (s *suite) countByDepartment() {
	of := func(f store.PeopleFilter) map[string]int {
		return must[map[string]int](s)(s.st.CountByDepartment(s.ctx, host, f))
	}
	s.same(of(store.PeopleFilter{}), map[string]int{"Été": 1})
	in := must[[]store.Person](s)(people1(s.st.People(s.ctx, host, store.PeopleFilter{Department: "Été", Limit: 1})))
	s.same(of(store.PeopleFilter{But: in[0].Name}), map[string]int{})
	s.same(of(store.PeopleFilter{Open: true}), map[string]int{"Été": 1})
	shown := func(to string) {
		_, _, err := s.st.UpdatePerson(s.ctx, host, in[0].Name, func(p *store.Person) error {
			p.Shown.Department = to
			return nil
		})
		s.ok(err)
	}
	shown(store.ShownToTeam)
	s.same(of(store.PeopleFilter{Open: true}), map[string]int{})
	s.same(of(store.PeopleFilter{}), map[string]int{"Été": 1})
	shown(in[0].Shown.Department)
}

// people1 leaves out how many people there are.
func people1(ps []store.Person, _ int, err error) ([]store.Person, error) { return ps, err }

// peopleChanges changes juliet, whose present state is p.
func peopleChanges(s *suite, p store.Person) {
	was, is, err := s.st.UpdatePerson(s.ctx, host, "juliet", func(p *store.Person) error {
		p.Role, p.Disabled, p.Archived, p.FullName, p.Keys, p.Email = store.RoleSupervisor, true,
			at(7), "J", nil, "j@x.example"
		p.Shown = store.Shown{Email: store.ShownToTeam, Title: store.ShownToAdmins, Department: store.ShownToTeam}
		return nil
	})
	s.ok(err)
	s.same(was, p)
	p.Role, p.Disabled, p.Archived, p.FullName, p.Email, p.Admin = store.RoleSupervisor, true, at(7),
		"J", "j@x.example", false
	p.Shown = store.Shown{Email: store.ShownToTeam, Title: store.ShownToAdmins, Department: store.ShownToTeam}
	s.same(is, p)
	s.same(must[store.Person](s)(s.st.Person(s.ctx, host, "juliet")), p)
	s.same(s.peopleNames(store.PeopleFilter{State: store.StateArchived}), []string{"1", "juliet"})
	s.same(s.peopleNames(store.PeopleFilter{Here: true, Limit: 9}), []string{"2", "nurse", "romeo"})
	// fields that not everybody sees are not searched for everybody
	for _, w := range []string{"x.example", "lead", "été"} {
		s.same(s.peopleNames(store.PeopleFilter{Words: []string{w}}), []string{"1", "juliet"})
		s.same(s.peopleNames(store.PeopleFilter{Words: []string{w}, Open: true}), []string{"0"})
	}
	s.same(s.peopleNames(store.PeopleFilter{Department: "Été", Open: true}), []string{"0"})
	_, _, err = s.st.UpdatePerson(s.ctx, host,
		"nurse", func(p *store.Person) error { p.Email = "J@X.example"; return nil })
	s.is(err, store.ErrExists)
	_, _, err = s.st.UpdatePerson(s.ctx, host, "nobody", func(*store.Person) error { return nil })
	s.is(err, store.ErrNotFound)
	_, _, err = s.st.UpdatePerson(s.ctx, host,
		"nurse", func(p *store.Person) error { p.FullName = "x"; return store.ErrConflict })
	s.is(err, store.ErrConflict)
}

func second[T any](_ T, err error) error { return err }

func webSessions(s *suite) {
	w := store.WebSession{
		Host:    host,
		Hash:    "a",
		Owner:   "romeo",
		Created: at(1),
		Seen:    at(1),
		Expires: at(10),
		Proven:  at(1),
		Remote:  "::1",
		Agent:   "Firefox",
	}
	s.ok(s.st.CreateWebSession(s.ctx, w, 2))
	s.same(must[store.WebSession](s)(s.st.WebSession(s.ctx, host, "a", at(9))), w)
	s.user("romeo")
	both, owner, err := s.st.WebSessionAndOwner(s.ctx, host, "a", at(9))
	s.ok(err)
	s.same(both, w)
	s.same(owner, must[store.Person](s)(s.st.Person(s.ctx, host, w.Owner)))
	_, _, err = s.st.WebSessionAndOwner(s.ctx, host, "a", at(10))
	s.is(err, store.ErrNotFound)
	for _, err := range []error{
		second(s.st.WebSession(s.ctx, host, "a", at(10))), second(s.st.WebSession(s.ctx, other, "a", at(2))),
		second(s.st.WebSession(s.ctx, host, "b", at(2))),
	} {
		s.is(err, store.ErrNotFound)
	}
	for i, hash := range []string{"b", "c"} { // the third takes the place of the one not seen for longest
		v := w
		v.Hash, v.Created, v.Seen = hash, at(2+i), at(2+i)
		s.ok(s.st.CreateWebSession(s.ctx, v, 2))
	}
	hashes := func() (hs []string) {
		for _, w := range must[[]store.WebSession](s)(s.st.WebSessionsOf(s.ctx, host, "romeo", at(5))) {
			hs = append(hs, w.Hash)
		}
		return hs
	}
	s.same(hashes(), []string{"c", "b"})
	s.ok(s.st.TouchWebSession(s.ctx, store.WebSession{Host: host, Hash: "b", Seen: at(8), Expires: at(30)}))
	b := must[store.WebSession](s)(s.st.WebSession(s.ctx, host, "b", at(20)))
	s.same([]time.Time{b.Seen, b.Expires, b.Proven}, []time.Time{at(8), at(30), at(1)})
	s.ok(s.st.TouchWebSession(s.ctx, store.WebSession{
		Host:    host,
		Hash:    "b",
		Seen:    at(8),
		Expires: at(30),
		Proven:  at(6),
	}))
	s.same(must[store.WebSession](s)(s.st.WebSession(s.ctx, host, "b", at(20))).Proven, at(6))
	s.is(s.st.TouchWebSession(s.ctx, store.WebSession{Host: host, Hash: "x"}), store.ErrNotFound)
	// A new password ends them all.
	s.user("nurse")
	n := w
	n.Hash, n.Owner = "n", "nurse"
	s.ok(s.st.CreateWebSession(s.ctx, n, 2))
	s.ok(s.st.SetKeys(s.ctx, host, "nurse", []byte{1}))
	_, err = s.st.WebSession(s.ctx, host, "n", at(2))
	s.is(err, store.ErrNotFound)
	s.is(s.st.DeleteWebSession(s.ctx, host, "juliet", "b"), store.ErrNotFound) // belongs to somebody else
	s.ok(s.st.DeleteWebSessions(s.ctx, host, "romeo", "b"))
	s.same(hashes(), []string{"b"})
	s.ok(s.st.DeleteWebSession(s.ctx, host, "romeo", "b"))
	s.same(hashes(), []string(nil))
}

func audit(s *suite) {
	for i, a := range []string{"person.create", "person.disable", "personal", "group.create"} {
		s.ok(s.st.AddAudit(s.ctx, host, store.AuditEntry{
			ID:     store.ID(i + 1),
			Actor:  []string{"romeo", "juliet"}[i%2],
			Action: a,
			Target: fmt.Sprint("t", i%3),
			Detail: "{}",
			Remote: "::1",
		}))
	}
	ids := func(f store.AuditFilter) (ids []store.ID) {
		f.Limit = max(f.Limit, 2)
		for _, e := range must[[]store.AuditEntry](s)(s.st.AuditEntries(s.ctx, host, f)) {
			ids = append(ids, e.ID)
		}
		return ids
	}
	s.same(ids(store.AuditFilter{}), []store.ID{4, 3})
	s.same(ids(store.AuditFilter{Before: 3}), []store.ID{2, 1})
	s.same(ids(store.AuditFilter{Action: "person"}), []store.ID{2, 1})
	s.same(ids(store.AuditFilter{Actor: "romeo"}), []store.ID{3, 1})
	s.same(ids(store.AuditFilter{Target: "t0", Limit: 9}), []store.ID{4, 1})
	s.same(must[[]store.AuditEntry](s)(s.st.AuditEntries(s.ctx, other,
		store.AuditFilter{Limit: 9})), []store.AuditEntry(nil))
}

func outbox(s *suite) {
	m := store.Mail{
		Host:       host,
		ID:         1,
		To:         "j@x.example",
		Subject:    "hello",
		Text:       "t",
		HTML:       "<p>",
		Invitation: "i",
		State:      store.MailWaiting,
		Due:        at(1),
	}
	s.ok(s.st.AddMail(s.ctx, m))
	late := m
	late.ID, late.Due = 2, at(9)
	s.ok(s.st.AddMail(s.ctx, late))
	s.same(must[[]store.Mail](s)(s.st.DueMails(s.ctx, host, at(2), 5)), []store.Mail{m})
	s.ok(s.st.ClaimMail(s.ctx, m, at(5)))
	s.is(s.st.ClaimMail(s.ctx, m, at(6)), store.ErrConflict) // another was faster
	s.same(must[[]store.Mail](s)(s.st.DueMails(s.ctx, host, at(2), 5)), []store.Mail(nil))
	m.Attempts, m.State, m.Error, m.Done, m.Due = 1, store.MailFailed, "no such mailbox", at(3), at(5)
	s.ok(s.st.SetMail(s.ctx, m))
	s.is(s.st.ClaimMail(s.ctx, m, at(6)), store.ErrConflict) // the invitation is over
	s.same(must[[]store.Mail](s)(s.st.Mails(s.ctx, host, 0, 5)), []store.Mail{late, m})
	s.same(must[map[string]int](s)(s.st.CountMails(s.ctx, host)),
		map[string]int{store.MailWaiting: 1, store.MailFailed: 1})
	// A sent mail keeps no text.
	m.State, m.Error = store.MailSent, ""
	s.ok(s.st.SetMail(s.ctx, m))
	m.Text, m.HTML = "", ""
	s.same(must[[]store.Mail](s)(s.st.Mails(s.ctx, host, 0, 5)), []store.Mail{late, m})
}

// digests are put off by one of those who try, with their mail.
func digests(s *suite) {
	s.user("romeo", "juliet", "nurse")
	for _, n := range []string{"romeo", "juliet"} {
		_, _, err := s.st.UpdatePerson(s.ctx, host,
			n, func(p *store.Person) error { p.Email = n + "@x.example"; return nil })
		s.ok(err)
	}
	s.same(must[store.Digest](s)(s.st.Digest(s.ctx, host, "romeo")), store.Digest{Owner: "romeo"})
	weekly := store.Digest{Owner: "romeo", Every: store.DigestWeekly, Due: at(5)}
	s.ok(s.st.SetDigest(s.ctx, host, weekly))
	s.same(must[int](s)(s.st.StartDigests(s.ctx, host, at(7), 9)), 1) // the nurse has no address, romeo his choice
	s.same(must[int](s)(s.st.StartDigests(s.ctx, host, at(9), 9)), 0)
	due := func(t int) []store.Digest { return must[[]store.Digest](s)(s.st.DueDigests(s.ctx, host, at(t), 9)) }
	s.same(due(4), []store.Digest(nil))
	s.same(due(7), []store.Digest{weekly, {Owner: "juliet", Due: at(7)}})
	m := store.Mail{
		Host:       host,
		ID:         8,
		To:         "romeo@x.example",
		Subject:    "missed",
		Invitation: store.DigestOf("romeo"),
		State:      store.MailWaiting,
		Due:        at(5),
	}
	s.ok(s.st.PutOffDigest(s.ctx, host, weekly, at(12), 77, &m))
	m2 := m
	m2.ID = 9
	s.is(s.st.PutOffDigest(s.ctx, host, weekly, at(12), 77, &m2), store.ErrConflict)
	s.same(must[[]store.Mail](s)(s.st.Mails(s.ctx, host, 0, 5)), []store.Mail{m})
	s.same(len(must[[]store.Mail](s)(s.st.Mails(s.ctx, host, m.ID, 5))), 0)
	s.same(must[[]store.Mail](s)(s.st.Mails(s.ctx, host, m.ID+1, 5)), []store.Mail{m})
	s.same(len(must[[]store.Mail](s)(s.st.MailsOf(s.ctx, host, ""))), 0)
	if m.Invitation != "" {
		s.same(must[[]store.Mail](s)(s.st.MailsOf(s.ctx, host, m.Invitation)), []store.Mail{m})
	}
	weekly.Due, weekly.Told = at(12), 77
	s.same(must[store.Digest](s)(s.st.Digest(s.ctx, host, "romeo")), weekly)
	off := store.Digest{Owner: "romeo", Every: store.DigestOff}
	s.ok(s.st.SetDigest(s.ctx, host, off))
	s.is(s.st.PutOffDigest(s.ctx, host, weekly, at(20), 78, nil), store.ErrConflict) // has chosen again
	s.same(due(99), []store.Digest{{Owner: "juliet", Due: at(7)}})
	s.same(must[store.Digest](s)(s.st.Digest(s.ctx, host, "romeo")).Told, store.ID(77))
	s.ok(s.st.PutOffDigest(s.ctx, host, store.Digest{Owner: "juliet", Due: at(7)}, at(8), 0, nil))
	s.deleted(host, "juliet")
	s.same(due(99), []store.Digest(nil))
}
