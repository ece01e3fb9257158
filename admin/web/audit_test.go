package web

import (
	"strings"
	"testing"

	"parley/acts"
	"parley/internal/i18n"
)

// Each verb of an act, each door and each kind of thing has its words on the page of the audit log, in all languages.
func TestWordsOfTheAuditLog(t *testing.T) {
	var ids []string
	for _, m := range acts.Meanings {
		ids = append(ids, "audit "+string(m.Verb))
	}
	for _, d := range acts.Doors {
		ids = append(ids, "door "+string(d))
	}
	for _, k := range auditKinds {
		ids = append(ids, "kind "+k)
	}
	for _, lang := range i18n.Languages {
		ms, err := i18n.Messages(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if ms[id].Other == "" {
				t.Errorf("%s.json lacks %q", lang, id)
			}
		}
	}
}

// The page can be narrowed to each kind of thing that acts change.
func TestKindsOfTheAuditLog(t *testing.T) {
	kinds := " " + strings.Join(auditKinds, " ") + " "
	for _, m := range acts.Meanings {
		if kind, _, _ := strings.Cut(string(m.Verb), "."); !strings.Contains(kinds, " "+kind+" ") {
			t.Errorf("the page cannot be narrowed to %s", m.Verb)
		}
	}
}
