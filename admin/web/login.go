package web

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/acts"
	"parley/auth"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

func (s *Server) signing() {
	s.handle("GET /login", public, (*request).loginPage)
	s.handle("POST /login", public, (*request).login)
	s.handle("GET /login/code", public, (*request).codePage)
	s.handle("POST /login/code", public, (*request).code)
	s.handle("POST /logout", public, (*request).logout)
	s.handle("POST /lang", public, (*request).setLang)
	s.handle("GET /setup/{token}", public, (*request).setupPage)
	s.handle("POST /setup/{token}", public, (*request).setup)
	s.handle("GET /forgot", public, (*request).forgotPage)
	s.handle("POST /forgot", public, (*request).forgot)
	s.handle("GET /reset/{token}", public, (*request).resetPage)
	s.handle("POST /reset/{token}", public, (*request).reset)
}

type loginForm struct {
	User, Back, Error string
	Group             string // the group that is shown after signing in
	Mails             bool
}

func (c *request) loginPage() error {
	if c.Me != nil {
		return c.to(c.back("/"))
	}
	return c.show("login", c.T("Sign in"),
		loginForm{Back: c.r.FormValue("back"), Mails: c.P.Mails(), Group: c.linked(c.form("back"))})
}

// linked is the name of the group that a link leads to, for a visitor who is not signed in, if everybody may know it: a
// visitor learns nothing of other groups, not even that they exist.
func (c *request) linked(path string) string {
	slug, ok := strings.CutPrefix(path, "/g/")
	if !ok {
		return ""
	}
	if slug, _, _ = strings.Cut(slug, "/"); slug != org.Slug(slug) {
		return ""
	}
	g, err := c.s.Org.Group(c.r.Context(), c.host(), slug)
	if err != nil || !org.RulesOf(g).Named {
		return ""
	}
	return g.Name
}

// find looks for the account that a chat address, the name before it, or a work e-mail address stands for.
func (s *Server) find(ctx context.Context, site *people.People, who string) (*people.People, store.Person, error) {
	name, domain, full := strings.Cut(who, "@")
	p := site
	if full {
		if p = s.people(strings.ToLower(domain)); p == nil {
			p = site
			name = ""
		}
	}
	if name != "" {
		if j, err := jid.New(jid.Typed(name), p.Host(), ""); err == nil {
			u, err := s.Store.Person(ctx, p.Host(), j.Local())
			if !errors.Is(err, store.ErrNotFound) {
				return p, u, err
			}
		}
	}
	if full {
		email, err := people.CheckEmail(who) // in the form that is kept, however the domain is written
		if err != nil {
			email = who
		}
		for _, q := range append([]*people.People{p}, s.People...) {
			u, err := s.Store.PersonByEmail(ctx, q.Host(), email)
			if !errors.Is(err, store.ErrNotFound) {
				return q, u, err
			}
		}
	}
	return p, store.Person{}, store.ErrNotFound
}

// supposed is the name that counts attempts on an account that does not exist, as for an account that exists: a missing
// count would tell them apart.
func supposed(p *people.People, who string) string {
	name, domain, full := strings.Cut(strings.ToLower(who), "@")
	if full && domain != p.Host() {
		return name + "@" + domain
	}
	if j, err := jid.New(name, p.Host(), ""); err == nil {
		name = j.Local()
	}
	return name + "@" + p.Host()
}

// failed logs a failed sign-in with the name as it was typed.
func (c *request) failed(door, why, typed string) { c.s.Failures.Note(c.addr(), door, why, typed) }

func retryAfter(wait time.Duration) string { return strconv.Itoa(int(wait.Seconds()) + 1) }

// verify says whether this is the password of an account. It takes the same time for an account that does not exist.
func (s *Server) verify(p *people.People, u store.Person, found bool, password string) (bool, error) {
	if !found || u.State() != store.StateActive {
		s.Faker.Keys(p.Host(), "-").Verify(password)
		return false, nil
	}
	var k auth.Keys
	if err := k.UnmarshalBinary(u.Keys); err != nil {
		return false, err
	}
	return k.Verify(password), nil
}

