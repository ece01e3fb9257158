package web

import (
	"testing"

	"parley/internal/i18n"
	"parley/internal/shape"
	"parley/org"
)

// Labels, explanations and choices of the form of a group's settings exist in each language.
func TestGroupFormHasItsWords(t *testing.T) {
	for _, lang := range i18n.Languages {
		ms, err := i18n.Messages(lang)
		if err != nil {
			t.Fatal(err)
		}
		want := func(id string) {
			if _, ok := ms[id]; !ok {
				t.Errorf("%s.json lacks %q", lang, id)
			}
		}
		for _, f := range shape.Of(org.GroupChange{}) {
			if lang != "en" { // where a label is its own text
				want(f.Label)
			}
			for _, choice := range f.Choices {
				if f.Name == "kind" {
					want("group " + choice)
				} else {
					want("by " + choice)
				}
			}
		}
	}
}
