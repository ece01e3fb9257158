package everywhere

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// pair joins two nodes in one process.
type pair struct{ to *Everywhere }

func (p pair) Tell(name string, data []byte) { _, _ = p.to.Hear(context.Background(), name, data) }

func (p pair) Ask(name string, data []byte) (wait func() []Answer) {
	b, err := p.to.Hear(context.Background(), name, data)
	return func() []Answer { return []Answer{{Node: "b", Data: b, Err: err}} }
}

// What is told or asked on one node is done on the other one, on the host that it is about.
func TestOthers(t *testing.T) {
	a, b := New(), New()
	a.Join(pair{b})
	b.Join(pair{a})
	var heard []string
	for _, host := range []string{"one", "two"} {
		On(b.Host(host), "say", func(_ context.Context, word string) (any, error) {
			heard = append(heard, host+" "+word)
			if word == "no" {
				return nil, errors.New("not here")
			}
			return len(heard), nil
		})
	}
	a.Host("two").Tell("say", "hello")
	got := Asked[int](a.Host("one"), "say", "again")
	if want := []string{"two hello", "one again"}; !slices.Equal(heard, want) {
		t.Errorf("heard %q, want %q", heard, want)
	}
	if !slices.Equal(got, []int{2}) {
		t.Errorf("answers %v", got)
	}
	for _, x := range []struct{ host, word string }{{"one", "no"}, {"three", "who"}} {
		if got := Asked[int](a.Host(x.host), "say", x.word); len(got) != 0 {
			t.Errorf("%v: answers %v", x, got)
		}
		if as := a.Host(x.host).Ask("say", x.word); len(as) != 1 || as[0].Err == nil {
			t.Errorf("%v: %v", x, as)
		}
	}
}

// A node that serves alone tells nobody.
func TestAlone(t *testing.T) {
	p := New().All()
	p.Tell("say", "hello")
	if p.Others() || p.Ask("say", "hello") != nil {
		t.Error("there are others")
	}
	if (Part{}).Others() {
		t.Error("nothing has others")
	}
}
