package server

import (
	"fmt"
	"slices"
	"strings"
)

// Matrix returns docs/xeps.md: which specifications are implemented, in which version, and what is missing.
func Matrix(all []XEP) []byte {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b XEP) int {
		if a.Number != b.Number {
			return a.Number - b.Number
		}
		return strings.Compare(a.Title, b.Title)
	})
	all = merged(all)
	var b strings.Builder
	b.WriteString("# What parley speaks\n\nGenerated from the features themselves by `go test ./node -run XEPs " +
		"-update`; do not edit.\n\n")
	b.WriteString("The version is the one that parley follows; the notes of a partial one say what is missing.\n\n")
	b.WriteString("| specification | version | status | notes |\n|---|---|---|---|\n")
	for _, x := range all {
		name := x.Title
		if x.Number > 0 {
			name = fmt.Sprintf("[XEP-%04d](https://xmpp.org/extensions/xep-%04d.html): %s", x.Number, x.Number, x.Title)
		}
		status := "complete"
		if x.Partial {
			status = "partial"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, x.Version, status, x.Notes)
	}
	return []byte(b.String())
}

// merged joins what several features say of the same specification, and sorts everything.
func merged(all []XEP) (out []XEP) {
	for _, x := range all {
		i := len(out) - 1
		if i < 0 || out[i].Number != x.Number || out[i].Title != x.Title {
			out = append(out, x)
			continue
		}
		o := &out[i]
		if x.Notes != "" && !strings.Contains(o.Notes, x.Notes) {
			o.Notes = strings.TrimPrefix(o.Notes+"; "+x.Notes, "; ")
		}
		o.Partial = o.Partial || x.Partial
	}
	return out
}
