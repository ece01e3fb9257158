package web

import (
	"net/http"

	"parley/acts"
	"parley/org"
	"parley/people"
	"parley/store"
)

func (s *Server) notifications() {
	s.handle("GET /me/notifications", member, (*request).notify)
	s.handle("POST /me/notifications", member, (*request).saveNotify)
	s.handle("GET /digest/{token}", public, (*request).digestLink)
	s.handle("POST /digest/{token}", public, (*request).endDigest)
}

type notifyData struct {
	Mails, Address bool   // the server sends mails, and the person has an address
	Every          string // how often
	Themes         []org.Followed
	Quiet          quietForm
	Error, Field   string
}

func (c *request) notifyData() (d notifyData, err error) {
	d.Mails, d.Address = c.P.WritesDigests(), c.Me.Email != ""
	if d.Every, err = c.P.DigestOf(c.r.Context(), c.Me.Name); err != nil {
		return d, err
	}
	if d.Quiet, err = c.quietForm(); err != nil {
		return d, err
	}
	d.Themes, err = c.s.Org.Following(c.r.Context(), c.host(), c.self())
	return d, err
}

func (c *request) notify() error {
	d, err := c.notifyData()
	if err != nil {
		return err
	}
	return c.show("notifications", c.T("Notifications"), d)
}

func (c *request) saveNotify() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	if err := c.setNotify(); err != nil {
		text, field, ok := c.explain(err)
		if !ok {
			return err
		}
		d, err := c.notifyData()
		if err != nil {
			return err
		}
		d.Error, d.Field = text, field
		d.Quiet.sent(c)
		return c.page(http.StatusUnprocessableEntity, "notifications", c.T("Notifications"), d)
	}
	return c.done("/me/notifications", "Saved")
}

func (c *request) setNotify() error {
	ctx := c.r.Context()
	if every := c.given("digest"); every != nil {
		if err := c.P.SetDigest(ctx, c.Actor, c.Me.Name, *every); err != nil {
			return err
		}
	}
	if err := c.setQuiet(); err != nil {
		return err
	}
	fs, err := c.s.Org.Following(ctx, c.host(), c.self())
	if err != nil {
		return err
	}
	for _, f := range fs {
		state := c.given("theme-" + f.Theme.Key)
		if state == nil || *state == f.State {
			continue
		}
		if err := c.s.Org.Follow(ctx, c.host(), f.Theme.Key, c.Me.Name, *state); err != nil {
			return err
		}
	}
	return nil
}

// digestPerson is whose mails the link in the path ends. Whichever host it was made for answers.
func (c *request) digestPerson() (store.Person, error) {
	for _, p := range c.s.People {
		u, err := p.ByDigest(c.r.Context(), c.r.PathValue("token"))
		if err == nil {
			c.P = p
			if u.Lang != "" && c.Me == nil && c.cookieLang() == "" {
				c.Lang = c.s.Words.Lang(u.Lang)
			}
			return u, nil
		}
		if _, _, ok := c.explain(err); !ok {
			return u, err
		}
	}
	c.failed("link", "no such link", "")
	return store.Person{}, notFound
}

// digestLink asks; programs that look at links in mails change nothing.
func (c *request) digestLink() error {
	u, err := c.digestPerson()
	if err != nil {
		return err
	}
	return c.show("digest", c.T("E-mail about missed activity"),
		map[string]any{"Address": u.Address(), "Token": c.r.PathValue("token")})
}

// endDigest carries out the button of that page, and the single click in mail programs (RFC 8058), which send no
// cookie.
func (c *request) endDigest() error {
	u, err := c.digestPerson()
	if err != nil {
		return err
	}
	if err := c.P.SetDigest(c.r.Context(), people.As(u, acts.Link, c.remote()), u.Name, store.DigestOff); err != nil {
		return err
	}
	return c.show("digest", c.T("E-mail about missed activity"), map[string]any{"Address": u.Address(), "Done": true})
}
