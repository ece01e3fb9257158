package web

import (
	"testing"

	"parley/internal/fault"
	"parley/internal/i18n"
)

// Pages show a refusal in their language, whether its text begins in upper or lower case.
func TestRefusalsAreTranslated(t *testing.T) {
	words, err := i18n.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		err    error
		en, fr string
	}{
		{fault.ErrRole, "Your role does not allow this", "Votre rôle ne le permet pas"},
		{fault.New(fault.Exists, "name", "The account {{.Name}} exists already", "Name", "alice"),
			"The account alice exists already", "Le compte alice existe déjà"},
		{fault.New(fault.Invalid, "name", "{{.Field}} is too long: at most {{.Max}} characters", "Field", "name", "Max",
			5), "Name is too long: at most 5 characters", "Name est trop long\u00a0: 5 caractères au plus"},
		{fault.New(fault.Invalid, "to", "{{.Address}} is not the address of a person", "Address", "bob"),
			"bob is not the address of a person", "bob n’est pas l’adresse d’une personne"},
		{fault.At(fault.Invalid, "emoji", "is one emoji"), "Emoji: is one emoji", "Emoji: is one emoji"},
	} {
		for lang, want := range map[string]string{"en": c.en, "fr": c.fr} {
			page := &request{Lang: words.Lang(lang)}
			if got, _, ok := page.explain(c.err); !ok || got != want {
				t.Errorf("%s: got %q, want %q", lang, got, want)
			}
		}
	}
}
