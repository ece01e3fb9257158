package layers

import (
	"fmt"
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// No function calls the store while it holds a mutex. This finds calls of the store in the function itself, and calls
// of the package's functions and of the same receiver's methods that call it. It does not follow calls of other things.
func TestNoMutexOverTheStore(t *testing.T) {
	all := sources(t)
	for _, path := range slices.Sorted(maps.Keys(all)) {
		for _, wrong := range newAsking(path, all).wrong() {
			t.Error(wrong)
		}
	}
}

// asking knows how a package calls the store.
type asking struct {
	all    map[string]*source
	pkg    *source
	fields map[string]bool // names of fields that hold a store
	asks   map[string]bool // functions that call the store: by name, methods as Type.name
}

// function is what a declaration says of the names in its body.
type function struct {
	receiver, of string          // the receiver's name and type; "" if it has none
	stores       map[string]bool // parameters that are a store
}

// function reads a declaration.
func (a *asking) function(d *ast.FuncDecl) function {
	f := function{stores: a.stores(a.pkg.fileOf(d), d.Type.Params)}
	if d.Recv != nil && len(d.Recv.List[0].Names) == 1 {
		f.receiver, f.of = d.Recv.List[0].Names[0].Name, receiverType(d)
	}
	return f
}

func receiverType(d *ast.FuncDecl) string {
	name := strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*")
	name, _, _ = strings.Cut(name, "[") // of type parameters
	return name
}

// always are names of fields and variables that are taken for a store, whatever their type.
var always = []string{"store", "Store", "rows", "kv", "db"}

func newAsking(path string, all map[string]*source) *asking {
	a := &asking{all: all, pkg: all[path], fields: make(map[string]bool), asks: make(map[string]bool)}
	for _, d := range a.pkg.types {
		if s, ok := d.expr.(*ast.StructType); ok {
			maps.Copy(a.fields, a.stores(d.file, s.Fields))
		}
	}
	for more := true; more; { // also functions that call functions that call the store
		more = false
		for name, ds := range a.pkg.funcs {
			for _, d := range ds {
				full := name
				if d.Recv != nil {
					full = receiverType(d) + "." + name
				}
				if !a.asks[full] && d.Body != nil && a.called(d) {
					a.asks[full], more = true, true
				}
			}
		}
	}
	return a
}

// stores gives the names of fields or parameters that hold a store.
func (a *asking) stores(f *ast.File, list *ast.FieldList) map[string]bool {
	names := make(map[string]bool)
	if list == nil {
		return names
	}
	for _, field := range list.List {
		if a.isStore(f, field.Type) {
			for _, n := range field.Names {
				names[n.Name] = true
			}
		}
	}
	return names
}

// isStore says whether a type is a database, an interface of package store, or an interface of this package that is
// called Store or has one of package store.
func (a *asking) isStore(f *ast.File, e ast.Expr) bool {
	if p, ok := e.(*ast.StarExpr); ok {
		e = p.X
	}
	if id, ok := e.(*ast.Ident); ok {
		d, ok := a.pkg.types[id.Name]
		if !ok {
			return false
		}
		i, ok := d.expr.(*ast.InterfaceType)
		return ok && (id.Name == "Store" || slices.ContainsFunc(i.Methods.List, func(m *ast.Field) bool {
			return len(m.Names) == 0 && a.isStore(d.file, m.Type)
		}))
	}
	switch path, name := qualified(f, e); path {
	case "database/sql":
		return name == "DB" || name == "Tx"
	case Module + "/store/sqlstore":
		return name == "Store"
	case Module + "/store":
		_, ok := a.all["store"].types[name].expr.(*ast.InterfaceType)
		return ok
	}
	return false
}

// called says whether a function calls the store, apart from what it hands to others to call.
func (a *asking) called(d *ast.FuncDecl) (found bool) {
	f := a.function(d)
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = found || a.call(f, n)
		}
		return !found
	})
	return found
}

// call says whether a call in a function asks the store.
func (a *asking) call(in function, c *ast.CallExpr) bool {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return a.asks[f.Name]
	case *ast.SelectorExpr:
		switch x := f.X.(type) {
		case *ast.Ident:
			if x.Name == in.receiver {
				return a.asks[in.of+"."+f.Sel.Name]
			}
			return in.stores[x.Name] || slices.Contains(always, x.Name) && imported(a.pkg.fileOf(c), x.Name) == ""
		case *ast.SelectorExpr:
			return a.fields[x.Sel.Name] || slices.Contains(always, x.Sel.Name)
		}
	}
	return false
}

