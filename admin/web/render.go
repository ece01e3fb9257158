package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"parley/internal/i18n"
	"parley/internal/picture"
	"parley/people"
	"parley/store"
)

// views are the templates of pages, each parsed when it is first shown in a language: all of them in all languages are
// some ten megabytes. Safe from any goroutine.
type views struct {
	funcs func(host string, l *i18n.Lang) template.FuncMap
	words *i18n.Catalogue

	mu sync.Mutex
	of map[[3]string]*template.Template // by host, language and page
}

// names gives those of the pages: templates that begin with "_" are parts of all of them.
func (v *views) names() (names []string, err error) {
	files, err := fs.Glob(sub("templates"), "*.html")
	for _, f := range files {
		if !strings.HasPrefix(f, "_") {
			names = append(names, strings.TrimSuffix(f, ".html"))
		}
	}
	return names, err
}

func (v *views) get(host, lang, name string) (*template.Template, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t := v.of[[3]string{host, lang, name}]; t != nil {
		return t, nil
	}
	t, err := template.New("").Funcs(v.funcs(host, v.words.Lang(lang))).
		ParseFS(sub("templates"), "_*.html", name+".html")
	if err != nil {
		return nil, err
	}
	if v.of == nil {
		v.of = make(map[[3]string]*template.Template)
	}
	v.of[[3]string{host, lang, name}] = t
	return t, nil
}

// funcs gives the functions that templates of an organization's pages call, in one language.
func (s *Server) funcs(host string, l *i18n.Lang) template.FuncMap {
	role := func(r string) string { return s.people(host).RoleName(l, r) }
	fs := template.FuncMap{
		"t":        l.T,
		"icon":     s.icon,
		"asset":    s.assets.path,
		"date":     l.Date,
		"moment":   l.Moment,
		"ago":      func(t time.Time) string { return l.Ago(t, s.Clock.Now()) },
		"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"zero":     time.Time.IsZero,
		"hue":      picture.Hue,
		"initials": initials,
		"photo":    s.photoURL,
		"chatpath": people.ChatPath,
		"dict":     dict,
		"join":     strings.Join,
		"qs":       qs,
		"under":    strings.HasPrefix,
		"cut":      cut,
		"linked":   linked,
		"reactors": reactors,
		"safeurl":  func(s string) template.URL { return template.URL(s) },
		"list":     func(xs ...string) []string { return xs },
		"add":      func(a, b int) int { return a + b },
		"bytes":    bytesText,
		"number":   func(n int64) string { return strconv.FormatInt(n, 10) },
		"role":     role,
		"device":   func(agent string) string { return device(l, agent) },
	}
	maps.Copy(fs, formFuncs(l, role))
	return fs
}

func (s *Server) icon(name string) (template.HTML, error) {
	h, ok := s.assets.icons[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q", name)
	}
	return h, nil
}

// dict makes a map of names and values for a part.
func dict(args ...any) (map[string]any, error) {
	m := make(map[string]any)
	for i := 0; i+1 < len(args); i += 2 {
		k, ok := args[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict: %v is no name", args[i])
		}
		m[k] = args[i+1]
	}
	return m, nil
}

// qs changes one parameter of a query; the parameters that depend on the page's number start over.
func qs(q url.Values, name string, value any) template.URL {
	n := make(url.Values)
	for k, v := range q {
		if k != "page" && k != "back" && len(v) > 0 && v[0] != "" {
			n[k] = v
		}
	}
	if s := fmt.Sprint(value); s == "" {
		n.Del(name)
	} else {
		n.Set(name, s)
	}
	return template.URL("?" + n.Encode())
}

func initials(name string) string {
	var out []rune
	for _, w := range strings.FieldsFunc(name, func(r rune) bool {
		return unicode.IsSpace(r) || r == '.' || r == '-' || r == '_'
	}) {
		for _, r := range w {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				out = append(out, unicode.ToUpper(r))
				break
			}
		}
		if len(out) == 2 {
			break
		}
	}
	return string(out)
}

