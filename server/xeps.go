package server

import (
	"fmt"
	"slices"
	"strings"
)

// Matrix gives docs/xeps.md: what is implemented, of which version, and what of it is not there.
func Matrix(all []XEP) []byte {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b XEP) int {
		if a.Number != b.Number {
			return a.Number - b.Number
		}
		return strings.Compare(a.Title, b.Title)
	})
	all = slices.CompactFunc(all, func(a, b XEP) bool { return a.Number == b.Number && a.Title == b.Title })
	var b strings.Builder
	b.WriteString("# What parley speaks\n\nGenerated from the features themselves by `go test ./node -run XEPs -update`; do not edit.\n\n")
	b.WriteString("| specification | version | notes |\n|---|---|---|\n")
	for _, x := range all {
		name := x.Title
		if x.Number > 0 {
			name = fmt.Sprintf("[XEP-%04d](https://xmpp.org/extensions/xep-%04d.html): %s", x.Number, x.Number, x.Title)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", name, x.Version, x.Notes)
	}
	return []byte(b.String())
}
