package layers

import (
	"cmp"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// forWaiting are types of which testing/synctest forbids that what was made in one of its bubbles is used in another.
var forWaiting = map[string]string{
	"time.Timer":     "a timer",
	"time.Ticker":    "a ticker",
	"sync.Cond":      "a condition",
	"sync.WaitGroup": "a group of goroutines",
}

// waitingFrom are functions that make such a thing.
var waitingFrom = map[string]string{
	"time.NewTimer":  "a timer",
	"time.AfterFunc": "a timer",
	"time.After":     "a channel",
	"time.Tick":      "a channel",
	"time.NewTicker": "a ticker",
	"sync.NewCond":   "a condition",
}

// globals are the package variables that may hold something to wait for, and why. Their channels are made when the
// program begins, so they belong to no bubble. A goroutine that has a place of theirs only computes.
var globals = map[string]string{
	"auth/keys.go work":               "places for computing with passwords",
	"internal/picture/picture.go one": "a place for decoding a picture",
	"wire/parse.go parsers":           "release lets go of the stanza, with what counts it",
}

// No package variable holds something that is waited for. Several simulated nodes, one after the other, would share it.
func TestGlobalsHoldNothingToWaitFor(t *testing.T) {
	all, excused := sources(t), make(map[string]bool)
	eachGlobal(all, func(in scope, name string, what string, at token.Pos) {
		file := strings.TrimPrefix(fset.Position(at).Filename, "../../")
		if why := file + " " + name; globals[why] != "" {
			excused[why] = true
			return
		}
		t.Errorf("%s:%d: the package variable %s holds %s: make it with the object that it belongs to, and keep it in "+
			"a field", file, fset.Position(at).Line, name, what)
	})
	for why := range globals {
		if !excused[why] {
			t.Errorf("%s holds nothing to wait for: remove it from globals", why)
		}
	}
}

// scope is where names of types and functions are looked up.
type scope struct {
	all  map[string]*source
	pkg  *source
	file *ast.File
	seen []ast.Expr // types that are being looked into
}

// eachGlobal calls f for each package variable that holds something to wait for.
func eachGlobal(all map[string]*source, f func(in scope, name, what string, at token.Pos)) {
	for _, pkg := range all {
		for _, file := range pkg.files {
			in := scope{all: all, pkg: pkg, file: file}
			for _, d := range file.Decls {
				g, ok := d.(*ast.GenDecl)
				if !ok || g.Tok != token.VAR {
					continue
				}
				for _, spec := range g.Specs {
					in.variables(spec.(*ast.ValueSpec), f)
				}
			}
		}
	}
}

func (in scope) variables(spec *ast.ValueSpec, f func(in scope, name, what string, at token.Pos)) {
	for i, name := range spec.Names {
		what := in.typ(spec.Type)
		if i < len(spec.Values) && what == "" {
			what = in.value(spec.Values[i])
		}
		if what != "" && name.Name != "_" {
			f(in, name.Name, what, name.Pos())
		}
	}
}

// typ says what a value of a type holds that is waited for; "" if it holds nothing.
func (in scope) typ(e ast.Expr) string {
	if e == nil || slices.Contains(in.seen, e) {
		return ""
	}
	in.seen = append(slices.Clone(in.seen), e)
	switch e := e.(type) {
	case *ast.ChanType:
		return "a channel"
	case *ast.StarExpr:
		return in.typ(e.X)
	case *ast.ParenExpr:
		return in.typ(e.X)
	case *ast.IndexExpr:
		return in.typ(e.X)
	case *ast.ArrayType:
		return in.typ(e.Elt)
	case *ast.MapType:
		return cmp.Or(in.typ(e.Key), in.typ(e.Value))
	case *ast.StructType:
		return in.fields(e.Fields)
	case *ast.Ident:
		if d, ok := in.pkg.types[e.Name]; ok {
			in.file = d.file
			return in.typ(d.expr)
		}
	case *ast.SelectorExpr:
		return in.elsewhere(e)
	}
	return ""
}

// elsewhere is typ for a type of another package.
func (in scope) elsewhere(e *ast.SelectorExpr) string {
	path, name := qualified(in.file, e)
	if what := forWaiting[path+"."+name]; what != "" {
		return what
	}
	pkg := in.all[strings.TrimPrefix(path, Module+"/")]
	if pkg == nil {
		return ""
	}
	d := pkg.types[name]
	in.pkg, in.file = pkg, d.file
	return in.typ(d.expr)
}

func (in scope) fields(list *ast.FieldList) string {
	if list == nil {
		return ""
	}
	for _, f := range list.List {
		if what := in.typ(f.Type); what != "" {
			return what
		}
	}
	return ""
}

// value says what the value of an expression holds that is waited for.
func (in scope) value(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.UnaryExpr:
		return in.value(e.X)
	case *ast.ParenExpr:
		return in.value(e.X)
	case *ast.CompositeLit:
		if path, name := qualified(in.file, e.Type); path == "sync" && name == "Pool" {
			return in.pool(e)
		}
		return in.typ(e.Type)
	case *ast.CallExpr:
		return in.call(e)
	}
	return ""
}

