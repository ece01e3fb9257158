package i18n

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/front"
)

// uses find the messages in templates and code: each is a literal.
var uses = []*regexp.Regexp{
	regexp.MustCompile(`\bt ("(?:[^"\\]|\\.)*")`),  // templates
	regexp.MustCompile(`\bT\(("(?:[^"\\]|\\.)*")`), // code
	regexp.MustCompile(`\bText: ("(?:[^"\\]|\\.)*")`),
	// keys that pages never show are in lower case
	regexp.MustCompile(`\bfault\.New\(\s*fault\.\w+, [^,\n]*,\s+("[A-Z{\\](?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`\bdone\([^\n]*?, ("(?:[^"\\]|\\.)*")(?:, "|\))`),
	regexp.MustCompile(`\bundoable\([^\n]*?(?:\)|back), ("[A-Z{](?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`\b(?:say|tell)\([^\n]*?, ("[A-Z{][^"\\ ]* (?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`\bupdate\(people\.Change\{[^}]*\}, ("(?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`\bsay\(int[^"]*("[^"]*")`),
	regexp.MustCompile(`\bbad\(("(?:[^"\\]|\\.)*")`),
	regexp.MustCompile(`\blabel:("(?:[^"\\]|\\.)*")`), // fields of changes
	regexp.MustCompile(`\ttext = ("[A-Z](?:[^"\\]|\\.)*")`),
}

// joins take line breaks out of calls and literals, so that each is read as if it stood on one line.
var joins = []struct {
	re   *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`,\n\s*([})])`), "$1"},
	{regexp.MustCompile(`([({])\n\s*`), "$1"},
	{regexp.MustCompile(`([,+&|])\n\s*`), "$1 "},
	{regexp.MustCompile(`(\s)Text:  +"`), `${1}Text: "`},
}

func TestNothingIsMissing(t *testing.T) {
	fr, err := Messages("fr")
	if err != nil {
		t.Fatal(err)
	}
	en, err := Messages("en")
	if err != nil {
		t.Fatal(err)
	}
	for id := range en {
		if _, ok := fr[id]; !ok {
			t.Errorf("fr.json lacks %q", id)
		}
	}
	found := 0
	for _, pattern := range []string{
		"../../admin/web/templates/*.html", "../../admin/web/*.go", "../../people/*.go",
		"../../org/mail/*.go", "../../org/*change*.go", "../../webchat/*.go",
		"../../muc/several.go", "../../muc/several/*.go",
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			text := string(b)
			for _, j := range joins {
				text = j.re.ReplaceAllString(text, j.with)
			}
			for _, re := range uses {
				for _, m := range re.FindAllStringSubmatch(text, -1) {
					id, err := strconv.Unquote(m[1])
					if err != nil || strings.HasSuffix(id, " ") || strings.HasPrefix(id, "/") ||
						!strings.ContainsAny(id, " ") && id == strings.ToLower(id) && len(id) > 12 {
						continue // the beginning of a composed message, or a path
					}
					found++
					if _, ok := fr[id]; !ok && !strings.HasPrefix(id, "the password has") &&
						!strings.HasPrefix(id, "this session was") {
						t.Errorf("%s: fr.json lacks %q", f, id)
					}
				}
			}
		}
	}
	for _, id := range front.Words() {
		if _, ok := fr[id]; !ok {
			t.Errorf("front: fr.json lacks %q", id)
		}
	}
	if found < 400 {
		t.Errorf("only %d messages were found: the test is blind", found)
	}
}

// TestPlaces checks that both languages have the same placeholders.
func TestPlaces(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	_ = c
	places := regexp.MustCompile(`\{\{\.(\w+)\}\}`)
	fr, _ := Messages("fr")
	for id, m := range fr {
		for _, text := range []string{m.One, m.Other} {
			for _, p := range places.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(id, "{{."+p[1]+"}}") {
					t.Errorf("%q: the translation wants %s", id, p[1])
				}
			}
		}
		for _, p := range places.FindAllStringSubmatch(id, -1) {
			if p[1] != "Count" && !strings.Contains(m.Other, "{{."+p[1]+"}}") {
				t.Errorf("%q: the translation leaves out %s", id, p[1])
			}
		}
	}
}

