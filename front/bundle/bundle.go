// Package bundle makes the files that browsers load for the chat, front/dist, of the sources in front/src. It needs no
// Node: esbuild is a Go module.
package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// Files are the files of a bundle by their names, with slashes.
type Files map[string][]byte

// makers are modules that are made of kept data while bundling. A source imports one as "generated:NAME".
var makers = map[string]func(dir string) (string, error){
	"emoji": emoji,
	"icons": icons,
}

// Build bundles the sources below dir, which is the directory front. It writes nothing. Same sources make the same
// bytes. Three names stay the same: front.js, front.css, and sw.js, the service worker. What the first two load later
// has a hash in its name.
func Build(dir string) (Files, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	o := Options(dir)
	o.EntryPointsAdvanced = []api.EntryPoint{{InputPath: "src/main.tsx", OutputPath: "front"}}
	o.Outdir = "dist"
	o.ChunkNames = "[name]-[hash]"
	o.Splitting = true
	o.MinifyWhitespace, o.MinifyIdentifiers, o.MinifySyntax = true, true, true
	o.Banner = map[string]string{"js": "// Licences of what is in here: licences.txt"}
	o.Metafile = true
	result := api.Build(o)
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), ""))
	}
	files := make(Files)
	for _, f := range result.OutputFiles {
		name, err := filepath.Rel(filepath.Join(dir, "dist"), f.Path)
		if err != nil {
			return nil, fmt.Errorf("bundle: %w", err)
		}
		files[filepath.ToSlash(name)] = f.Contents
	}
	if files["sw.js"], err = worker(dir); err != nil {
		return nil, err
	}
	if files["first.json"], err = first(result.Metafile); err != nil {
		return nil, err
	}
	if files["words.json"], err = words(dir, result.Metafile); err != nil {
		return nil, err
	}
	if files["licences.txt"], err = licences(filepath.Join(dir, "vendor")); err != nil {
		return nil, err
	}
	return files, nil
}

// worker bundles the service worker: one classic script that loads nothing.
func worker(dir string) ([]byte, error) {
	o := Options(dir)
	o.EntryPoints, o.Outfile = []string{"src/sw.ts"}, "sw.js"
	o.Format = api.FormatIIFE
	o.MinifyWhitespace, o.MinifyIdentifiers, o.MinifySyntax = true, true, true
	result := api.Build(o)
	if len(result.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), ""))
	}
	return result.OutputFiles[0].Contents, nil
}

// Options are what any bundle of sources below dir, an absolute path, needs: the front's own, and those of tests.
func Options(dir string) api.BuildOptions {
	return api.BuildOptions{
		AbsWorkingDir:   dir,
		NodePaths:       []string{filepath.Join(dir, "vendor")},
		Bundle:          true,
		Format:          api.FormatESModule,
		Target:          api.ES2022,
		Platform:        api.PlatformBrowser,
		JSX:             api.JSXAutomatic,
		JSXImportSource: "preact",
		Charset:         api.CharsetUTF8,
		LegalComments:   api.LegalCommentsNone, // licences.txt has them
		Plugins:         []api.Plugin{generated(dir)},
		TsconfigRaw:     `{}`,
		LogLevel:        api.LogLevelSilent,
	}
}

// generated gives the modules of makers.
func generated(dir string) api.Plugin {
	const space = "generated"
	return api.Plugin{Name: space, Setup: func(b api.PluginBuild) {
		b.OnResolve(api.OnResolveOptions{Filter: `^generated:`},
			func(a api.OnResolveArgs) (api.OnResolveResult, error) {
				name := strings.TrimPrefix(a.Path, space+":")
				if makers[name] == nil {
					return api.OnResolveResult{}, fmt.Errorf("nothing makes %s", a.Path)
				}
				return api.OnResolveResult{Path: name, Namespace: space}, nil
			})
		b.OnLoad(api.OnLoadOptions{Filter: `.*`, Namespace: space},
			func(a api.OnLoadArgs) (api.OnLoadResult, error) {
				text, err := makers[a.Path](dir)
				return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, err
			})
	}}
}

// first lists the modules that front.js needs before it can run, so that a page can ask for all at once.
func first(metafile string) ([]byte, error) {
	type imported struct{ Path, Kind string }
	var meta struct {
		Outputs map[string]struct{ Imports []imported } `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, fmt.Errorf("modules of the bundle: %w", err)
	}
	names := []string{}
	var add func(output string)
	add = func(output string) {
		for _, imp := range meta.Outputs[output].Imports {
			if name := path.Base(imp.Path); imp.Kind == "import-statement" && !slices.Contains(names, name) {
				names = append(names, name)
				add(imp.Path)
			}
		}
	}
	add("dist/front.js")
	slices.Sort(names)
	return inJSON(names)
}

// licences joins the licences of everything in vendor.
func licences(vendor string) ([]byte, error) {
	var out strings.Builder
	err := filepath.WalkDir(vendor, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() != "LICENSE" {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		of, err := filepath.Rel(vendor, filepath.Dir(name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&out, "%s\n\n%s\n\n", filepath.ToSlash(of), strings.TrimSpace(string(text)))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("licences of the bundle: %w", err)
	}
	return []byte(out.String()), nil
}

// Write replaces what is in the directory by the files.
func (f Files) Write(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for name, content := range f {
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// inJSON writes a value for a module or a file, the same for the same value.
func inJSON(v any) ([]byte, error) {
	var out strings.Builder
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return []byte(out.String()), nil
}
