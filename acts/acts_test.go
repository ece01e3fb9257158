package acts_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"parley/acts"
	"parley/internal/changes"
	"parley/store"
	"parley/store/sqlstore"
)

const host = "example.org"

func open(t *testing.T) (*acts.Log, store.Store) {
	st, err := sqlstore.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "db"), sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	var ids store.IDs
	return acts.NewLog(st, changes.New(), func(string) store.ID { return ids.Next() }), st
}

func entries(t *testing.T, st store.Store) (all []string) {
	t.Helper()
	es, err := st.AuditEntries(t.Context(), host, store.AuditFilter{Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range es {
		all = append(all, e.Action+" "+e.Target+" "+e.Detail+" "+e.Door)
	}
	return all
}

// TestDo checks that a change and its entry are kept together or not at all, and that only kept changes are told.
func TestDo(t *testing.T) {
	l, st := open(t)
	no := errors.New("no")
	var said []string
	say := func(s string) func(context.Context) { return func(context.Context) { said = append(said, s) } }
	act := func(fail error) error {
		return l.Do(t.Context(), host, acts.System, func(ctx context.Context, a *acts.Act) error {
			a.End(func() { said = append(said, "end") })
			a.Note(acts.GroupCreate, "verona", acts.Detail{"kind": "public"})
			a.After(say("kept"))
			if err := st.Put(ctx, host, "k", []byte("v")); err != nil {
				return err
			}
			err := l.Do(ctx, host, acts.Operator, func(ctx context.Context, a *acts.Act) error {
				a.Note(acts.GroupDelete, "mantua", nil)
				a.After(say("part"))
				return fail
			})
			if err != nil {
				return err
			}
			a.After(say("last"))
			return nil
		})
	}
	if err := act(no); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	if got := entries(t, st); got != nil {
		t.Errorf("of what was not done the log has %q", got)
	}
	if _, err := st.Get(t.Context(), host, "k"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("what was not done is kept: %v", err)
	}
	if err := act(nil); err != nil {
		t.Fatal(err)
	}
	if got, want := said, []string{"end", "kept", "part", "last", "end"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	if got, want := entries(t, st), []string{
		`group.delete mantua  command line`, `group.create verona {"kind":"public"} server`,
	}; !slices.Equal(got, want) {
		t.Errorf("the log has %q, want %q", got, want)
	}
}

// TestNobody checks that a change needs an actor with a door.
func TestNobody(t *testing.T) {
	l, _ := open(t)
	if err := l.Do(t.Context(), host, acts.Actor{Role: store.RoleOwner},
		func(context.Context, *acts.Act) error { return nil }); !errors.Is(err, acts.ErrNobody) {
		t.Errorf("got %v", err)
	}
}

// TestMeanings checks that each verb is explained once.
func TestMeanings(t *testing.T) {
	seen := make(map[acts.Verb]bool)
	for _, m := range acts.Meanings {
		if seen[m.Verb] || m.What == "" || m.Target == "" {
			t.Errorf("%s: %+v", m.Verb, m)
		}
		seen[m.Verb] = true
	}
}

var update = flag.Bool("update", false, "write docs/audit.md")

// TestDocument checks that docs/audit.md is up to date and explains each door.
func TestDocument(t *testing.T) {
	if len(acts.Doors) == 0 || len(acts.Meanings) == 0 {
		t.Fatal("there are no doors, or no verbs")
	}
	want := acts.Document()
	for _, d := range acts.Doors {
		if bytes.Contains(want, []byte("| `"+string(d)+"` |  |")) {
			t.Errorf("the door %q is not explained", d)
		}
	}
	name := filepath.Join("..", "docs", "audit.md")
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/audit.md is not what the acts say: go test ./acts -run Document -update (%v)", err)
	}
}

// beside is another node in this process.
type beside struct{ *changes.Changes }

func (b beside) Tell(ctx context.Context, t changes.Topic, key string) error {
	return b.Hear(ctx, t, key)
}

// Caches forget what acts have changed once it is committed, before anybody is told; and an act that not all nodes know
// of is an error, although it is made and told.
func TestChanged(t *testing.T) {
	l, st := open(t)
	var said []string
	l.Changes().On(changes.Group, func(key string) {
		if _, err := st.Get(t.Context(), host, "k"); err != nil {
			t.Errorf("it is told before it is kept: %v", err)
		}
		said = append(said, key)
	})
	change := func(fail error) error {
		return l.Do(t.Context(), host, acts.System, func(ctx context.Context, a *acts.Act) error {
			a.After(func(context.Context) { said = append(said, "after") })
			a.Kept(func(context.Context) { said = append(said, "kept") })
			return l.Do(ctx, host, acts.System, func(ctx context.Context, a *acts.Act) error {
				a.Changed(changes.Group, "g")
				a.Changed(changes.Group, "g")
				return errors.Join(st.Put(ctx, host, "k", []byte("v")), fail)
			})
		})
	}
	broken := errors.New("broken")
	if err := change(broken); !errors.Is(err, broken) || said != nil {
		t.Errorf("%v; said %q of what was not kept", err, said)
	}
	want := []string{"g@" + host, "kept", "after"}
	if err := change(nil); err != nil || !slices.Equal(said, want) {
		t.Errorf("%v; said %q, want %q", err, said, want)
	}
	said = nil
	other := changes.New()
	other.Follow(changes.Group, func(context.Context, string) error { return broken })
	l.Changes().Join(beside{other})
	if err := change(nil); !errors.Is(err, broken) || !slices.Equal(said, want) {
		t.Errorf("with a node that cannot read it: %v; said %q, want %q", err, said, want)
	}
}
