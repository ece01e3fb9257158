package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/skip2/go-qrcode"

	"parley/org"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

func (s *Server) own() {
	s.handle("GET /{$}", member, (*ctx).home)
	s.handle("GET /people", member, (*ctx).directory)
	s.handle("GET /me", member, (*ctx).profile)
	s.handle("POST /me", member, (*ctx).saveProfile)
	s.handle("GET /me/security", member, (*ctx).security)
	s.handle("POST /me/password", member, (*ctx).newPassword)
	s.handle("POST /me/prove", member, (*ctx).prove)
	s.handle("POST /me/factor", member, (*ctx).factor)
	s.handle("GET /me/factor.png", member, (*ctx).factorQR)
	s.handle("POST /me/sessions", member, (*ctx).endSessions)
	s.notifications()
	s.handle("GET /me/data", member, (*ctx).data)
	s.handle("POST /me/data", member, (*ctx).download)
}

// self is the address of who has signed in.
func (c *ctx) self() jid.JID {
	j, err := jid.New(c.Me.Name, c.host(), "")
	if err != nil { // it is kept as it is
		return jid.JID{}
	}
	return j
}

// newsRow is a conversation with what is new in it.
type newsRow struct {
	Name, Group, Link, By, Text string
	Unread                      int
	At                          time.Time
}

func (c *ctx) home() error {
	ctx := c.r.Context()
	news, err := c.s.Org.News(ctx, c.host(), c.self(), false)
	if err != nil {
		return err
	}
	var rows []newsRow
	unread := 0
	for _, n := range news {
		r := newsRow{Name: n.Group.Name, Group: n.Group.Name, Link: "/g/" + n.Group.Slug, Unread: n.Unread, At: n.Last.ID.Time()}
		if n.Theme != nil {
			r.Name, r.Link = n.Theme.Name, r.Link+"/t/"+n.Theme.Key
		}
		if m := c.message(n.Last); m != nil {
			r.By, r.Text = m.Nick, m.Text
		}
		unread += n.Unread
		if rows = append(rows, r); len(rows) == 12 {
			break
		}
	}
	gs, err := c.s.Org.GroupsOf(ctx, c.host(), c.self())
	if err != nil {
		return err
	}
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return c.show("home", c.T("Home"), map[string]any{"News": rows, "Unread": unread, "Groups": gs, "Devices": c.devices(c.Me.Name), "TwoFactor": f.Confirmed})
}

// directory is the people of the organization, for everyone in it.
func (c *ctx) directory() error {
	words := strings.Fields(c.form("q"))
	if len(words) > 8 {
		words = words[:8]
	}
	page := c.pageNumber()
	ps, total, err := c.s.Store.People(c.r.Context(), c.host(), store.PeopleFilter{Words: words, State: store.StateActive, Offset: (page - 1) * perPage, Limit: perPage})
	if err != nil {
		return err
	}
	return c.panel(http.StatusOK, "directory", "list", c.T("People"), map[string]any{"People": ps, "Pager": c.pager(page, total), "Q": c.form("q"), "Online": c.online(ps)})
}

type profileForm struct {
	store.Person
	Error, Field string
}

func (c *ctx) profile() error { return c.show("profile", c.T("Profile"), profileForm{Person: *c.Me}) }

func (c *ctx) saveProfile() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	ch := people.Change{FullName: c.given("full_name"), Phone: c.given("phone"), Lang: c.given("lang")}
	u, err := c.P.Update(c.r.Context(), c.Actor, c.Me.Name, ch)
	if err != nil {
		f := profileForm{Person: *c.Me}
		var ok bool
		if f.Error, f.Field, ok = c.explain(err); !ok {
			return err
		}
		f.FullName, f.Phone = c.form("full_name"), c.form("phone")
		return c.page(http.StatusUnprocessableEntity, "profile", c.T("Profile"), f)
	}
	if u.Lang != "" {
		c.cookie(langCookie, u.Lang, 365*24*time.Hour)
		c.Lang = c.s.Words.Lang(u.Lang)
	}
	return c.done("/me", "Saved")
}

type securityData struct {
	TwoFactor, Pending bool
	Secret             string
	Codes              []string // recovery codes, shown this once
	Left               int
	Sessions           []store.WebSession
	Here               string
	Devices            []deviceRow
	Fresh              bool
	Error, Field       string
}

