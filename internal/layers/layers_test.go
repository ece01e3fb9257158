package layers

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestLayers(t *testing.T) {
	pkgs, err := Imports("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"cmd/parley", "config", "server", "wire"} {
		if _, ok := pkgs[p]; !ok {
			t.Errorf("package %s was not found", p)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(pkgs)) {
		if !matches(outside, pkg) && rank(pkg) < 0 {
			t.Errorf("%s has no place in the layers: give it one in internal/layers/layers.go and docs/architecture.md",
				pkg)
		}
		for _, imp := range pkgs[pkg] {
			if wrong := Check(pkg, imp); wrong != "" {
				t.Error(wrong)
			}
		}
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct{ pkg, imp, want string }{
		{"muc", "server", ""},
		{"muc", "wire/jid", ""},
		{"wire/form", "wire", ""},
		{"cmd/parley", "node", ""},
		{"node", "config", ""},
		{"feature/mam", "store", ""},
		{"testrig", "node", ""},
		{"bench/cmd/bench", "config", ""},
		{"config", "wire/jid", ""},
		{"server", "muc", "above"},
		{"store", "store/sqlstore", "above"},
		{"wire", "auth", "above"},
		{"muc", "feature/mam", "beside"},
		{"feature/mam", "feature/carbons", "beside"},
		{"org", "server", "beside"},
		{"admin", "server/c2s", "beside"},
		{"config", "store", "may import wire"},
		{"muc", "config", "above"},
		{"muc", "org", "know nothing"},
		{"muc", "muc/groups", "above"},
		{"muc/groups", "muc", ""},
		{"muc/groups", "org", ""},
		{"server", "testrig", "for tests"},
		{"nowhere", "wire", "no place"},
		{"server/nowhere", "wire", "no place"},
	} {
		got := Check(c.pkg, c.imp)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s imports %s: got %q, want %q", c.pkg, c.imp, got, c.want)
		}
	}
}
