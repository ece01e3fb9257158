package layers

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
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

// The list of docs/architecture.md gives each package the rank that it has here, counted from 1. It leaves out the
// packages of the lowest rank, except one.
func TestArchitectureHasTheRanks(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	told := make(map[string]int)
	for _, line := range regexp.MustCompile(`(?m)^    ([ \d]\d)  (.+?)  `).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(strings.TrimSpace(line[1]))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range strings.Split(line[2], ", ") {
			told[name] = n
		}
	}
	told["cmd/*"] = told["cmd/parley"]
	for i, layer := range ranks {
		for _, name := range layer {
			if lowest := i == 0 && name != "wire/jid"; told[name] != i+1 && !lowest {
				t.Errorf("docs/architecture.md gives %s the rank %d, and it has %d", name, told[name], i+1)
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