func (c *ctx) securityData() (d securityData, err error) {
	ctx := c.r.Context()
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return d, err
	}
	d = securityData{TwoFactor: f.Confirmed, Pending: f.Secret != "" && !f.Confirmed, Left: len(f.Recovery), Here: c.Session.Hash, Devices: c.devices(c.Me.Name), Fresh: c.fresh()}
	if d.Pending && d.Fresh {
		d.Secret = f.Secret
	}
	d.Sessions, err = c.s.Store.WebSessionsOf(ctx, c.host(), c.Me.Name, c.now)
	return d, err
}

// factorQR draws what an authenticator reads, while the second step is being set up and the password was given just before.
func (c *ctx) factorQR() error {
	f, err := c.s.Store.SecondFactor(c.r.Context(), c.host(), c.Me.Name)
	if err != nil {
		return err
	}
	if f.Confirmed || !c.fresh() {
		return notFound
	}
	k, err := otp.NewKeyFromURL("otpauth://totp/" + queryPath(c.P.Title()) + ":" + queryPath(c.Me.Address()) + "?secret=" + f.Secret + "&issuer=" + queryPath(c.P.Title()))
	if err != nil {
		return err
	}
	b, err := qrcode.Encode(k.URL(), qrcode.Medium, 480)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "image/png")
	_, _ = c.w.Write(b)
	return nil
}

func queryPath(s string) string { return strings.ReplaceAll(queryEscape(s), "+", "%20") }

func (c *ctx) security() error {
	d, err := c.securityData()
	if err != nil {
		return err
	}
	return c.show("security", c.T("Security"), d)
}

func (c *ctx) refuseSecurity(err error) error {
	d, derr := c.securityData()
	if derr != nil {
		return derr
	}
	var ok bool
	if d.Error, d.Field, ok = c.explain(err); !ok {
		return err
	}
	return c.page(http.StatusUnprocessableEntity, "security", c.T("Security"), d)
}

// proven checks the password of who has signed in already.
func (c *ctx) proven(password string) (bool, error) {
	account := c.Me.Address()
	if ok, _ := c.s.Throttle.Allow(c.addr(), account); !ok {
		return false, &people.Error{Kind: org.Forbidden, Field: "current", Text: "Too many attempts: try again in a few minutes"}
	}
	ok, err := c.s.verify(c.P, *c.Me, true, password)
	if err == nil && !ok {
		c.s.Throttle.Failed(c.addr(), account)
		err = &people.Error{Kind: org.Invalid, Field: "current", Text: "This is not your password"}
	}
	return ok, err
}

func (c *ctx) newPassword() error {
	if ok, err := c.proven(c.r.FormValue("current")); !ok {
		return c.refuseSecurity(err)
	}
	if err := c.P.SetPassword(c.r.Context(), c.Actor, c.Me.Name, c.password()); err != nil {
		return c.refuseSecurity(err)
	}
	// This browser goes on under a new token: whoever has seen the old one has nothing.
	if err := c.signIn(c.P, *c.Me); err != nil {
		return err
	}
	return c.done("/me/security", "Your new password is set, and you are signed out everywhere else")
}

// prove asks for the password once more before something sensitive.
func (c *ctx) prove() error {
	if ok, err := c.proven(c.r.FormValue("current")); !ok {
		return c.refuseSecurity(err)
	}
	w := c.Session
	w.Seen, w.Expires, w.Proven = c.now, c.now.Add(c.P.Policy().SessionIdle), c.now
	if err := c.s.Store.TouchWebSession(c.r.Context(), w); err != nil {
		return err
	}
	return c.to("/me/security")
}

