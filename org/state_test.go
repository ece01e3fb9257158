package org_test

import (
	"context"
	"sync/atomic"
	"testing"

	"parley/acts"
	"parley/org"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire/jid"
)

// late is a store whose first answer about themes comes late.
type late struct {
	*sqlstore.Store
	armed      atomic.Bool
	read, send chan struct{}
}

func (l *late) Themes(ctx context.Context, host, group string) ([]store.Theme, error) {
	ts, err := l.Store.Themes(ctx, host, group)
	if l.armed.CompareAndSwap(true, false) {
		close(l.read)
		<-l.send
	}
	return ts, err
}

// TestReadBeforeChange checks that a state whose reading began before a change does not hide that change afterwards.
func TestReadBeforeChange(t *testing.T) {
	ctx := context.Background()
	st := &late{Store: open(t, "romeo"), read: make(chan struct{}), send: make(chan struct{})}
	g, err := org.New(st, org.Config{}).CreateGroup(ctx, acts.System, host,
		org.NewGroup{Name: "Verona", Owner: person("romeo")})
	if err != nil {
		t.Fatal(err)
	}
	o := org.New(st, org.Config{}) // with an empty cache
	st.armed.Store(true)
	done := make(chan error, 1)
	go func() {
		_, err := o.Affiliation(ctx, host, g.ID, "", person("romeo"))
		done <- err
	}()
	<-st.read
	theme, err := o.CreateTheme(ctx, acts.System, host, g.ID, org.NewTheme{Name: "Feast", Creator: person("romeo")})
	if err != nil {
		t.Fatal(err)
	}
	close(st.send)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if a, err := o.Affiliation(ctx, host, g.ID, theme.Key, person("romeo")); err != nil || a != org.Owner {
		t.Errorf("in the new theme: %q, %v", a, err)
	}
}

// TestNewNamesAreForThoseInIt checks that the bookmarks of former members do not get new names of the group or its
// themes.
func TestNewNamesAreForThoseInIt(t *testing.T) {
	ctx := context.Background()
	st := open(t, "romeo", "juliet", "paris")
	o := org.New(st, org.Config{})
	g, err := o.CreateGroup(ctx, acts.System, host, org.NewGroup{
		Name:    "Plot",
		Kind:    org.Private,
		Owner:   person("romeo"),
		Members: []jid.JID{person("juliet"), person("paris")},
	})
	if err != nil {
		t.Fatal(err)
	}
	th, err := o.CreateTheme(ctx, acts.System, host, g.ID, org.NewTheme{Name: "Potion", Creator: person("romeo")})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.SetMember(ctx, acts.System, host, g.ID, person("paris"), ""); err != nil {
		t.Fatal(err)
	}
	// the client has kept his bookmarks
	for room, name := range map[string]string{g.Room: "Plot", th.Room: "Plot › Potion"} {
		if err := st.SetBookmarks(ctx, host, "paris", 0,
			store.Bookmark{Room: room + "@groups." + host, Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := o.RenameTheme(ctx, acts.System, host, th.Key, "Poison"); err != nil {
		t.Fatal(err)
	}
	name := "Tomb"
	if _, err := o.Update(ctx, acts.System, host, g.ID, org.GroupChange{Name: &name}); err != nil {
		t.Fatal(err)
	}
	for user, want := range map[string]map[string]bool{
		"juliet": {"Tomb": true, "Tomb › Poison": true},
		"paris":  {"Plot": true, "Plot › Potion": true},
	} {
		bs, err := st.Bookmarks(ctx, host, user)
		if err != nil || len(bs) != 2 {
			t.Fatal(bs, err)
		}
		for _, b := range bs {
			if !want[b.Name] {
				t.Errorf("%s has %q", user, b.Name)
			}
		}
	}
}