func (c *request) login() error {
	who, password := c.form("user"), c.r.FormValue("password")
	refuse := func(status int, text string) error {
		return c.page(status, "login", c.T("Sign in"), loginForm{
			User:  who,
			Back:  c.r.FormValue("back"),
			Error: text,
			Mails: c.P.Mails(),
			Group: c.linked(c.form("back")),
		})
	}
	if who == "" || password == "" || len(who) > 1000 || len(password) > 1024 {
		return refuse(http.StatusUnprocessableEntity, c.T("Enter your address and your password"))
	}
	p, u, err := c.s.find(c.r.Context(), c.P, who)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	account := u.Name + "@" + p.Host()
	if err != nil {
		account = supposed(p, who)
	}
	tooMany := func(wait time.Duration) error {
		c.failed("pages", "too many attempts", who)
		c.w.Header().Set("Retry-After", retryAfter(wait))
		return refuse(http.StatusTooManyRequests, c.T("Too many attempts: try again in a few minutes"))
	}
	at := c.s.Throttle.Attempt(c.addr(), auth.Password, account)
	if at.Shut {
		return tooMany(at.Wait)
	}
	right := false
	if at.Worth(password, u.Keys) {
		if right, err = c.s.verify(p, u, err == nil, password); err != nil {
			return err
		}
	}
	if in, crowded := at.Done(right); crowded {
		at.Hold(c.r.Context())
		return tooMany(at.Wait)
	} else if !in {
		c.failed("pages", "wrong password", who)
		return refuse(http.StatusUnauthorized, c.T("The address or the password is wrong"))
	}
	f, err := c.s.Store.SecondFactor(c.r.Context(), u.Host, u.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if f.Confirmed {
		c.cookie(pendingCookie, c.s.seal("pending", halfOf(u), pendingTime), pendingTime)
		return c.to("/login/code?back=" + queryEscape(c.back("/")))
	}
	if err := c.signIn(p, u); err != nil {
		return err
	}
	return c.to(c.back("/"))
}

const (
	pendingCookie = "__Host-parley-pending"
	pendingTime   = 5 * time.Minute
)

// seal signs a value that a browser has to give back within a time; open checks and reads it.
func (s *Server) seal(kind, text string, keep time.Duration) string {
	text = strconv.FormatInt(s.Clock.Now().Add(keep).Unix(), 10) + "|" + text
	mac := auth.Derive(s.Secret, "web "+kind, text)
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + base64.RawURLEncoding.EncodeToString(mac)
}

func (s *Server) unseal(kind, sealed string) (string, bool) {
	a, b, _ := strings.Cut(sealed, ".")
	text, err1 := base64.RawURLEncoding.DecodeString(a)
	mac, err2 := base64.RawURLEncoding.DecodeString(b)
	if err1 != nil || err2 != nil ||
		subtle.ConstantTimeCompare(mac, auth.Derive(s.Secret, "web "+kind, string(text))) != 1 {
		return "", false
	}
	until, rest, _ := strings.Cut(string(text), "|")
	at, err := strconv.ParseInt(until, 10, 64)
	return rest, err == nil && s.Clock.Now().Unix() < at
}

// halfOf identifies a person and the password that they have given: if another one has been set meanwhile, it is void.
func halfOf(u store.Person) string { return u.Host + "/" + u.Name + "/" + hashToken(string(u.Keys)) }

// halfway returns a person who has given the password and not yet a code.
func (c *request) halfway() (*people.People, store.Person, bool) {
	k, err := c.r.Cookie(pendingCookie)
	if err != nil {
		return nil, store.Person{}, false
	}
	text, ok := c.s.unseal("pending", k.Value)
	host, rest, _ := strings.Cut(text, "/")
	name, _, _ := strings.Cut(rest, "/")
	p := c.s.people(host)
	if !ok || p == nil {
		return nil, store.Person{}, false
	}
	u, err := c.s.Store.Person(c.r.Context(), host, name)
	return p, u, err == nil && u.State() == store.StateActive && halfOf(u) == text
}

func (c *request) codePage() error {
	if _, _, ok := c.halfway(); !ok {
		return c.to("/login")
	}
	return c.show("code", c.T("Second step"), loginForm{Back: c.r.FormValue("back")})
}

func (c *request) code() error {
	p, u, ok := c.halfway()
	if !ok {
		return c.to("/login")
	}
	refuse := func(status int, why, text string) error {
		c.failed("pages", why, u.Address())
		return c.page(status, "code", c.T("Second step"), loginForm{Back: c.r.FormValue("back"), Error: text})
	}
	tooMany := func() error {
		return refuse(http.StatusTooManyRequests, "too many attempts",
			c.T("Too many attempts: try again in a few minutes"))
	}
	at := c.s.Throttle.Attempt(c.addr(), auth.Code, u.Address())
	if at.Shut {
		return tooMany()
	}
	good, err := c.s.useCode(c.r.Context(), u, c.form("code"))
	if err != nil {
		return err
	}
	if in, crowded := at.Done(good); crowded {
		return tooMany()
	} else if !in {
		return refuse(http.StatusUnauthorized, "wrong code", c.T("This code is wrong or was already used"))
	}
	c.cookie(pendingCookie, "", 0)
	if err := c.signIn(p, u); err != nil {
		return err
	}
	return c.to(c.back("/"))
}

func (c *request) logout() error {
	if c.Me != nil {
		if err := c.endSession(c.Session.Hash); err != nil {
			return err
		}
	}
	c.cookie(sessionCookie, "", 0)
	c.w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return c.done("/login", "You are signed out")
}

func (c *request) setLang() error {
	lang := c.form("lang")
	if lang != "en" && lang != "fr" {
		return notFound
	}
	c.cookie(langCookie, lang, 365*24*time.Hour)
	if c.Me != nil {
		if _, err := c.P.Update(c.r.Context(), c.Actor, c.Me.Name,
			people.Change{Profile: people.Profile{Lang: &lang}}); err != nil {
			return err
		}
	}
	return c.to(c.back("/"))
}

// The first owner comes with a link that is printed when the server starts and nobody is in charge.
const firstKey = "web/first-owner"

// FirstOwner gives the link that makes a host's first owner, a new one each time; "" if somebody is in charge.
func (s *Server) FirstOwner(ctx context.Context, host string) (string, error) {
	p := s.people(host)
	if p == nil {
		return "", fmt.Errorf("%s is not hosted here", host)
	}
	if led, err := s.led(ctx, host); err != nil || led {
		return "", err
	}
	token := newToken()
	if err := s.Store.Put(ctx, host, firstKey, []byte(hashToken(token))); err != nil {
		return "", err
	}
	return p.URL() + "/setup/" + token, nil
}

// led says whether somebody can administer a host.
func (s *Server) led(ctx context.Context, host string) (bool, error) {
	for _, role := range []string{store.RoleOwner, store.RoleAdmin} {
		if _, n, err := s.Store.People(ctx, host,
			store.PeopleFilter{Role: role, State: store.StateActive, Limit: 1}); err != nil || n > 0 {
			return n > 0, err
		}
	}
	return false, nil
}

// first checks the token of a first owner's link and gives its host.
func (c *request) first() (*people.People, error) {
	hash := []byte(hashToken(c.r.PathValue("token")))
	for _, p := range c.s.People {
		kept, err := c.s.Store.Get(c.r.Context(), p.Host(), firstKey)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare(kept, hash) != 1 {
			continue
		}
		led, err := c.s.led(c.r.Context(), p.Host())
		if err == nil && led {
			if err = c.s.Store.Delete(c.r.Context(), p.Host(), firstKey); err == nil {
				err = errFirst
			}
		}
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	return nil, errFirst
}

var errFirst = fault.New(fault.NotFound, "",
	"This link was used already, or a newer one was printed when the server started again")

type setupForm struct {
	Token, Organization, Name, FullName, Email, Domain, Error, Field string

	First bool // a first group is to be made
}

func (c *request) setupPage() error {
	p, err := c.first()
	if err != nil {
		return err
	}
	return c.show("setup", c.T("Welcome to parley"), setupForm{
		Token:        c.r.PathValue("token"),
		Organization: p.Company(),
		Domain:       p.Host(),
		First:        true,
	})
}

func (c *request) setup() error {
	p, err := c.first()
	if err != nil {
		return err
	}
	f := setupForm{
		Token:        c.r.PathValue("token"),
		Organization: c.form("organization"),
		Name:         c.form("name"),
		FullName:     c.form("full_name"),
		Email:        c.form("email"),
		Domain:       p.Host(),
		First:        c.form("first") != "",
	}
	u, err := c.foundedBy(p, f)
	if errors.Is(err, errFirst) {
		return err
	}
	if err != nil {
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "setup", c.T("Welcome to parley"), f)
	}
	if err := c.signIn(p, u); err != nil {
		return err
	}
	if f.First {
		c.P = p
		if _, err := c.makeFirstGroup(people.As(u, acts.Page, c.remote())); err != nil {
			// The account is there, and home offers the group again.
			door.Failed(c.r.Context(), c.s.Log, "make the first group", "err", err)
		}
	}
	return c.done("/admin", "Welcome, {{.Name}}: the organization is yours", "Name", u.Display())
}

// foundedBy makes the first owner's account of the form. Of two who send it at once, one takes the key and is the
// owner.
func (c *request) foundedBy(p *people.People, f setupForm) (store.Person, error) {
	password, err := c.newPasswordTwice()
	if err != nil {
		return store.Person{}, err
	}
	n := people.Founder{Organization: f.Organization, NewPerson: people.NewPerson{
		Name:     f.Name,
		FullName: f.FullName,
		Email:    f.Email,
		Role:     store.RoleOwner,
		Lang:     c.Lang.Code,
		Password: password,
	}}
	by := people.System
	by.Door, by.Remote = acts.Link, c.remote()
	return p.Found(c.r.Context(), by, n, func(ctx context.Context) error {
		took, err := c.s.Store.Take(ctx, p.Host(), firstKey, []byte(hashToken(f.Token)))
		if err == nil && !took {
			err = errFirst
		}
		return err
	})
}

// newPasswordTwice returns the password that a form sets, if it was typed alike twice.
func (c *request) newPasswordTwice() (string, error) {
	if c.r.FormValue("password") != c.r.FormValue("again") {
		return "", fault.New(fault.Invalid, "again", "The two passwords are not the same")
	}
	return c.password(), nil
}

// password returns the password of a form; People reports a missing one.
func (c *request) password() string {
	if p := c.r.FormValue("password"); p != "" {
		return p
	}
	return " " // too short for every policy, and not the same as none
}

type forgotForm struct {
	User  string
	Sent  bool
	Mails bool
}

func (c *request) forgotPage() error {
	return c.show("forgot", c.T("Forgotten password"), forgotForm{Mails: c.P.Mails()})
}

// forgot answers everybody alike, so that nobody learns which accounts exist. The mail is written in the background.
func (c *request) forgot() error {
	who := c.form("user")
	if ok, _ := c.s.Throttle.Wrong(c.addr(), auth.Forgotten); !ok || len(who) > 1000 { // each asking counts
		return c.page(http.StatusTooManyRequests, "forgot", c.T("Forgotten password"),
			forgotForm{User: who, Mails: true})
	}
	if p, u, err := c.s.find(c.r.Context(), c.P, who); err == nil && u.Email != "" &&
		u.State() == store.StateActive && p.Mails() {
		actor := people.As(u, acts.Link, c.remote())
		ctx := context.WithoutCancel(c.r.Context())
		c.s.after.Go(func() {
			if at := c.s.Throttle.Attempt(c.addr(), auth.Forgotten, u.Address()); at.Shut {
				return
			} else if _, crowded := at.Done(false); crowded {
				return
			}
			_, _, err := p.Reset(ctx, actor, u.Name, true)
			if err != nil && fault.Of(err) == nil { // nobody is told, not even that there were too many attempts
				c.s.Log.Error("send a link for a new password", "account", u.Address(), "err", err)
			}
		})
	}
	return c.show("forgot", c.T("Forgotten password"), forgotForm{User: who, Sent: true, Mails: true})
}

type resetForm struct {
	Token, Address, Error, Field string
}

func (c *request) resetPage() error {
	p, i, err := c.link(store.KindReset)
	if err != nil {
		return c.deadLink(err)
	}
	return c.show("reset", c.T("Choose a new password"),
		resetForm{Token: c.r.PathValue("token"), Address: i.Username + "@" + p.Host()})
}

func (c *request) reset() error {
	p, i, err := c.link(store.KindReset)
	if err != nil {
		return c.deadLink(err)
	}
	password, err := c.newPasswordTwice()
	var u store.Person
	if err == nil {
		u, err = p.NewPassword(c.r.Context(), c.byLink(), c.r.PathValue("token"), password)
	}
	if err != nil {
		text, field, ok := c.explain(err)
		if !ok {
			return c.deadLink(err)
		}
		return c.page(http.StatusUnprocessableEntity, "reset", c.T("Choose a new password"),
			resetForm{Token: c.r.PathValue("token"), Address: i.Username + "@" + p.Host(), Error: text, Field: field})
	}
	f, err := c.s.Store.SecondFactor(c.r.Context(), u.Host, u.Name)
	if err == nil && f.Confirmed { // the link is not the second factor
		return c.done("/login", "Your new password is set: sign in with it")
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := c.signIn(p, u); err != nil {
		return err
	}
	return c.done("/", "Your new password is set")
}
