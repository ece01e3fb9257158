package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/pquerna/otp"
	"github.com/skip2/go-qrcode"

	"parley/internal/fault"
	"parley/server"
	"parley/store"
)

// security is the page with the person's password, second step and app passwords, and the places where they are signed
// in.
func (s *Server) security() {
	s.handle("GET /me/security", member, (*request).securityPage)
	s.handle("POST /me/password", member, (*request).newPassword)
	s.handle("POST /me/factor", member, (*request).factor)
	s.handle("GET /me/factor.png", member, (*request).factorQR)
	s.handle("POST /me/apps", member, (*request).makeApp)
	s.handle("POST /me/apps/revoke", member, (*request).revokeApp)
	s.handle("POST /me/sessions", member, (*request).endSessions)
}

type securityData struct {
	TwoFactor, Pending bool
	Demanded           bool // by the role
	Secret             string
	Codes              []string // recovery codes, shown this once
	Left               int
	Apps               []store.AppPassword
	Made, MadeFor      string // an app password, shown this once, and its program
	Tokens             int    // API tokens
	Sessions           []store.WebSession
	Here               string
	Devices            []deviceRow
	Error, Field       string
}

func (c *request) securityData() (d securityData, err error) {
	ctx := c.r.Context()
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return d, err
	}
	d = securityData{
		TwoFactor: f.Confirmed,
		Pending:   f.Secret != "" && !f.Confirmed && c.fresh(),
		Demanded:  c.P.DemandsFactor(c.Me.Role),
		Left:      len(f.Recovery),
		Here:      c.Session.Hash,
		Devices:   c.devices(c.Me.Name),
	}
	if d.Pending {
		d.Secret = f.Secret
	}
	if d.Apps, err = c.P.AppPasswords(ctx, c.Me.Name); err != nil {
		return d, err
	}
	ts, err := c.s.Store.APITokensOf(ctx, c.host(), c.Me.Name)
	if err != nil {
		return d, err
	}
	d.Tokens = len(ts)
	d.Sessions, err = c.s.Store.WebSessionsOf(ctx, c.host(), c.Me.Name, c.now)
	return d, err
}

// factorQR draws what an authenticator reads, while the second step is being set up and the password
// was given just before.
func (c *request) factorQR() error {
	f, err := c.s.Store.SecondFactor(c.r.Context(), c.host(), c.Me.Name)
	if err != nil {
		return err
	}
	if f.Confirmed || !c.fresh() {
		return notFound
	}
	k, err := otp.NewKeyFromURL("otpauth://totp/" + queryPath(c.P.Title()) + ":" + queryPath(c.Me.Address()) +
		"?secret=" + f.Secret + "&issuer=" + queryPath(c.P.Title()))
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

func (c *request) securityPage() error { return c.showSecurity(nil) }

// showSecurity shows the page, with the secrets that are shown only once.
func (c *request) showSecurity(once func(d *securityData)) error {
	d, err := c.securityData()
	if err != nil {
		return err
	}
	if once != nil {
		once(&d)
	}
	return c.show("security", c.T("Security"), d)
}

func (c *request) refuseSecurity(err error) error {
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

func (c *request) newPassword() error {
	if err := c.ownPassword(c.r.FormValue("current")); err != nil {
		return c.refuseSecurity(err)
	}
	password, err := c.newPasswordTwice()
	if err == nil {
		err = c.P.SetPassword(c.r.Context(), c.Actor, c.Me.Name, password)
	}
	if err != nil {
		return c.refuseSecurity(err)
	}
	// This browser continues under a new token, so that a stolen old one is of no use.
	if err := c.signIn(c.P, *c.Me); err != nil {
		return err
	}
	return c.done("/me/security", "Your new password is set, and you are signed out everywhere else")
}

// factor turns the second step on in two moves, and off.
func (c *request) factor() error {
	ctx := c.r.Context()
	f, err := c.s.Store.SecondFactor(ctx, c.host(), c.Me.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	switch c.form("do") {
	case "start":
		if f.Confirmed {
			return c.to("/me/security")
		}
		if err := c.s.Store.SetSecondFactor(ctx, c.host(), c.Me.Name,
			store.SecondFactor{Secret: newSecret()}); err != nil {
			return err
		}
		return c.to("/me/security#factor")
	case "confirm":
		step, ok := matching(f.Secret, strings.ReplaceAll(c.form("code"), " ", ""), c.now, f.LastStep)
		if f.Confirmed || f.Secret == "" || !ok {
			return c.refuseSecurity(fault.New(fault.Invalid, "code",
				"This code is wrong: check the clock of your phone"))
		}
		codes, hashes := newRecovery()
		if err := c.P.FactorOn(ctx, c.Actor, c.Me.Name,
			store.SecondFactor{Secret: f.Secret, LastStep: step, Recovery: hashes}); err != nil {
			return err
		}
		return c.showSecurity(func(d *securityData) { d.Codes = codes })
	case "recovery":
		if !f.Confirmed {
			return c.to("/me/security")
		}
		codes, hashes := newRecovery()
		if err := c.P.SetRecovery(ctx, c.Actor, c.Me.Name, hashes); err != nil {
			return err
		}
		return c.showSecurity(func(d *securityData) { d.Codes = codes })
	case "off":
		if err := c.P.FactorOff(ctx, c.Actor, c.Me.Name); err != nil {
			return c.refuseSecurity(err)
		}
		return c.done("/me/security", "The second step is off: the password alone signs in")
	}
	return notFound
}

// makeApp shows the password in the answer itself: it is nowhere afterwards.
func (c *request) makeApp() error {
	a, password, err := c.P.AddAppPassword(c.r.Context(), c.Actor, c.Me.Name, c.form("name"))
	if err != nil {
		return c.refuseSecurity(err)
	}
	return c.showSecurity(func(d *securityData) { d.Made, d.MadeFor = password, a.Name })
}

func (c *request) revokeApp() error {
	if err := c.P.RevokeAppPassword(c.r.Context(), c.Actor, c.Me.Name, c.form("app")); err != nil {
		return c.oops("/me/security#apps", err)
	}
	return c.done("/me/security#apps", "The app password no longer works")
}

func (c *request) endSessions() error {
	ctx := c.r.Context()
	if hash := c.form("session"); hash != "" {
		if err := c.P.EndBrowser(ctx, c.Actor, hash); err != nil {
			return err
		}
		return c.done("/me/security", "This browser is signed out")
	}
	if device := c.form("device"); device != "" {
		if _, err := c.P.EndDevices(ctx, c.Actor, c.Me.Name, device); err != nil {
			return err
		}
		return c.done("/me/security", "This device is signed out")
	}
	if err := c.P.EndOthers(ctx, c.Actor, c.Session.Hash); err != nil {
		return err
	}
	return c.done("/me/security", "You are signed out everywhere else")
}

// endSession signs a browser out, and the chat in it.
func (c *request) endSession(hash string) error {
	if err := c.s.Store.DeleteWebSession(c.r.Context(), c.host(), c.Me.Name, hash); err != nil &&
		!errors.Is(err, store.ErrNotFound) {
		return err
	}
	c.P.CloseStreams(c.Me.Name, func(i server.SessionInfo) bool { return i.Credential == hash }, goodbye)
	return nil
}
