package org_test

import (
	"context"
	"sync/atomic"
	"testing"

	"parley/org"
	"parley/store"
	"parley/store/sqlstore"
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

// TestReadBeforeChange: what began to be read before a change does not hide that change from those who come after it.
func TestReadBeforeChange(t *testing.T) {
	ctx := context.Background()
	st := &late{Store: open(t, "romeo"), read: make(chan struct{}), send: make(chan struct{})}
	g, err := org.New(st, org.Config{}).CreateGroup(ctx, host, org.NewGroup{Name: "Verona", Owner: person("romeo")})
	if err != nil {
		t.Fatal(err)
	}
	o := org.New(st, org.Config{}) // knows nothing yet
	st.armed.Store(true)
	done := make(chan error, 1)
	go func() {
		_, err := o.Affiliation(ctx, host, g.ID, "", person("romeo"))
		done <- err
	}()
	<-st.read
	theme, err := o.CreateTheme(ctx, host, g.ID, org.NewTheme{Name: "Feast", Creator: person("romeo")})
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
