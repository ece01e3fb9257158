package memo_test

import (
	"testing"

	"parley/internal/memo"
)

func TestMap(t *testing.T) {
	m := memo.Map[string, int]{Most: 2}
	m.Put("a", 1)
	m.Put("b", 2)
	for k, want := range map[string]int{"a": 1, "b": 2} {
		if v, ok := m.Get(k); !ok || v != want {
			t.Errorf("%s: got %d, %v", k, v, ok)
		}
	}
	m.Put("c", 3)
	if _, ok := m.Get("a"); ok {
		t.Error("it has not started anew")
	}
	if v, ok := m.Get("c"); !ok || v != 3 {
		t.Errorf("c: got %d, %v", v, ok)
	}
	m.Drop("c")
	if _, ok := m.Get("c"); ok {
		t.Error("c was dropped")
	}
	before := m.Drops()
	m.Put("d", 4)
	m.DropAll()
	m.PutUnless("e", 5, before)
	for _, k := range []string{"d", "e"} {
		if _, ok := m.Get(k); ok {
			t.Errorf("%s is there after all were dropped", k)
		}
	}
}

func TestForgetting(t *testing.T) {
	var m memo.Map[string, int]
	m.Put("a", 1)
	m.Put("b", 2)
	m.Put("c", 3)
	forget := memo.Forgetting(&m)
	before := m.Drops()
	forget("a")
	if _, ok := m.Get("a"); ok {
		t.Error("a is there")
	}
	if v, _ := m.Get("b"); v != 2 {
		t.Error("b is gone")
	}
	m.PutUnless("a", 1, before)
	forget("")
	for _, k := range []string{"a", "b", "c"} {
		if _, ok := m.Get(k); ok {
			t.Errorf("%s is there", k)
		}
	}
}

func TestMapPutUnless(t *testing.T) {
	var m memo.Map[string, int]
	before := m.Drops()
	m.Drop("a")
	m.PutUnless("a", 1, before)
	if _, ok := m.Get("a"); ok {
		t.Error("what was read before the change is remembered")
	}
	m.PutUnless("a", 2, m.Drops())
	if v, _ := m.Get("a"); v != 2 {
		t.Errorf("got %d", v)
	}
}
