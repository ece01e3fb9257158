// Package web is the pages for people in browsers: the administrators' console, everybody's own pages, invitations.
// Packages people and org decide what may be done; pages ask them and show the result.
package web

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"parley/admin"
	"parley/auth"
	"parley/feature/webhooks"
	"parley/federation"
	"parley/front"
	"parley/internal/background"
	"parley/internal/clock"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/internal/memo"
	"parley/org"
	"parley/people"
	"parley/transfer"
	"parley/webchat"

	"parley/internal/i18n"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// Config is what the pages need.
type Config struct {
	People   []*people.People // one for each host, the default host's first
	Hosts    map[string]*server.Host
	Org      *org.Org
	Store    Store
	IDs      *store.IDs
	Clock    clock.Clock
	Words    *i18n.Catalogue
	Log      *slog.Logger
	Secret   []byte // signs values that the browser keeps for a moment
	Throttle *auth.Throttle
	Failures *auth.Failures // nil: failed sign-ins are not noted
	Faker    *auth.Faker    // keys for accounts that do not exist
	Outbox   bool           // /dev/outbox shows mails
	Rooms    admin.Rooms
	Find     func(ctx context.Context, host string, who jid.JID, text string) store.Find // begins a search for messages
	System   admin.System
	Chat     Chat                        // nil: there is no chat
	Chats    map[string]*webchat.Service // by host
	// UploadURL gives the beginning of the addresses of a host's files; nil: there are none.
	UploadURL func(host string) string
	Photos    map[string]admin.Photos       // by host
	Hooks     map[string]*webhooks.Webhooks // by host

	Federation *federation.Admin
	Accounts   transfer.Store // for people who download their data
	API        http.Handler   // serves what is below /api
}

// Server serves the pages. Safe from any goroutine.
type Server struct {
	Config
	mux    *http.ServeMux
	views  views
	assets *assets
	front  *assets
	routes []string // patterns of the routes, for the test that looks at each
	cross  *http.CrossOriginProtection
	thumbs memo.Map[string, thumb] // by the hash of the published picture

	after background.Group // work that goes on after its answer
}

// New makes the pages.
func New(c Config) (*Server, error) {
	s := &Server{Config: c, mux: http.NewServeMux(), cross: http.NewCrossOriginProtection()}
	s.thumbs.Most = maxShown
	var err error
	if s.assets, err = newAssets(c.Clock.Now()); err != nil {
		return nil, err
	}
	if s.front, err = readAssets(front.Files(), c.Clock.Now()); err != nil {
		return nil, err
	}
	s.views.funcs, s.views.words = s.funcs, s.Words
	s.register()
	return s, nil
}

// access says which people may open a page.
type access uint8

const (
	public  access = iota
	member         // signed in
	console        // people who manage accounts
	runs           // administrators of the organization
)

func (s *Server) register() {
	s.mux.HandleFunc("GET /assets/{version}/{name...}", s.assets.serve)
	s.routes = append(s.routes, "GET /assets/{version}/{name...}")
	s.handle("/", public, (*request).nothing)
	s.signing()
	s.invitations()
	s.own()
	s.security()
	s.steppingUp()
	s.photoPages()
	s.console()
	s.groups()
	s.searching()
	s.federation()
	s.webhooks()
	s.chat()
	s.tokens()
	s.saved()
	s.settings()
	s.links()
	s.actions()
	s.usingActions()
	s.mux.Handle("/api/", s.API)
}

var notFound = fault.New(fault.NotFound, "", "There is no such page")

// nothing answers where there is no page. A page's name with a slash after it redirects to the page.
func (c *request) nothing() error {
	path := strings.TrimRight(c.r.URL.Path, "/")
	if c.r.Method != http.MethodGet && c.r.Method != http.MethodHead || path == "" || path == c.r.URL.Path ||
		strings.HasPrefix(path, "//") {
		return notFound
	}
	r := c.r.Clone(c.r.Context())
	r.URL.Path, r.URL.RawPath = path, ""
	if _, pattern := c.s.mux.Handler(r); pattern == "/" || pattern == "" {
		return notFound
	}
	http.Redirect(c.w, c.r, r.URL.RequestURI(), http.StatusMovedPermanently)
	return nil
}