// device says in a few words which browser it was.
func device(l *i18n.Lang, agent string) string {
	find := func(pairs ...string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	browser := find("Edg/", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "Chrome/", "Chrome", "Safari/", "Safari")
	system := find("Android", "Android", "iPhone", "iPhone", "iPad", "iPad", "Windows", "Windows", "Mac OS",
		"macOS", "Linux", "Linux")
	switch {
	case browser == "" && system == "":
		return l.T("A browser")
	case browser == "" || system == "":
		return browser + system
	}
	return l.T("{{.Browser}} on {{.System}}", "Browser", browser, "System", system)
}

// view is the data of every page.
type view struct {
	Title  string
	Lang   string
	Org    string
	Domain string
	Path   string
	Query  url.Values
	Me     *store.Person
	Actor  people.Actor
	Notes  []note
	Bare   bool // without navigation
	Chat   bool // the server has a chat in the browser
	Outbox bool // mails are not sent but shown
	Data   any
}

// note is a message about the last act: kind "ok" or "error".
type note struct {
	Kind, Text string
	Undo       *undoing `json:",omitempty"`
	View       string   `json:",omitempty"` // the page of the changed thing
	Link       string   `json:",omitempty"` // to be copied
}

// undoing is the form that undoes the last act.
type undoing struct {
	To     string
	Fields [][2]string
}

// undo returns a form that posts names and values in turn.
func undo(to string, fields ...string) undoing {
	u := undoing{To: to}
	for i := 0; i+1 < len(fields); i += 2 {
		u.Fields = append(u.Fields, [2]string{fields[i], fields[i+1]})
	}
	return u
}

func (c *request) view(title string, data any) view {
	return view{
		Title:  title,
		Lang:   c.Lang.Code,
		Org:    c.P.Title(),
		Domain: c.host(),
		Path:   c.r.URL.Path,
		Query:  c.r.URL.Query(),
		Me:     c.Me,
		Actor:  c.Actor,
		Bare:   c.Me == nil,
		Chat:   c.s.Chat != nil,
		Outbox: c.s.Config.Outbox,
		Data:   data,
	}
}

// page shows a page.
func (c *request) page(status int, name, title string, data any) error {
	v := c.view(title, data)
	v.Notes = c.takeNotes()
	return c.render(status, name, "layout", v)
}

// show is page where all is well.
func (c *request) show(name, title string, data any) error {
	return c.page(http.StatusOK, name, title, data)
}

// panel shows only the part of a page that is asked for by htmx, or the whole of it.
func (c *request) panel(status int, name, part, title string, data any) error {
	if c.r.Header.Get("HX-Request") != "" && c.r.Header.Get("HX-Boosted") == "" {
		return c.render(http.StatusOK, name, part, c.view(title, data)) // htmx would not show it with another status
	}
	return c.page(status, name, title, data)
}

// part shows a part that all pages share.
func (c *request) part(part string, data any) {
	if err := c.render(http.StatusOK, "error", part, data); err != nil {
		c.s.Log.Error("page", "part", part, "err", err)
	}
}

func (c *request) render(status int, name, part string, v any) error {
	t, err := c.s.views.get(c.host(), c.Lang.Code, name)
	if err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	var b bytes.Buffer // whole before anything is sent: an error in it is no half page
	if err := t.ExecuteTemplate(&b, part, v); err != nil {
		return fmt.Errorf("template %s: %w", name, err)
	}
	c.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.w.Header().Set("Content-Language", c.Lang.Code)
	if c.w.Header().Get("Cache-Control") == "" {
		c.w.Header().Set("Cache-Control", "no-store")
	}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(b.Bytes()) // the asker may have gone
	}
	return nil
}

const noteCookie = "__Host-parley-note"

// say keeps a message for the page that comes next.
func (c *request) say(kind, text string) { c.keep(note{Kind: kind, Text: text}) }

func (c *request) keep(n note) {
	b, err := json.Marshal(n)
	if err != nil || len(b) > 2500 {
		return
	}
	http.SetCookie(c.w, &http.Cookie{
		Name:     noteCookie,
		Value:    base64.RawURLEncoding.EncodeToString(b),
		Path:     "/",
		MaxAge:   60,
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
}

// done reports the act as done and redirects to path.
func (c *request) done(path, id string, args ...any) error {
	c.say("ok", c.T(id, args...))
	return c.to(path)
}

// undoable is done, with a button that takes it back. In a browser with scripts it is offered for ten seconds.
func (c *request) undoable(path string, u undoing, id string, args ...any) error {
	c.keep(note{Kind: "ok", Text: c.T(id, args...), Undo: &u})
	return c.to(path)
}

// oops redirects to path with the text of a mistake; an error that is our fault stays an error.
func (c *request) oops(path string, err error) error {
	text, _, ok := c.explain(err)
	if !ok {
		return err
	}
	c.say("error", text)
	return c.to(path)
}

func (c *request) takeNotes() []note {
	k, err := c.r.Cookie(noteCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(c.w, &http.Cookie{Name: noteCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true})
	b, err := base64.RawURLEncoding.DecodeString(k.Value)
	var n note
	if err != nil || json.Unmarshal(b, &n) != nil || n.Kind != "ok" && n.Kind != "error" {
		return nil
	}
	return []note{n}
}

// cut shortens a text to one line of n characters.
func cut(s string, n int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}

var address = regexp.MustCompile(`https?://[^\s<>"]+[^\s<>".,;:!?)\]']`)

// linked turns the addresses in a text into links; the rest stays text.
func linked(s string) template.HTML {
	var b strings.Builder
	last := 0
	for _, at := range address.FindAllStringIndex(s, -1) {
		b.WriteString(template.HTMLEscapeString(s[last:at[0]]))
		u := template.HTMLEscapeString(s[at[0]:at[1]])
		b.WriteString(`<a href="` + u + `" rel="noreferrer noopener nofollow">` + u + `</a>`)
		last = at[1]
	}
	b.WriteString(template.HTMLEscapeString(s[last:]))
	return template.HTML(b.String())
}

// bytesText formats a size for people.
func bytesText(n int64) string {
	unit, size := "B", float64(n)
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		unit, size = u, size/1024
	}
	if unit == "B" {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + unit
}

// upper begins a sentence.
func upper(s string) string {
	if r, n := utf8.DecodeRuneInString(s); n > 0 {
		return string(unicode.ToUpper(r)) + s[n:]
	}
	return s
}
