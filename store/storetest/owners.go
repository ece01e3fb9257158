package storetest

import (
	"fmt"

	"parley/store"
)

// lastOwner: however many owners go at the same moment, one is left.
func lastOwner(s *suite) {
	const n = 6
	for i := range n {
		s.ok(s.st.CreatePerson(s.ctx, store.Person{
			User: store.User{Host: host, Name: fmt.Sprint("o", i), Keys: []byte{1}, Admin: true, Created: at(1)},
			Role: store.RoleOwner,
		}))
	}
	s.ok(s.st.CreatePerson(s.ctx,
		store.Person{User: store.User{Host: host, Name: "waits", Admin: true, Created: at(1)}, Role: store.RoleOwner}))
	s.ok(s.st.CreatePerson(s.ctx, store.Person{
		User: store.User{Host: other, Name: "elsewhere", Keys: []byte{1}, Admin: true, Created: at(1)},
		Role: store.RoleOwner,
	}))
	go1 := []func(p *store.Person) error{
		func(p *store.Person) error { p.Role = store.RoleMember; return nil },
		func(p *store.Person) error { p.Disabled = true; return nil },
		func(p *store.Person) error { p.Archived, p.Disabled = at(3), true; return nil },
	}
	s.same(race(n, func(i int) error {
		_, _, err := s.st.UpdateOwner(s.ctx, host, fmt.Sprint("o", i), go1[i%len(go1)])
		return err
	}), map[string]int{"ok": n - 1, store.ErrLast.Error(): 1})
	left := must[[]store.Person](s)(first(s.st.People(s.ctx, host,
		store.PeopleFilter{Role: store.RoleOwner, State: store.StateActive, Limit: 9})))
	s.same(len(left), 1)
	// A change that takes no owner away works like UpdatePerson.
	_, is, err := s.st.UpdateOwner(s.ctx, host,
		left[0].Name, func(p *store.Person) error { p.FullName = "Last"; return nil })
	s.ok(err)
	s.same(is.FullName, "Last")
	_, _, err = s.st.UpdateOwner(s.ctx, host,
		"waits", func(p *store.Person) error { p.Role = store.RoleMember; return nil })
	s.ok(err)
	_, _, err = s.st.UpdateOwner(s.ctx, host, "nobody", nil)
	s.is(err, store.ErrNotFound)
}

func first[T any](v T, _ int, err error) (T, error) { return v, err }
