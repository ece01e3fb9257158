// Package i18n translates the texts that people read. English is the text in code and templates, which is also the
// message's name; French is in the catalogue fr.json. Messages with a number have their plural forms in both
// catalogues.
package i18n

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

//go:embed en.json fr.json
var files embed.FS

// Languages are the languages that exist, the default first.
var Languages = []string{"en", "fr"}

// Lang translates into one language. Safe from any goroutine.
type Lang struct {
	Code  string
	loc   *goi18n.Localizer
	known map[string]message
}

// Catalogue holds the languages.
type Catalogue struct {
	langs   map[string]*Lang
	matcher language.Matcher
}

// message is an entry of a catalogue: a text, or its plural forms.
type message struct{ One, Many, Other string }

func (m *message) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &m.Other)
	}
	type plain message
	return json.Unmarshal(b, (*plain)(m))
}

// Messages reads the catalogue of one language.
func Messages(lang string) (map[string]message, error) {
	b, err := files.ReadFile(lang + ".json")
	if err != nil {
		return nil, err
	}
	var ms map[string]message
	if err := json.Unmarshal(b, &ms); err != nil {
		return nil, fmt.Errorf("catalogue %s: %w", lang, err)
	}
	return ms, nil
}

// New reads all catalogues.
func New() (*Catalogue, error) {
	bundle := goi18n.NewBundle(language.English)
	c := &Catalogue{langs: make(map[string]*Lang)}
	var tags []language.Tag
	for _, code := range Languages {
		tag := language.MustParse(code)
		tags = append(tags, tag)
		ms, err := Messages(code)
		if err != nil {
			return nil, err
		}
		for id, m := range ms {
			many := m.Many
			if many == "" {
				many = m.Other
			}
			if err := bundle.AddMessages(tag, &goi18n.Message{
				ID:    id,
				One:   m.One,
				Many:  many,
				Other: m.Other,
			}); err != nil {
				return nil, fmt.Errorf("catalogue %s: %q: %w", code, id, err)
			}
		}
		c.langs[code] = &Lang{Code: code, loc: goi18n.NewLocalizer(bundle, code), known: ms}
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

// Lang gives a language by its code, or the default.
func (c *Catalogue) Lang(code string) *Lang {
	if l := c.langs[code]; l != nil {
		return l
	}
	return c.langs[Languages[0]]
}

// Of chooses the language of a request: preferred if it exists, else one that the browser asks for, else otherwise.
func (c *Catalogue) Of(r *http.Request, preferred, otherwise string) *Lang {
	if l := c.langs[preferred]; l != nil {
		return l
	}
	accept := r.Header.Get("Accept-Language")
	if len(accept) > 200 {
		accept = accept[:200]
	}
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return c.Lang(otherwise)
	}
	_, i, sure := c.matcher.Match(tags...)
	if sure == language.No {
		return c.Lang(otherwise)
	}
	return c.langs[Languages[i]]
}

// T gives a message in the language. args are names and values in turn; the value named Count chooses the plural form.
// A message that the catalogue lacks is given in English.
func (l *Lang) T(id string, args ...any) string {
	c := &goi18n.LocalizeConfig{DefaultMessage: &goi18n.Message{ID: id, Other: id}}
	if len(args) > 0 {
		data := make(map[string]any, len(args)/2)
		for i := 0; i+1 < len(args); i += 2 {
			name := fmt.Sprint(args[i])
			data[name] = args[i+1]
			if name == "Count" {
				c.PluralCount = args[i+1]
			}
		}
		c.TemplateData = data
	} else if _, ok := l.known[id]; !ok && l.Code == Languages[0] {
		return id
	}
	s, err := l.loc.Localize(c)
	if s == "" && err != nil {
		return id
	}
	return s
}

var months = map[string][]string{
	"en": {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
	"fr": {"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."},
}

// Date formats a day.
func (l *Lang) Date(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return fmt.Sprintf("%d %s %d", t.Day(), months[l.Code][t.Month()-1], t.Year())
}

// Moment formats a day and a time.
func (l *Lang) Moment(t time.Time) string {
	if t.IsZero() {
		return "—"
	}
	return l.Date(t) + t.Format(", 15:04")
}

// Ago says roughly how long ago, or in how long, a moment is.
func (l *Lang) Ago(t, now time.Time) string {
	if t.IsZero() {
		return l.T("never")
	}
	d := now.Sub(t)
	past := d >= 0
	d = d.Abs()
	say := func(n int, ago, in string) string {
		if past {
			return l.T(ago, "Count", n)
		}
		return l.T(in, "Count", n)
	}
	switch {
	case d < time.Minute:
		return l.T("just now")
	case d < time.Hour:
		return say(int(d.Minutes()), "{{.Count}} min ago", "in {{.Count}} min")
	case d < 24*time.Hour:
		return say(int(d.Hours()), "{{.Count}} h ago", "in {{.Count}} h")
	case d < 30*24*time.Hour:
		return say(int(d.Hours()/24), "{{.Count}} days ago", "in {{.Count}} days")
	}
	return l.Date(t)
}
