package storetest

import (
	"reflect"
	"time"

	"parley/store"
)

func settings(t *suite) {
	ctx, st := t.ctx, t.st
	at := time.UnixMicro(1_700_000_000_000_000).UTC()
	read := func(host string, want ...store.Setting) {
		t.Helper()
		got, err := st.Settings(ctx, host)
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %v, want %v", host, got, err, want)
		}
	}
	read("set.example")
	a := store.Setting{Name: "a.one", Value: "é", Since: at, By: "alice"}
	b := store.Setting{Name: "b.two", Value: "", Since: at}
	if err := st.SetSettings(ctx, "set.example", []store.Setting{b, a}, []string{"none"}); err != nil {
		t.Fatal(err)
	}
	read("set.example", a, b)
	read("other.example")
	a.Value, a.By, a.Since = "2", "bob", at.Add(time.Hour)
	if err := st.SetSettings(ctx, "set.example", []store.Setting{a}, []string{"b.two"}); err != nil {
		t.Fatal(err)
	}
	read("set.example", a)
	if err := st.SetSettings(ctx, "other.example", nil, []string{"a.one"}); err != nil {
		t.Fatal(err)
	}
	read("set.example", a)
	if err := st.SetSettings(ctx, "set.example", nil, []string{"a.one"}); err != nil {
		t.Fatal(err)
	}
	read("set.example")
}
