package bundle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// emojiData is one emoji of emojibase-data.
type emojiData struct {
	Hexcode string
	Unicode string
	Label   string
	Tags    []string
	Group   *int
	Order   int
	Skins   []emojiData
}

// components is the group of shades, which are no emoji by themselves.
const components = 2

// emoji makes a module of the emoji in the order of Unicode: each is [characters, group, English name, French name,
// other words that find it, 1 if it comes in shades of skin].
func emoji(dir string) (string, error) {
	data := filepath.Join(dir, "vendor/emojibase-data")
	var en, fr []emojiData
	var codes map[string]any
	err := cmp.Or(
		readJSON(filepath.Join(data, "en/compact.json"), &en),
		readJSON(filepath.Join(data, "fr/compact.json"), &fr),
		readJSON(filepath.Join(data, "en/shortcodes/github.json"), &codes),
	)
	if err != nil {
		return "", fmt.Errorf("emoji: %w", err)
	}
	french := make(map[string]emojiData, len(fr))
	for _, e := range fr {
		french[e.Hexcode] = e
	}
	slices.SortFunc(en, func(a, b emojiData) int { return cmp.Compare(a.Order, b.Order) })
	var all [][]any
	for _, e := range en {
		if e.Group == nil || *e.Group == components {
			continue
		}
		f := french[e.Hexcode]
		words := slices.Concat(shortcodes(codes[e.Hexcode]), e.Tags, f.Tags)
		row := []any{e.Unicode, *e.Group, e.Label, f.Label, otherWords(words, e.Label+" "+f.Label)}
		if len(e.Skins) == 5 { // several people have more: their shades are not offered
			row = append(row, 1)
		}
		all = append(all, row)
	}
	b, err := inJSON(all)
	return "export const emoji = " + string(b), err
}

func readJSON(name string, to any) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

// shortcodes are one name or several, with _ between words.
func shortcodes(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}

// otherWords joins the words that names do not have.
func otherWords(words []string, names string) string {
	var kept []string
	names = strings.ToLower(names)
	for _, w := range words {
		w = strings.ToLower(w)
		if !strings.Contains(names, w) && !slices.Contains(kept, w) {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}
