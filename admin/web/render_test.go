package web

import (
	"testing"
	"time"

	"parley/internal/i18n"
)

// Pages are parsed when they are shown; a mistake in one is to be found before.
func TestEveryPageParses(t *testing.T) {
	c, err := i18n.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Config: Config{Words: c}}
	if s.assets, err = newAssets(time.Now()); err != nil {
		t.Fatal(err)
	}
	s.views.funcs, s.views.words = s.funcs, s.Words
	names, err := s.views.names()
	if err != nil || len(names) < 30 {
		t.Fatalf("%d pages, %v", len(names), err)
	}
	for _, lang := range i18n.Languages {
		for _, name := range names {
			v, err := s.views.get("example.org", lang, name)
			if err != nil {
				t.Errorf("%s in %s: %v", name, lang, err)
			} else if v.Lookup("layout") == nil {
				t.Errorf("%s has no layout", name)
			}
			if again, err := s.views.get("example.org", lang, name); again != v || err != nil {
				t.Errorf("%s in %s is parsed twice: %v", name, lang, err)
			}
		}
	}
}