// factor turns the second step on in two moves, and off.
func (c *ctx) factor() error {
	ctx := c.r.Context()
	if !c.fresh() {
		return c.refuseSecurity(&people.Error{Kind: org.Forbidden, Field: "prove", Text: "Give your password once more first"})
	}
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	switch c.form("do") {
	case "start":
		if f.Confirmed {
			return c.to("/me/security")
		}
		if err := c.s.Store.SetSecondFactor(ctx, c.host(), c.Me.Name, store.SecondFactor{Secret: newSecret()}); err != nil {
			return err
		}
		return c.to("/me/security#factor")
	case "confirm":
		step, ok := matching(f.Secret, strings.ReplaceAll(c.form("code"), " ", ""), c.now, f.LastStep)
		if f.Confirmed || !ok {
			return c.refuseSecurity(&people.Error{Kind: org.Invalid, Field: "code", Text: "This code is not right: is the clock of your telephone?"})
		}
		codes, hashes := newRecovery()
		if err := c.s.Store.SetSecondFactor(ctx, c.host(), c.Me.Name, store.SecondFactor{Secret: f.Secret, Confirmed: true, LastStep: step, Recovery: hashes}); err != nil {
			return err
		}
		return c.showCodes("person.factor.on", codes)
	case "recovery":
		if !f.Confirmed {
			return c.to("/me/security")
		}
		codes, hashes := newRecovery()
		if err := c.s.Store.UseSecondFactor(ctx, c.host(), c.Me.Name, func(f *store.SecondFactor) error { f.Recovery = hashes; return nil }); err != nil {
			return err
		}
		return c.showCodes("person.factor.codes", codes)
	case "off":
		if err := c.s.Store.DeleteSecondFactor(ctx, c.host(), c.Me.Name); err != nil {
			return err
		}
		c.P.Audit(ctx, c.Actor, "person.factor.off", c.Me.Address(), nil)
		return c.done("/me/security", "The second step is off: the password alone signs in")
	}
	return notFound
}

// showCodes shows recovery codes in the answer itself: they are nowhere afterwards.
func (c *ctx) showCodes(action string, codes []string) error {
	c.P.Audit(c.r.Context(), c.Actor, action, c.Me.Address(), nil)
	d, err := c.securityData()
	if err != nil {
		return err
	}
	d.Codes = codes
	return c.show("security", c.T("Security"), d)
}

func (c *ctx) endSessions() error {
	ctx := c.r.Context()
	if hash := c.form("session"); hash != "" {
		if err := c.s.Store.DeleteWebSession(ctx, c.host(), c.Me.Name, hash); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		c.P.Audit(ctx, c.Actor, "session.end", c.Me.Address(), nil)
		return c.done("/me/security", "This browser is signed out")
	}
	if device := c.form("device"); device != "" {
		for _, s := range c.P.Sessions(c.Me.Name) {
			if s.JID.Resource() == device {
				s.Close(goodbye)
			}
		}
		c.P.Audit(ctx, c.Actor, "session.end", c.Me.Address(), nil)
		return c.done("/me/security", "This device is signed out")
	}
	if err := c.s.Store.DeleteWebSessions(ctx, c.host(), c.Me.Name, c.Session.Hash); err != nil {
		return err
	}
	if err := c.s.Store.DeleteTokens(ctx, c.host(), c.Me.Name, ""); err != nil {
		return err
	}
	for _, s := range c.P.Sessions(c.Me.Name) {
		s.Close(goodbye)
	}
	c.P.Audit(ctx, c.Actor, "session.end", c.Me.Address(), map[string]any{"all": true})
	return c.done("/me/security", "You are signed out everywhere else")
}

// Rooms is what pages do in rooms, and with people's data, by the node's own ways.
type Rooms interface {
	// Say sends a message of an account's to a room, as a client that comes, says it and leaves.
	Say(ctx context.Context, account, room jid.JID, text string) error
	// Export writes all that is an account's own (XEP-0227).
	Export(ctx context.Context, w io.Writer, account jid.JID) error
}

func (c *ctx) data() error {
	return c.show("data", c.T("Your data"), map[string]any{"Fresh": c.fresh()})
}

func (c *ctx) download() error {
	if ok, err := c.proven(c.r.FormValue("current")); !ok {
		text, field, known := c.explain(err)
		if !known {
			return err
		}
		return c.page(http.StatusUnprocessableEntity, "data", c.T("Your data"), map[string]any{"Error": text, "Field": field})
	}
	c.P.Audit(c.r.Context(), c.Actor, "person.data", c.Me.Address(), nil)
	var b bytes.Buffer // whole before it is sent: half a file looks like all of it
	if err := c.s.Rooms.Export(c.r.Context(), &b, c.self()); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+c.Me.Name+`.xml"`)
	_, _ = c.w.Write(b.Bytes())
	return nil
}