// wrong gives a sentence for each call of the store under a mutex.
func (a *asking) wrong() (all []string) {
	for _, ds := range a.pkg.funcs {
		for _, d := range ds {
			if d.Body == nil {
				continue
			}
			u := &locked{asking: a, in: a.function(d)}
			u.body(d.Body)
			ast.Inspect(d.Body, func(n ast.Node) bool {
				if f, ok := n.(*ast.FuncLit); ok {
					u.body(f.Body)
				}
				return true
			})
			all = append(all, u.found...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// locked looks for calls under a mutex in one function.
type locked struct {
	*asking
	in      function
	mutexes map[string]bool // what the function unlocks
	found   []string
}

func (u *locked) body(body *ast.BlockStmt) {
	u.mutexes = make(map[string]bool)
	ast.Inspect(body, func(n ast.Node) bool {
		if c, ok := n.(*ast.CallExpr); ok {
			if x, verb := locking(c); strings.HasSuffix(verb, "nlock") {
				u.mutexes[x] = true
			}
		}
		return true
	})
	u.block(body.List, make(map[string]bool))
}

// locking gives the mutex and the verb of a call of Lock, RLock, Unlock or RUnlock.
func locking(c *ast.CallExpr) (mutex, verb string) {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains([]string{"Lock", "RLock", "Unlock", "RUnlock"}, f.Sel.Name) {
		return "", ""
	}
	return types.ExprString(f.X), f.Sel.Name
}

// block follows statements one after the other. What a nested block locks or unlocks counts within it.
func (u *locked) block(list []ast.Stmt, held map[string]bool) {
	for _, s := range list {
		if e, ok := s.(*ast.ExprStmt); ok {
			if c, ok := e.X.(*ast.CallExpr); ok {
				switch x, verb := locking(c); {
				case strings.HasSuffix(verb, "nlock"):
					delete(held, x)
				case verb != "" && u.mutexes[x]:
					held[x] = true
				}
			}
		}
		u.statement(s, held)
	}
}

// statement looks into one statement, and follows the blocks in it.
func (u *locked) statement(s ast.Stmt, held map[string]bool) {
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.FuncLit:
			return false
		case *ast.BlockStmt:
			u.block(n.List, maps.Clone(held))
			return false
		case *ast.CaseClause:
			u.block(n.Body, maps.Clone(held))
			return false
		case *ast.CommClause:
			u.block(n.Body, maps.Clone(held))
			return false
		case *ast.CallExpr:
			u.check(n, held)
		}
		return true
	})
}

func (u *locked) check(c *ast.CallExpr, held map[string]bool) {
	if len(held) == 0 || !u.call(u.in, c) {
		return
	}
	at := fset.Position(c.Pos())
	u.found = append(u.found, fmt.Sprintf("%s:%d: %s calls the store under the mutex %s: call it before or after, or "+
		"make the mutex a slot.Slot (internal/slot), so that a goroutine that waits can give up",
		strings.TrimPrefix(at.Filename, "../../"), at.Line, types.ExprString(c.Fun),
		strings.Join(slices.Sorted(maps.Keys(held)), " and ")))
}

// What the test above looks for is found, and nothing else.
func TestMutexOverTheStoreIsFound(t *testing.T) {
	all := map[string]*source{"sample": sample(t, `
type Store interface { Get() error }
type thing struct { st Store; mu sync.Mutex; turn slot.Slot }
func (x *thing) read() error { return x.st.Get() }
func (x *thing) bad() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.st.Get()
}
func (x *thing) indirect() {
	x.mu.Lock()
	_ = x.read()
	x.mu.Unlock()
}
func (x *thing) good(st Store) {
	x.mu.Lock()
	x.later(func() { _ = st.Get() })
	x.mu.Unlock()
	_ = st.Get()
	x.turn.Lock()
	defer x.turn.Free()
	_ = x.read()
}
func (x *thing) later(f func()) {}`)}
	wrong := newAsking("sample", all).wrong()
	if len(wrong) != 2 || !strings.Contains(wrong[0], "x.read") || !strings.Contains(wrong[1], "x.st.Get") {
		t.Errorf("found:\n%s", strings.Join(wrong, "\n"))
	}
}