// call says it of the result of a call: of make, new, a function of the module, or one of the standard library that
// makes something to wait for.
func (in scope) call(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.FuncLit:
		return in.fields(f.Type.Results)
	case *ast.Ident:
		if (f.Name == "make" || f.Name == "new") && len(c.Args) > 0 {
			return in.typ(c.Args[0])
		}
		return in.results(f.Name)
	case *ast.SelectorExpr:
		path, name := qualified(in.file, f)
		if path == "sync" && strings.HasPrefix(name, "OnceValue") && len(c.Args) == 1 {
			return in.call(&ast.CallExpr{Fun: c.Args[0]})
		}
		if what := waitingFrom[path+"."+name]; what != "" {
			return what
		}
		if pkg := in.all[strings.TrimPrefix(path, Module+"/")]; pkg != nil {
			in.pkg = pkg
			return in.results(name)
		}
	}
	return ""
}

// results says it of what a function of the package returns.
func (in scope) results(name string) string {
	for _, d := range in.pkg.funcs[name] {
		if d.Recv == nil {
			in.file = in.pkg.fileOf(d)
			return in.fields(d.Type.Results)
		}
	}
	return ""
}

func (s *source) fileOf(n ast.Node) *ast.File {
	for _, f := range s.files {
		if f.FileStart <= n.Pos() && n.Pos() < f.FileEnd {
			return f
		}
	}
	return nil
}

// pool says what the things in a sync.Pool hold.
func (in scope) pool(lit *ast.CompositeLit) (what string) {
	for _, e := range lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		var body ast.Node
		switch f := kv.Value.(type) {
		case *ast.FuncLit:
			body = f.Body
		case *ast.Ident:
			for _, d := range in.pkg.funcs[f.Name] {
				body = d.Body
			}
		}
		if body == nil {
			return "a sync.Pool of something that is not known"
		}
		ast.Inspect(body, func(n ast.Node) bool {
			if r, ok := n.(*ast.ReturnStmt); ok {
				for _, e := range r.Results {
					what = cmp.Or(what, in.value(e))
				}
			}
			return true
		})
	}
	return what
}

// What the test above looks for is found.
func TestGlobalsAreFound(t *testing.T) {
	all := map[string]*source{"sample": sample(t, `
import ("sync"; "time")
type item struct{ ready chan bool }
func newItem() *item { return nil }
var (
	direct  = make(chan int, 1)
	typed   map[string]*item
	made    = newItem()
	pool    = sync.Pool{New: func() any { return &item{ready: make(chan bool)} }}
	cached  = sync.OnceValue(newItem)
	timer   = time.AfterFunc(time.Hour, func() {})
	numbers = sync.Pool{New: func() any { return new([100]int) }}
	word    = "harmless"
	mu      sync.Mutex
)`)}
	var found []string
	eachGlobal(all, func(_ scope, name, _ string, _ token.Pos) { found = append(found, name) })
	if got := strings.Join(found, " "); got != "direct typed made pool cached timer" {
		t.Errorf("found: %s", got)
	}
}
