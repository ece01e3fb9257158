package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// owners names the files that begin a goroutine with a go statement, how many, and who waits for it. Everything else
// begins them with a sync.WaitGroup or a background.Group, whose owner waits.
var owners = map[string]struct {
	n   int
	who string
}{
	"cmd/parley/files.go":          {1, "importFile reads its error from a channel"},
	"cmd/parley/password.go":       {1, "it reads from the terminal until the process ends"},
	"cmd/parley/serve.go":          {1, "serve reads its error from a channel"},
	"internal/background/group.go": {1, "Wait: whoever calls it cuts short what it waits for"},
	"wire/conn.go":                 {3, "Close waits until nothing is written and the connection is closed"},
}

// Every goroutine has an owner that waits for it.
func TestGoroutinesHaveOwners(t *testing.T) {
	found := make(map[string]int)
	root := "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "testrig" || name == "bench" || d.Name() == "node_modules" || d.Name() == "venv" ||
			name != "." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				found[name]++
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, n := range found {
		if n > owners[name].n {
			t.Errorf("%s begins %d goroutines with go, %d of which have an owner: use a "+
				"WaitGroup or a background.Group",
				name, n, owners[name].n)
		}
	}
	for name, o := range owners {
		if found[name] != o.n {
			t.Errorf("%s begins %d goroutines with go, not %d (%s)", name, found[name], o.n, o.who)
		}
	}
}
