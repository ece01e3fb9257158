package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"parley/acts"
	"parley/people"
	"parley/store"
)

func (s *Server) invitations() {
	s.handle("GET /i/{token}", public, (*request).invited)
	s.handle("POST /i/{token}", public, (*request).accept)
	s.handle("GET /i/{token}/decline", public, (*request).declinePage)
	s.handle("POST /i/{token}/decline", public, (*request).decline)
	s.handle("GET /welcome", member, (*request).welcome)
	s.handle("GET /me/apps", member, (*request).apps)
	if s.Outbox {
		s.handle("GET /dev/outbox", public, (*request).outbox)
	}
}

func queryEscape(s string) string { return url.QueryEscape(s) }

// byLink is a person who is known only by a link.
func (c *request) byLink() people.Actor { return people.Actor{Door: acts.Link, Remote: c.remote()} }

// link reads the token in the path. Any host answers, whichever host the token is for.
func (c *request) link(kind string) (*people.People, store.Invitation, error) {
	token := c.r.PathValue("token")
	for _, p := range c.s.People {
		if p.Made(kind, token) {
			i, err := p.Look(c.r.Context(), kind, token)
			if err == nil || i.Host != "" {
				c.P = p
				if i.Lang != "" && c.Me == nil && c.cookieLang() == "" {
					c.Lang = c.s.Words.Lang(i.Lang)
				}
			}
			return p, i, err
		}
	}
	c.failed("link", "no such link", "") // nothing was looked up: a good one shows by itself that it was made here
	return nil, store.Invitation{}, &people.Dead{Why: people.Unknown}
}

// deadLink explains why a link is not valid and what to do.
func (c *request) deadLink(err error) error {
	var d *people.Dead
	if !errors.As(err, &d) {
		return err
	}
	status := http.StatusGone
	if d.Why == people.Unknown {
		status = http.StatusNotFound
	}
	by := ""
	if d.Invitation.Inviter != "" {
		if u, err := c.s.Store.Person(c.r.Context(), d.Invitation.Host, d.Invitation.Inviter); err == nil {
			by = u.Display()
		}
	}
	return c.page(status, "deadlink", c.T("This link is no longer valid"),
		map[string]any{"Why": d.Why, "By": by, "Kind": d.Invitation.Kind})
}

type acceptForm struct {
	Token, Name, FullName, Fixed, Domain, URI string
	By, Note, Role, Department                string
	Expires                                   time.Time
	Error, Field                              string
}

func (c *request) acceptForm(p *people.People, i store.Invitation) acceptForm {
	token := c.r.PathValue("token")
	f := acceptForm{
		Token:   token,
		Fixed:   i.Username,
		Domain:  p.Host(),
		URI:     p.URI(i, token),
		Note:    i.Note,
		Expires: i.Expires,
		Role:    store.RoleMember,
	}
	if u, err := c.s.Store.Person(c.r.Context(), i.Host, i.Inviter); err == nil {
		f.By = u.Display()
	}
	if i.Username != "" {
		if u, err := c.s.Store.Person(c.r.Context(), i.Host, i.Username); err == nil {
			f.FullName, f.Role, f.Department = u.FullName, u.Role, u.Department
		}
	}
	return f
}

// invited shows an invitation. Apps ask with HEAD where they can continue (console.md, decision 4). Neither uses the
// invitation up.
func (c *request) invited() error {
	p, i, err := c.link(store.KindInvite)
	if err != nil {
		return c.deadLink(err)
	}
	f := c.acceptForm(p, i)
	c.w.Header().Set("Link", "<"+f.URI+">; rel=\"alternate\"")
	if c.r.Method == http.MethodGet {
		p.Opened(c.r.Context(), i)
	}
	return c.show("accept", c.T("Join {{.Organization}}", "Organization", p.Title()), f)
}

func (c *request) accept() error {
	p, i, err := c.link(store.KindInvite)
	if err != nil {
		return c.deadLink(err)
	}
	in := people.Acceptance{
		Name:     c.form("name"),
		FullName: c.form("full_name"),
		Lang:     c.Lang.Code,
		How:      "web",
	}
	var u store.Person
	if in.Password, err = c.newPasswordTwice(); err == nil {
		u, err = p.Accept(c.r.Context(), c.byLink(), c.r.PathValue("token"), in)
	}
	if err != nil {
		text, field, ok := c.explain(err)
		if !ok {
			return c.deadLink(err)
		}
		f := c.acceptForm(p, i)
		f.Error, f.Field, f.Name = text, field, c.form("name")
		if n := c.form("full_name"); n != "" {
			f.FullName = n
		}
		return c.page(http.StatusUnprocessableEntity, "accept",
			c.T("Join {{.Organization}}", "Organization", p.Title()), f)
	}
	if err := c.signIn(p, u); err != nil {
		return err
	}
	return c.to("/welcome")
}

func (c *request) declinePage() error {
	p, i, err := c.link(store.KindInvite)
	if err != nil {
		return c.deadLink(err)
	}
	return c.show("decline", c.T("Decline the invitation"), c.acceptForm(p, i))
}

func (c *request) decline() error {
	p, _, err := c.link(store.KindInvite)
	if err == nil {
		_, err = p.Decline(c.r.Context(), c.byLink(), c.r.PathValue("token"))
	}
	if err != nil {
		return c.deadLink(err)
	}
	return c.show("declined", c.T("You have declined"), nil)
}

// App is a client that people can use.
type App struct{ Name, For, URL, Icon string }

// Apps are clients that work with parley; the addresses are their makers' own.
var Apps = []App{
	{"Conversations", "Android", "https://conversations.im/", "smartphone"},
	{"Monal", "iPhone, iPad, Mac", "https://monal-im.org/", "smartphone"},
	{"Gajim", "Windows, Linux, Mac", "https://gajim.org/", "laptop"},
	{"Dino", "Linux, Windows", "https://dino.im/", "laptop"},
}

func (c *request) welcome() error {
	return c.show("welcome", c.T("Welcome"), map[string]any{"Apps": Apps})
}

// outbox shows the mail that parley would have sent, in trial mode.
func (c *request) outbox() error {
	const most = 50
	before, err := store.ID(0), error(nil)
	if b := c.form("before"); b != "" {
		if before, err = store.ParseID(b); err != nil {
			return notFound
		}
	}
	ms, err := c.s.Store.Mails(c.r.Context(), c.host(), before, most+1)
	if err != nil {
		return err
	}
	older := ""
	if len(ms) > most {
		ms = ms[:most]
		older = ms[most-1].ID.String()
	}
	return c.show("outbox", c.T("Outbox"), map[string]any{"Mails": ms, "Older": older})
}

// apps shows the programs to chat with, among one's own pages.
func (c *request) apps() error {
	return c.show("apps", c.T("Apps"), map[string]any{"Apps": Apps})
}
