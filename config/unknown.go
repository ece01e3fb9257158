package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// unknownKeys returns a problem for each unknown key of a file, and for each section that is not one. A file that is
// not YAML is one problem.
func unknownKeys(text []byte) (ps Problems) {
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		ps.add("", "%v", err)
		return ps
	}
	if len(doc.Content) == 0 {
		return nil // an empty file
	}
	return checkSection(doc.Content[0], reflect.TypeFor[Config](), "")
}

func checkSection(n *yaml.Node, t reflect.Type, prefix string) (ps Problems) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // a section with everything commented out
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		return Problems{{Key: strings.TrimSuffix(prefix, "."), Line: n.Line, Text: "write keys and values"}}
	}
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := strings.ToLower(k.Value) // viper ignores the case of keys
		if first, ok := seen[name]; ok {
			ps = append(ps, Problem{
				Key:  prefix + name,
				Line: k.Line,
				Text: fmt.Sprintf("it is already on line %d", first),
			})
			continue
		}
		seen[name] = k.Line
		f, ok := field(t, name)
		switch {
		case !ok:
			ps = append(ps, Problem{
				Key:  prefix + name,
				Line: k.Line,
				Text: "there is no such key" + meant(t, prefix, name),
			})
		case f.Kind() == reflect.Struct:
			ps = append(ps, checkSection(v, f, prefix+name+".")...)
		case (f == typeHosts || isList(f)) && v.Kind == yaml.SequenceNode:
			for j, h := range v.Content {
				if h.Kind == yaml.MappingNode {
					ps = append(ps, checkSection(h, f.Elem(), fmt.Sprintf("%s%s[%d].", prefix, name, j))...)
				}
			}
		}
	}
	return ps
}

func field(t reflect.Type, name string) (reflect.Type, bool) {
	for f := range t.Fields() {
		if f.Tag.Get("yaml") == name {
			return f.Type, true
		}
	}
	return nil, false
}

// meant suggests a similar key, first of the same section, then of any.
func meant(t reflect.Type, prefix, name string) string {
	var here []string
	for f := range t.Fields() {
		here = append(here, prefix+f.Tag.Get("yaml"))
	}
	if s := nearest(prefix+name, here); s != "" {
		return ": did you mean " + s + "?"
	}
	return didYouMean(prefix+name, Keys())
}

// didYouMean returns the hint for an unknown key.
func didYouMean(key string, known []string) string {
	if s := nearest(key, known); s != "" {
		return ": did you mean " + s + "?"
	}
	return ": `parley config sample` shows all there are"
}

// nearest returns the most similar known key, or "" if none is similar.
func nearest(key string, known []string) (best string) {
	near := max(2, len(key)/4) + 1
	last := key[strings.LastIndexByte(key, '.')+1:]
	for _, k := range known {
		d := distance(key, k)
		if k[strings.LastIndexByte(k, '.')+1:] == last { // the right name in the wrong section
			d = min(d, 1)
		}
		if d < near {
			best, near = k, d
		}
	}
	return best
}

// distance returns the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost = 1 + min(prev, row[j], row[j+1])
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
