// Package layers holds the rule of which package may import which (docs/architecture.md): only packages in lower
// layers.
package layers

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Module is the module path, with which the path of every package begins.
const Module = "parley"

// ranks is the order of the layers, from the bottom. A package may import those of a lower rank. "feature/*" is any
// package below feature.
var ranks = [][]string{
	{"wire/jid", "internal/i18n", "internal/netaddr", "internal/picture", "internal/background", "internal/limit",
		"internal/memo", "internal/sheet", "internal/fault", "internal/disk", "internal/clock", "internal/slot",
		"internal/changes", "internal/everywhere", "front"},
	{"internal/shape"},
	{"wire", "internal/door"},
	{"wire/form"},
	{"auth"},
	{"store", "store/fulltext"},
	{"acts", "messages"},
	{"server", "org", "settings"},
	{"people"},
	{"org/mail"},
	{"server/c2s", "server/component", "federation", "cluster", "admin", "muc", "pubsub", "transfer", "turn",
		"feature/*", "store/sqlstore", "node/devcert", "node/acme"},
	{"cluster/directory", "transfer/backup", "muc/groups", "muc/puppet", "muc/several", "people/departed"},
	{"node/demo", "muc/notices", "webchat"},
	{"admin/api"},
	{"admin/web"},
	{"config"},
	{"node/plan"},
	{"node/doctor"},
	{"node"},
	{"cmd/*"},
}

// outside lists tools and test packages. They may import anything; only tests may import them.
var outside = []string{"internal/layers", "testrig", "testrig/*", "bench", "bench/*", "store/storetest", "muc/muctest",
	"front/bundle", "front/cmd/bundle"}

// only restricts who may import a package, whatever the ranks allow.
var only = map[string][]string{
	"config":       {"node", "node/plan", "node/doctor", "cmd/*"},
	"node/devcert": {"node", "cmd/*"},
	"node/acme":    {"node"},
	"node/demo":    {"cmd/*"},
	"node/plan":    {"node", "node/doctor", "cmd/*"},
	"node/doctor":  {"node", "cmd/*"},
}

// under restricts what a package may import, where the ranks would allow more.
var under = map[string]string{"config": "wire"}

// never is what a package may not import, whatever the ranks allow. Rooms by XEP-0045 know nothing of the organization:
// muc/groups does.
var never = map[string][]string{"muc": {"org", "people", "settings"}}

// Check says in English what is wrong with pkg importing imp, both relative to the module; "" if nothing is.
func Check(pkg, imp string) string {
	if matches(outside, pkg) {
		return ""
	}
	if matches(outside, imp) {
		return fmt.Sprintf("%s imports %s, which is for tests and tools", pkg, imp)
	}
	from, to := rank(pkg), rank(imp)
	switch {
	case from < 0:
		return fmt.Sprintf("%s has no place in the layers: give it one in internal/layers/layers.go and "+
			"docs/architecture.md", pkg)
	case to < 0:
		return "" // reported for imp itself
	case to > from:
		return fmt.Sprintf("%s imports %s, which is above it: turn the dependency around (pass in an interface "+
			"or a function)", pkg, imp)
	case to == from:
		return fmt.Sprintf("%s imports %s, which is beside it: move what both need to a lower layer", pkg, imp)
	}
	if who, ok := only[imp]; ok && !matches(who, pkg) {
		return fmt.Sprintf("%s imports %s, which only %s may", pkg, imp, strings.Join(who, " and "))
	}
	if slices.Contains(never[pkg], imp) {
		return fmt.Sprintf("%s imports %s, which it is to know nothing of", pkg, imp)
	}
	if top, ok := under[pkg]; ok && to > rank(top) {
		return fmt.Sprintf("%s imports %s: it may import %s and packages of lower ranks", pkg, imp, top)
	}
	return ""
}

func rank(pkg string) int {
	return slices.IndexFunc(ranks, func(layer []string) bool { return matches(layer, pkg) })
}

func matches(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if dir, ok := strings.CutSuffix(p, "/*"); ok {
			return strings.HasPrefix(pkg, dir+"/")
		}
		return p == pkg
	})
}

// Imports reads the module in dir. It returns what each package imports of the module, without test files. Build tags
// are ignored.
func Imports(dir string) (map[string][]string, error) {
	pkgs := make(map[string][]string)
	fset := token.NewFileSet()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(dir, name)
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, filepath.Dir(name))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(rel)
		if pkgs[pkg] == nil {
			pkgs[pkg] = []string{} // a package without imports counts, too
		}
		for _, spec := range f.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if imp, ok := strings.CutPrefix(p, Module+"/"); ok && !slices.Contains(pkgs[pkg], imp) {
				pkgs[pkg] = append(pkgs[pkg], imp)
			}
		}
		return nil
	})
	return pkgs, err
}

// skip leaves out what the go command leaves out, and nested modules.
func skip(root, dir string) error {
	if dir == root {
		return nil
	}
	base := path.Base(filepath.ToSlash(dir))
	if base == "testdata" || base == "vendor" || base == "node_modules" || strings.HasPrefix(base, ".") ||
		strings.HasPrefix(base, "_") {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
		return fs.SkipDir
	}
	return nil
}
