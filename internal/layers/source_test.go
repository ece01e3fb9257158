package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// source is the source of one package, without its tests.
type source struct {
	files map[string]*ast.File // by name, relative to the module
	types map[string]declared
	funcs map[string][]*ast.FuncDecl // functions and methods by name
}

// declared is a type with the file that says what its names mean.
type declared struct {
	expr ast.Expr
	file *ast.File
}

var fset = token.NewFileSet()

// sources gives the packages of the module, without tools and test packages, by their path in the module.
func sources(t *testing.T) map[string]*source {
	t.Helper()
	all, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var parsed = sync.OnceValues(func() (map[string]*source, error) {
	all, root := make(map[string]*source), "../.."
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skip(root, path)
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		pkg, base := filepath.ToSlash(filepath.Dir(name)), d.Name()
		if matches(outside, pkg) || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if all[pkg] == nil {
			all[pkg] = newSource()
		}
		all[pkg].add(name, f)
		return nil
	})
	return all, err
})

func newSource() *source {
	return &source{make(map[string]*ast.File), make(map[string]declared), make(map[string][]*ast.FuncDecl)}
}

func (s *source) add(name string, f *ast.File) {
	s.files[name] = f
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			s.funcs[d.Name.Name] = append(s.funcs[d.Name.Name], d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok {
					s.types[ts.Name.Name] = declared{ts.Type, f}
				}
			}
		}
	}
}

// imported gives the path of the package that a name stands for in a file; "" if it is none.
func imported(f *ast.File, name string) string {
	for _, spec := range f.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		called := p[strings.LastIndexByte(p, '/')+1:]
		if spec.Name != nil {
			called = spec.Name.Name
		}
		if called == name {
			return p
		}
	}
	return ""
}

// qualified splits pkg.Name into the path of pkg and the name; "" if e is something else.
func qualified(f *ast.File, e ast.Expr) (pkg, name string) {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	if x, ok := sel.X.(*ast.Ident); ok {
		if p := imported(f, x.Name); p != "" {
			return p, sel.Sel.Name
		}
	}
	return "", ""
}

// sample is a package with this text.
func sample(t *testing.T, text string) *source {
	t.Helper()
	f, err := parser.ParseFile(fset, "sample.go", "package sample\n"+text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	s := newSource()
	s.add("sample.go", f)
	return s
}