func TestForms(t *testing.T) {
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2030, 3, 4, 5, 6, 7, 0, time.UTC)
	for _, tc := range []struct{ got, want string }{
		{c.Lang("en").T("{{.Count}} members", "Count", 1), "1 member"},
		{c.Lang("en").T("{{.Count}} members", "Count", 2), "2 members"},
		{c.Lang("fr").T("{{.Count}} members", "Count", 0), "0 membre"}, // French uses the singular for zero
		{c.Lang("fr").T("{{.Count}} members", "Count", 3), "3 membres"},
		{c.Lang("fr").T("Hello, {{.Name}}", "Name", "<b>"), "Bonjour, <b>"}, // the template escapes
		{c.Lang("fr").T("not in any catalogue"), "not in any catalogue"},
		{c.Lang("fr").T("role owner"), "Propriétaire"},
		{c.Lang("en").T("role owner"), "Owner"},
		{c.Lang("en").T("Sign in"), "Sign in"},
		{c.Lang("xx").Code, "en"},
		{c.Lang("fr").Date(now), "4 mars 2030"},
		{c.Lang("en").Ago(now.Add(-26*time.Hour), now), "yesterday"},
		{c.Lang("en").Ago(now.Add(3*time.Hour), now), "in 3 h"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

// TestNumbersHaveForms checks that messages with a number have plural forms, unless these would be alike: "2 h ago".
func TestNumbersHaveForms(t *testing.T) {
	alike := regexp.MustCompile(`^(in )?\{\{\.Count\}\} (h|min|failed|waiting)( ago)?$`)
	for _, lang := range Languages {
		ms, err := Messages(lang)
		if err != nil {
			t.Fatal(err)
		}
		for id, m := range ms {
			if strings.Contains(id, "{{.Count}}") && m.One == "" && !alike.MatchString(id) {
				t.Errorf("%s: %q has one form", lang, id)
			}
			if regexp.MustCompile(`\{\{\.\w+\}\} (were|are|have|was|is|has) `).MatchString(id) && m.One == "" &&
				regexp.MustCompile(`\{\{\.(In|Out|Number|Added|Removed)\}\}`).MatchString(id) {
				t.Errorf("%s: %q counts without forms", lang, id)
			}
		}
	}
	fr, err := Messages("fr")
	if err != nil {
		t.Fatal(err)
	}
	en, err := Messages("en")
	if err != nil {
		t.Fatal(err)
	}
	for id, m := range fr {
		if m.One != "" && en[id].One == "" {
			t.Errorf("en.json lacks the forms of %q", id)
		}
	}
}

// French puts a space before high punctuation: U+202F before ; ? and !, U+00A0 before a colon and inside guillemets,
// none before a comma or a full stop. Apostrophes are curly.
func TestFrenchTypography(t *testing.T) {
	fr, err := Messages("fr")
	if err != nil {
		t.Fatal(err)
	}
	place := regexp.MustCompile(`\{\{\.\w+\}\}`)
	exempt := regexp.MustCompile(`https?://|\d\d:\d\d(:\d\d)?|"!?\w`)
	wrong := map[string]*regexp.Regexp{
		"no U+202F before ; ? !":            regexp.MustCompile(`[^\x{202F}][;?!](\s|$)`),
		"no U+00A0 before a colon":          regexp.MustCompile(`[^\x{A0}]:`),
		"no U+00A0 inside guillemets":       regexp.MustCompile(`«[^\x{A0}]|[^\x{A0}]»`),
		"a space before a comma or a stop":  regexp.MustCompile(`\s[,.](\s|$)`),
		"a straight apostrophe":             regexp.MustCompile(`'`),
		"a space before an ellipsis or two": regexp.MustCompile(`\s…|  `),
		"English quotation marks":           regexp.MustCompile(`[“”]`),
	}
	for id, m := range fr {
		for _, text := range []string{m.One, m.Many, m.Other} {
			text = exempt.ReplaceAllString(place.ReplaceAllString(text, "x"), "x")
			for what, re := range wrong {
				if re.MatchString(text) {
					t.Errorf("%q: %q has %s", id, text, what)
				}
			}
		}
	}
}

// Most likely nobody has translated a text that is the same in both languages.
func TestFrenchIsTranslated(t *testing.T) {
	same := map[string]bool{ // words of both languages, and texts without words
		"Code": true, "Conversation": true, "Conversations": true, "Message": true,
		"{{.Count}} mentions": true, "Description": true, "Direction": true, "E-mail": true, "Invitation": true,
		"Invitations": true, "Menu": true, "Messages": true, "Mobile": true, "Notifications": true, "OK": true,
		"Options": true, "Pages": true, "Photo": true, "Ports": true, "Type": true, "Unicode": true, "Webhooks": true,
		"minutes": true, "{{.Count}} minutes": true, "{{.In}}, {{.Out}}": true, "{{.Why}}": true,
	}
	fr, err := Messages("fr")
	if err != nil {
		t.Fatal(err)
	}
	for id, m := range fr {
		if m.Other == id && !same[id] {
			t.Errorf("%q is not translated", id)
		}
	}
}
