package layers

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// pools names the files that use the store's connections themselves, and how often. Whatever is written by them looks
// at the fence (store/sqlstore/fence.go): on PostgreSQL and CockroachDB the driver does that for all, on SQLite the
// functions here do.
var pools = map[string]allowed{
	"store/sqlstore/atomic.go":   {1, "a transaction on CockroachDB"},
	"store/sqlstore/counted.go":  {1, "a transaction elsewhere"},
	"store/sqlstore/fence.go":    {2, "a statement by itself"},
	"store/sqlstore/migrate.go":  {1, "the schema, before the store has a place"},
	"store/sqlstore/move.go":     {2, "prepares statements"},
	"store/sqlstore/postgres.go": {9, "opens and closes them"},
	"store/sqlstore/sqlstore.go": {15, "opens and closes them, reads, and begins transactions on CockroachDB"},
	"store/sqlstore/terms.go":    {1, "prepares statements"},
}

// unfences names the files that write without the fence.
var unfences = map[string]allowed{
	"store/sqlstore/cluster.go": {3, "the rows of nodes say by themselves under which incarnation they change"},
	"store/sqlstore/cut.go":     {1, "the sessions of dead nodes on CockroachDB"},
}

// Nothing is written around the fence. On PostgreSQL a trigger in the store's own tests says the same of every
// statement that they run.
func TestWritesGoThroughTheFence(t *testing.T) {
	uses, without := make(map[string]int), make(map[string]int)
	eachSource(t, func(name string, f *ast.File) {
		if !strings.HasPrefix(name, "store/sqlstore/") {
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if isStore(n.X) && (n.Sel.Name == "w" || n.Sel.Name == "r") {
					uses[name]++
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "unfenced" {
					without[name]++
				}
				asksOnly(t, name, n)
			}
			return true
		})
	})
	const todo = "write by exec, tx, counted, Atomic or Commit"
	compare(t, uses, pools, "uses the store's connections %d times", todo)
	compare(t, without, unfences, "writes without the fence %d times", todo)
}

func isStore(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "s"
}

// asksOnly fails if a query outside of a transaction changes something.
func asksOnly(t *testing.T, file string, c *ast.CallExpr) {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || !isStore(f.X) || !slices.Contains([]string{"rows", "row", "names", "counts"}, f.Sel.Name) {
		return
	}
	for _, arg := range c.Args {
		ast.Inspect(arg, func(n ast.Node) bool {
			text, ok := n.(*ast.BasicLit)
			if !ok || text.Kind != token.STRING {
				return true
			}
			s, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Error(err)
			}
			for _, word := range strings.Fields(s) {
				if slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "RETURNING", "TRUNCATE"}, word) {
					t.Errorf("%s: a query outside of a transaction changes something: %.60s", file, s)
				}
			}
			return true
		})
	}
}
