package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// said finds the texts in calls of T in the sources. Each is a literal.
var said = regexp.MustCompile(`\bT\(\s*("(?:[^"\\\n]|\\.)*")`)

// composed finds calls of T that said cannot read: their text would stay English.
var composed = regexp.MustCompile(`\bT\(\s*[^"\s)][^\n]*`)

// words lists the texts that people read, in order, as JSON. The metafile of esbuild says which sources are used.
func words(dir, metafile string) ([]byte, error) {
	var meta struct {
		Inputs map[string]struct{} `json:"inputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, fmt.Errorf("sources of the bundle: %w", err)
	}
	var all []string
	for name := range meta.Inputs {
		if ext := filepath.Ext(name); !strings.HasPrefix(name, "src/") || ext != ".ts" && ext != ".tsx" {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, fmt.Errorf("words of the bundle: %w", err)
		}
		if bad := composed.Find(b); bad != nil && name != "src/i18n.ts" {
			return nil, fmt.Errorf("%s: a text in T has to be a literal in double quotes: %s", name, bad)
		}
		for _, m := range said.FindAllSubmatch(b, -1) {
			var text string
			if err := json.Unmarshal(m[1], &text); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, m[1], err)
			}
			all = append(all, text)
		}
	}
	slices.Sort(all)
	return inJSON(slices.Compact(all))
}
