package changes_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/changes"
)

// pair joins two nodes in one process: what one is told, the other hears.
type pair struct{ other *changes.Changes }

func (p pair) Tell(ctx context.Context, t changes.Topic, key string) error {
	return p.other.Hear(ctx, t, key)
}

func two() (a, b *changes.Changes) {
	a, b = changes.New(), changes.New()
	a.Join(pair{b})
	b.Join(pair{a})
	return a, b
}

func TestTell(t *testing.T) {
	a, b := two()
	var heard []string
	note := func(who string) func(string) {
		return func(key string) { heard = append(heard, who+" "+key) }
	}
	a.Host("x.example").On(changes.Roster, note("a"))
	b.Host("x.example").On(changes.Roster, note("b"))
	b.Host("y.example").On(changes.Roster, note("y"))
	b.On(changes.Account, note("account"))
	tell := func(key string) {
		t.Helper()
		if err := a.Tell(t.Context(), changes.Roster, key); err != nil {
			t.Error(err)
		}
	}
	tell("romeo@x.example")
	tell("@y.example")
	tell("")
	want := []string{"a romeo", "b romeo", "y ", "a ", "b ", "y "}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
}

// Other nodes are told even if nobody waits for the answer any more.
func TestTellGoesOn(t *testing.T) {
	a, b := two()
	heard := false
	b.Follow(changes.Rules, func(ctx context.Context, _ string) error {
		heard = true
		return ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Tell(ctx, changes.Rules, ""); err != nil || !heard {
		t.Errorf("%v, heard: %v", err, heard)
	}
}

func TestTellAllIsShort(t *testing.T) {
	a, b := two()
	var heard []string
	b.On(changes.Account, func(key string) { heard = append(heard, key) })
	var all []changes.Change
	for i := range 10 {
		all = append(all, changes.Change{Topic: changes.Account, Key: fmt.Sprint(i % 2)})
	}
	if err := a.TellAll(t.Context(), all...); err != nil || !slices.Equal(heard, []string{"0", "1"}) {
		t.Errorf("%v, heard %q", err, heard)
	}
	heard, all = nil, nil
	for i := range 100 {
		all = append(all, changes.Change{Topic: changes.Account, Key: fmt.Sprint(i)})
	}
	if err := a.TellAll(t.Context(), all...); err != nil || !slices.Equal(heard, []string{""}) {
		t.Errorf("%v, heard %q", err, heard)
	}
}

// A topic of a newer release, and a gap, mean that anything may have changed.
func TestForget(t *testing.T) {
	c := changes.New()
	n := 0
	c.On(changes.Account, func(key string) {
		if key == "" {
			n++
		}
	})
	c.Host("x.example").On(changes.Group, func(name string) {
		if name == "" {
			n++
		}
	})
	for _, hear := range []func() error{
		func() error { return c.Hear(t.Context(), "colours", "blue") },
		func() error { return c.Forget(t.Context()) },
	} {
		n = 0
		if err := hear(); err != nil || n != 2 {
			t.Errorf("%v, %d have forgotten", err, n)
		}
	}
	n = 0
	if err := c.Hear(t.Context(), changes.Pins, ""); err != nil || n != 0 {
		t.Errorf("%v: a topic that nobody follows makes %d forget", err, n)
	}
}

// What cannot be read again is an error for who tells, and is read later.
func TestReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := two()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- b.Run(ctx) }()
		broken := errors.New("the database is away")
		var keys []string
		b.Follow(changes.Settings, func(_ context.Context, key string) error {
			if keys = append(keys, key); len(keys) < 3 {
				return broken
			}
			return nil
		})
		if err := a.Tell(ctx, changes.Settings, "@x.example"); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !slices.Equal(keys, []string{"@x.example", "", ""}) {
			t.Errorf("read %q", keys)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