// maxForm limits the size of a form without files.
const (
	maxForm = 256 << 10
	maxFile = 9 << 20
)

// handle registers a page for people with an access. An error becomes a page.
func (s *Server) handle(pattern string, need access, f func(c *request) error) {
	s.routes = append(s.routes, pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		c := s.begin(w, r)
		defer func() {
			if p := recover(); p != nil && p != http.ErrAbortHandler {
				s.Log.Error("panic in a page", "path", pattern, "panic", p, "stack", string(debug.Stack()))
				c.fail(errors.New("panic"))
			}
		}()
		err := c.signedIn()
		switch {
		case err != nil:
		case need != public && c.Me == nil:
			c.toLogin()
			return
		case need == console && !c.Actor.Console(), need == runs && !c.Actor.Runs():
			err = fault.ErrRole
		default:
			if need != public {
				w.Header().Set("Cache-Control", "no-store")
			}
			if err = c.readForm(need, strings.HasPrefix(pattern, "POST ")); err == nil {
				err = c.answer(pattern, need, f)
			}
		}
		if err != nil {
			c.fail(err)
		}
	})
}

// formTime is how long a signed-in person may take to send a form, such as a photo from a slow phone.
const formTime = 2 * time.Minute

// readForm reads the body of a request to a page that wants one. From people who are not signed in it takes as little
// as internal/door lets through, and no files. The handlers report errors in it.
func (c *request) readForm(need access, wanted bool) error {
	if !wanted {
		c.r.Body = http.NoBody
		return nil
	}
	if c.r.ContentLength == 0 {
		return nil
	}
	if need != public {
		limit := int64(maxForm)
		if strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/form-data") {
			limit = maxFile
		}
		door.Allow(c.r.Context(), formTime, formTime)
		c.r.Body = http.MaxBytesReader(c.w, c.r.Body, limit)
	}
	var late net.Error
	var big *http.MaxBytesError
	err := c.r.ParseForm() // ParseMultipartForm does not report errors of other forms
	if err == nil {
		err = c.r.ParseMultipartForm(maxFile)
	}
	switch {
	case errors.Is(err, door.ErrTooManyBodies), errors.As(err, &big):
		return err
	case errors.As(err, &late) && late.Timeout():
		return badForm
	}
	return nil
}

// answer lets f answer, unless something has to be done first: the second step set up, a proof given.
func (c *request) answer(pattern string, need access, f func(c *request) error) error {
	if need == public {
		return f(c)
	}
	if enrol, err := c.enrols(pattern); err != nil || enrol {
		return err
	}
	if done, err := c.stepUp(pattern); err != nil || done {
		return err
	}
	if slug := c.r.PathValue("slug"); slug != "" {
		if hidden, err := c.s.Org.Hidden(c.r.Context(), c.Actor, c.host(), slug,
			c.r.PathValue("key")); err != nil || hidden {
			return cmp.Or(err, error(notFound))
		}
	}
	return f(c)
}

// ServeHTTP serves requests over TLS.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r, false) }

// Proxied serves requests for which a proxy has ended TLS.
func (s *Server) Proxied() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, true) })
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, proxied bool) {
	secureHeaders(w.Header())
	r = r.WithContext(context.WithValue(r.Context(), proxiedKey{}, proxied))
	if !proxied {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	// no name of anything, and no text for a database
	if strings.ContainsRune(r.URL.Path, 0) || !utf8.ValidString(r.URL.Path) {
		http.Error(w, "there is no such page", http.StatusNotFound)
		return
	}
	if err := s.cross.Check(r); err != nil {
		http.Error(w, "this request comes from another site", http.StatusForbidden)
		return
	}
	s.mux.ServeHTTP(w, r)
}

type proxiedKey struct{}

// policy is the content security policy of every page but the chat's.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secureHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
}

// request is one request of a browser: who it is from, in which language, and what is answered.
type request struct {
	s       *Server
	w       http.ResponseWriter
	r       *http.Request
	P       *people.People
	Lang    *i18n.Lang
	Me      *store.Person // nil: nobody has signed in
	Session store.WebSession
	Actor   people.Actor
	now     time.Time
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request) *request {
	c := &request{s: s, w: w, r: r, P: s.site(r), now: s.Clock.Now().UTC()}
	c.Lang = s.Words.Of(r, c.cookieLang(), c.P.Policy().Lang)
	return c
}

