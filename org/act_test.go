package org_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/acts"
	"parley/internal/changes"
	"parley/org"
	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
	"parley/wire/jid"
)

// onEngines runs a test on SQLite and on PostgreSQL, with accounts of these names.
func onEngines(t *testing.T, names []string, f func(t *testing.T, st store.Store)) {
	t.Run("SQLite", func(t *testing.T) { f(t, open(t, names...)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		st, err := sqlstore.Open(t.Context(), pgtest.DSN(t), sqlstore.Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { st.Close() })
		for _, n := range names {
			if err := st.CreateUser(t.Context(), store.User{Host: host, Name: n, Created: time.Now()}); err != nil {
				t.Fatal(err)
			}
		}
		f(t, st)
	})
}

// TestActsAtOnce checks that concurrent changes of one group are made one after the other and told in that order, so
// that a listener knows who is in the group, and that the audit log has each of them.
func TestActsAtOnce(t *testing.T) {
	names := []string{"romeo", "juliet", "paris", "tybalt"}
	onEngines(t, names, func(t *testing.T, st store.Store) {
		ctx := t.Context()
		o := org.New(st, org.Config{})
		var mu sync.Mutex
		told := make(map[string]string)
		changes := 0
		o.Subscribe(func(e org.Event) {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range e.Members {
				if e.Kind == org.MembersChanged {
					told[m.JID] = m.Role
					changes++
				}
			}
		})
		g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{Name: "Verona", Owner: person("romeo")})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for k := range 6 {
					role := []string{store.RoleMember, "", store.RoleModerator, store.RoleBanned}[(i+k)%4]
					if err := o.SetMember(ctx, by(person("romeo")), host, g.ID,
						person(names[1+(i+k)%3]), role); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		ms, err := o.Members(ctx, host, g.ID)
		if err != nil {
			t.Fatal(err)
		}
		kept := make(map[string]string)
		for _, m := range ms {
			kept[m.JID] = m.Role
		}
		for _, n := range names[1:] {
			j := person(n)
			if told[j.String()] != kept[j.String()] {
				t.Errorf("%s was told of last as %q and is %q", j, told[j.String()], kept[j.String()])
			}
			if role, err := o.RoleOf(ctx, host, g.ID, j); err != nil || role != kept[j.String()] {
				t.Errorf("%s is remembered as %q and is %q: %v", j, role, kept[j.String()], err)
			}
		}
		es, err := st.AuditEntries(ctx, host, store.AuditFilter{Action: "group.members", Limit: 500})
		if err != nil || len(es) != changes {
			t.Errorf("%d entries of %d changes: %v", len(es), changes, err)
		}
	})
}

// TestPartsOfAnAct checks that an act within another one is undone with it, and then neither told nor cached; what
// follows it in the same act sees it.
func TestPartsOfAnAct(t *testing.T) {
	onEngines(t, []string{"romeo", "juliet"}, func(t *testing.T, st store.Store) {
		ctx := t.Context()
		var ids store.IDs
		l := acts.NewLog(st, changes.New(), func(string) store.ID { return ids.Next() })
		o := org.New(st, org.Config{Acts: l})
		var kinds []org.EventKind
		o.Subscribe(func(e org.Event) { kinds = append(kinds, e.Kind) })
		g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{Name: "Verona", Owner: person("romeo")})
		if err != nil {
			t.Fatal(err)
		}
		no := errors.New("no")
		both := func(fail error) error {
			return l.Do(ctx, host, acts.System, func(ctx context.Context, _ *acts.Act) error {
				if err := o.SetMember(ctx, acts.System, host, g.ID, person("juliet"), store.RoleMember); err != nil {
					return err
				}
				if err := o.SetMember(ctx, by(person("juliet")), host, g.ID, person("romeo"), ""); err == nil {
					return errors.New("a member takes the owner out")
				}
				if err := o.SetMember(ctx, acts.System, host, g.ID, person("juliet"), store.RoleModerator); err != nil {
					return err
				}
				if role, err := o.RoleOf(ctx, host, g.ID, person("juliet")); err != nil || role != store.RoleModerator {
					return fmt.Errorf("within the act she is %q: %v", role, err)
				}
				return fail
			})
		}
		if err := both(no); !errors.Is(err, no) {
			t.Fatal(err)
		}
		if role, err := o.RoleOf(ctx, host, g.ID, person("juliet")); err != nil || role != "" {
			t.Errorf("after what was undone she is %q: %v", role, err)
		}
		if err := both(nil); err != nil {
			t.Fatal(err)
		}
		if role, err := o.RoleOf(ctx, host, g.ID, person("juliet")); err != nil || role != store.RoleModerator {
			t.Errorf("she is %q: %v", role, err)
		}
		if want := []org.EventKind{org.GroupCreated, org.MembersChanged, org.MembersChanged}; !slices.Equal(kinds,
			want) {
			t.Errorf("told are %v, want %v", kinds, want)
		}
	})
}

