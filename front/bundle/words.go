package bundle

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// said finds the texts in calls of T in the sources. Each is a literal.
var said = regexp.MustCompile(`\bT\(\s*("(?:[^"\\\n]|\\.)*")`)

// composed finds calls of T that said cannot read: their text would stay English.
var composed = regexp.MustCompile(`\bT\(\s*[^"\s)][^\n]*`)

// words lists the texts that people read, in order, as JSON.
func words(src string) ([]byte, error) {
	var all []string
	err := filepath.WalkDir(src, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".ts" && filepath.Ext(name) != ".tsx" {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if bad := composed.Find(b); bad != nil && d.Name() != "i18n.ts" {
			return fmt.Errorf("%s: a text in T has to be a literal in double quotes: %s", name, bad)
		}
		for _, m := range said.FindAllSubmatch(b, -1) {
			var text string
			if err := json.Unmarshal(m[1], &text); err != nil {
				return fmt.Errorf("%s: %s: %w", name, m[1], err)
			}
			all = append(all, text)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("words of the bundle: %w", err)
	}
	slices.Sort(all)
	return inJSON(slices.Compact(all))
}
