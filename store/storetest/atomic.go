package storetest

import (
	"context"
	"errors"
	"fmt"

	"parley/store"
)

// atomic: several calls are kept together, or none of them.
func atomic(s *suite) {
	errNo := errors.New("no")
	entry := func(id store.ID) store.AuditEntry {
		return store.AuditEntry{ID: id, Action: fmt.Sprint("x", int64(id)), Door: "page"}
	}
	kept := func() (names []string) {
		for _, e := range must[[]store.AuditEntry](s)(s.st.AuditEntries(s.ctx, host, store.AuditFilter{Limit: 50})) {
			names = append(names, e.Action)
		}
		return names
	}
	s.is(s.st.Atomic(s.ctx, func(ctx context.Context) error {
		s.ok(s.st.AddAudit(ctx, host, entry(1)))
		s.ok(s.st.Put(ctx, host, "k", []byte("v")))
		// the transaction sees what it has written
		if b, err := s.st.Get(ctx, host, "k"); err != nil || string(b) != "v" {
			s.Errorf("got %q, %v", b, err)
		}
		return errNo
	}), errNo)
	s.same(kept(), []string(nil))
	s.is(func() error { _, err := s.st.Get(s.ctx, host, "k"); return err }(), store.ErrNotFound)

	s.ok(s.st.Atomic(s.ctx, func(ctx context.Context) error {
		s.ok(s.st.AddAudit(ctx, host, entry(2)))
		s.is(s.st.Atomic(ctx, func(ctx context.Context) error { // a part that fails takes nothing with it
			s.ok(s.st.AddAudit(ctx, host, entry(3)))
			return errNo
		}), errNo)
		u := store.User{Host: host, Name: "romeo", Created: at(1)}
		s.ok(s.st.CreateUser(ctx, u))
		s.is(s.st.CreateUser(ctx, u), store.ErrExists) // nor does a call that makes a transaction of its own
		return s.st.AddAudit(ctx, host, entry(4))
	}))
	s.same(kept(), []string{"x4", "x2"})
	for id, want := range map[store.ID]bool{2: true, 3: false, 4: true, 99: false} {
		s.same(must[bool](s)(s.st.AuditKept(s.ctx, host, id)), want)
	}
	s.same(kept(), []string{"x4", "x2"})
	must[store.User](s)(s.st.User(s.ctx, host, "romeo"))

	// Within a transaction, an archive holds everything committed before, and rooms can be ended.
	s.user("juliet")
	s.ok(s.st.Commit(s.ctx, &store.ArchiveEntry{
		Host:   host,
		Owner:  "juliet",
		ID:     9,
		With:   "romeo@" + host,
		Stanza: []byte("<message/>"),
	}))
	s.ok(s.st.Atomic(s.ctx, func(ctx context.Context) error {
		s.ok(s.st.AddAudit(ctx, host, entry(5)))
		es, _, _, err := s.st.ReadArchive(ctx, host, "juliet", store.Page{Max: 5})
		if err != nil {
			return err
		}
		if len(es) != 1 {
			s.Errorf("it reads %d messages", len(es))
		}
		return s.st.DeleteUser(ctx, host, "juliet")
	}))
	s.same(kept()[0], "x5")
	s.is(func() error { _, err := s.st.User(s.ctx, host, "juliet"); return err }(), store.ErrNotFound)

	// Concurrent changes of one thing are made one after the other.
	s.same(race(8, func(int) error {
		return s.st.Atomic(s.ctx, func(ctx context.Context) error {
			v, err := s.st.Bump(ctx, host, "group", "g")
			if err != nil {
				return err
			}
			b, err := s.st.Get(ctx, host, "sum")
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			if len(b) != int(v)-1 {
				return fmt.Errorf("version %d after %d changes", v, len(b))
			}
			return s.st.Put(ctx, host, "sum", append(b, '+'))
		})
	}), map[string]int{"ok": 8})
	s.same(must[int64](s)(s.st.Version(s.ctx, host, "group", "g")), int64(8))
	s.same(must[int64](s)(s.st.Version(s.ctx, host, "group", "h")), int64(0))
}