// TestActAfterAnAct checks that a listener may act on the same group again, even while a third act waits for its turn
// to be told, and that all acts are told although their callers have given up.
func TestActAfterAnAct(t *testing.T) {
	onEngines(t, []string{"romeo", "juliet", "paris", "mercutio"}, func(t *testing.T, st store.Store) {
		ctx, gone := context.WithCancel(t.Context())
		var ids store.IDs
		l := acts.NewLog(st, changes.New(), func(string) store.ID { return ids.Next() })
		o := org.New(st, org.Config{Acts: l})
		g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{Name: "Verona", Owner: person("romeo")})
		if err != nil {
			t.Fatal(err)
		}
		add := func(ctx context.Context, name string) error {
			return o.SetMember(ctx, acts.System, host, g.ID, person(name), store.RoleMember)
		}
		kept := func(name string) bool {
			_, err := st.Member(t.Context(), host, g.ID, person(name).String())
			return err == nil
		}
		done := make(chan error, 2)
		go func() {
			done <- l.Do(ctx, host, acts.System, func(ctx context.Context, a *acts.Act) error {
				a.After(func(ctx context.Context) {
					gone()
					if err := add(ctx, "paris"); !errors.Is(err, acts.ErrAfter) {
						t.Errorf("an act while another is told: %v", err)
					}
					go func() { done <- add(t.Context(), "mercutio") }()
					for !kept("mercutio") { // its event waits for this one
						time.Sleep(time.Millisecond)
					}
				})
				a.Then(func(ctx context.Context) {
					if err := add(ctx, "paris"); err != nil {
						t.Error(err)
					}
				})
				return add(ctx, "juliet")
			})
		}()
		for range 2 {
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
			case <-time.After(time.Minute):
				t.Fatal("the acts wait for each other")
			}
		}
		for _, n := range []string{"juliet", "paris", "mercutio"} {
			if !kept(n) {
				t.Errorf("%s is no member", n)
			}
		}
	})
}

// TestCompositeActs checks that a change with several parts is made whole or not at all.
func TestCompositeActs(t *testing.T) {
	onEngines(t, []string{"romeo", "juliet"}, func(t *testing.T, st store.Store) {
		ctx := t.Context()
		o := org.New(st, org.Config{})
		g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{
			Name:    "Verona",
			Owner:   person("romeo"),
			Members: []jid.JID{person("juliet")},
		})
		if err != nil {
			t.Fatal(err)
		}
		th, err := o.CreateTheme(ctx, by(person("juliet")), host, g.ID, org.NewTheme{Name: "Balcony"})
		if err != nil {
			t.Fatal(err)
		}
		name, archived := "Orchard", org.ThemeArchived // archiving is for moderators
		ch := org.ThemeChange{Name: &name, State: &archived}
		if _, err := o.ChangeTheme(ctx, by(person("juliet")), host, th.Key, ch); err == nil {
			t.Error("a member archives a theme")
		}
		if now, err := o.Theme(ctx, host, th.Key); err != nil || now.Name != "Balcony" {
			t.Errorf("it is called %q: %v", now.Name, err)
		}
		if now, err := o.ChangeTheme(ctx, by(person("romeo")), host, th.Key, ch); err != nil ||
			now.Name != name || !now.Archived {
			t.Errorf("%+v, %v", now, err)
		}

		team, err := o.CreateTeam(ctx, acts.System, host, org.NewTeam{Name: "Sales", People: []string{"juliet"}})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.SetGroupTeams(ctx, by(person("romeo")), host, g.ID, []string{team.ID, "none"}); err == nil {
			t.Error("a team that there is not is in a group")
		}
		if gts, err := o.GroupTeams(ctx, host, g.ID); err != nil || len(gts) > 0 {
			t.Errorf("in the group are %v: %v", gts, err)
		}
		if err := o.SetGroupTeams(ctx, by(person("romeo")), host, g.ID, []string{team.ID}); err != nil {
			t.Error(err)
		}
		if gts, err := o.GroupTeams(ctx, host, g.ID); err != nil || len(gts) != 1 {
			t.Errorf("in the group are %v: %v", gts, err)
		}
	})
}

func TestMain(m *testing.M) { pgtest.Main(m) }