// site chooses the host by the name in the URL; the default host if the name is none of ours.
func (s *Server) site(r *http.Request) *people.People {
	name := r.Host
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	if p := s.people(strings.ToLower(name)); p != nil {
		return p
	}
	return s.People[0]
}

func (s *Server) people(domain string) *people.People {
	for _, p := range s.People {
		if p.Host() == domain {
			return p
		}
	}
	return nil
}

// remote is the address the request comes from.
func (c *request) remote() string {
	if a := c.addr(); a.IsValid() {
		return a.String()
	}
	return ""
}

func (c *request) addr() netip.Addr {
	ap, err := netip.ParseAddrPort(c.r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

func (c *request) host() string { return c.P.Host() }

// form gives a field's text, without what PostgreSQL takes in no text: it would fail as if that were our fault.
func (c *request) form(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(c.r.FormValue(name), "\ufffd"), "\x00", ""))
}

// T says a message in the page's language.
func (c *request) T(id string, args ...any) string { return c.Lang.T(id, args...) }

// explain returns the text for an error that the asker has caused; ok is false for an error of ours.
func (c *request) explain(err error) (text, field string, ok bool) {
	f := server.Fault(err)
	if f == nil {
		return "", "", false
	}
	return c.refusal(f), f.Field, true
}

// refusal says a refusal in the page's language.
func (c *request) refusal(f *fault.Error) string {
	text := c.T(upper(f.Text), f.Args...)
	if strings.HasPrefix(f.Text, "{{.Field}}") { // the name of a field, which programs write in lower case
		return upper(text)
	}
	return text
}

// fail shows what went wrong.
func (c *request) fail(err error) {
	var big *http.MaxBytesError
	switch {
	case errors.Is(err, store.ErrNotFound):
		err = notFound
	case errors.Is(err, door.ErrTooManyBodies):
		err = fault.New(fault.Busy, "", "The server is busy: try again in a few seconds")
		c.w.Header().Set("Retry-After", "5")
	case errors.As(err, &big):
		err = fault.New(fault.Invalid, "", "This is too large")
	}
	status, refused := admin.Refusal(err)
	text := c.T("Something went wrong here. It has been noted in the server's log.")
	if refused != nil {
		text = c.refusal(refused)
	} else {
		if c.r.Context().Err() != nil {
			return // nobody is there to read it
		}
		c.s.Log.Error("page", "path", c.r.Pattern, "err", err) // never the path itself: links have their secret in it
		status = http.StatusInternalServerError
	}
	if c.r.Header.Get("HX-Request") != "" { // htmx shows nothing for an error: the page itself is to show it
		c.w.Header().Set("HX-Retarget", "#toasts")
		c.w.Header().Set("HX-Reswap", "beforeend")
		c.part("toast", note{Kind: "error", Text: text})
		return
	}
	c.page(status, "error", c.T("Error"), map[string]any{"Status": status, "Text": text})
}

// to sends the browser on, after something was done.
func (c *request) to(path string) error {
	if c.r.Header.Get("HX-Request") != "" {
		c.w.Header().Set("HX-Redirect", path)
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(c.w, c.r, path, http.StatusSeeOther)
	return nil
}

// back is the local address a form wants to return to.
func (c *request) back(otherwise string) string {
	to := c.r.FormValue("back")
	if u, err := url.Parse(to); err == nil && u.Host == "" && u.Scheme == "" && strings.HasPrefix(u.Path, "/") &&
		!strings.HasPrefix(to, "//") && !strings.Contains(to, `\`) {
		return to
	}
	return otherwise
}

// sub gives a directory of the embedded files.
func sub(name string) fs.FS {
	f, err := fs.Sub(files, name)
	if err != nil { // the files are embedded
		panic(err)
	}
	return f
}

// Close lets nothing begin any more that an answer does not wait for, and returns when all of it has ended.
func (s *Server) Close() { s.after.Close() }

// Routes gives the patterns that are served.
func (s *Server) Routes() []string { return s.routes }
