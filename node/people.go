package node

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/admin"
	"parley/admin/web"
	"parley/auth"
	"parley/config"
	"parley/org"
	"parley/people"
	"parley/post"
	"parley/server"
	"parley/server/c2s"
	"parley/words"
)

// pages is what the node has for people in browsers, and their rules.
type pages struct {
	people       map[string]*people.People // by host
	inviteSecret []byte
	words        *words.Catalogue
	throttle     *auth.Throttle // of sign-ins, wherever they are made
	web          *web.Server    // nil: there are no pages
	compose      people.Compose
}

// newPeople makes the rules for a host's accounts.
func (n *Node) newPeople(h *server.Host, secret []byte) *people.People {
	c := people.Config{Host: h, Primary: n.primary(h), Org: n.Org, Secret: secret, Settings: n.settings, Iterations: n.Config.Auth.ScramIterations, Policy: n.Config.Auth.PasswordPolicy,
		Log: n.Log, URL: func() string { return n.webURL(h.Domain) }}
	if n.Config.Mail.Host != "" || n.Config.Mail.Show {
		c.Compose = n.compose
		if m := n.Config.Mail; n.Config.Web.Enabled { // without pages there were no way out of it
			c.Digests = &people.Digests{Default: m.Digest, Hour: m.DigestHour}
			if !m.Show {
				c.Digests.Waiting = m.PerMinute
			}
		}
	}
	return people.New(c)
}

// primary says whether a host is the one that the deployment is run by: the first.
func (n *Node) primary(h *server.Host) bool { return h.Domain == n.Config.Hosts[0].Domain }

// webURL is what links to the pages of a host begin with.
func (n *Node) webURL(domain string) string {
	w := n.Config.Web
	if w.URL != "" {
		return w.URL
	}
	if a, ok := n.Addr("websocket_plain").(*net.TCPAddr); ok && w.PlainLinks {
		return "http://" + net.JoinHostPort("localhost", strconv.Itoa(a.Port))
	}
	at := domain
	if a, ok := n.Addr("websocket").(*net.TCPAddr); ok && a.Port != 443 {
		at = net.JoinHostPort(domain, strconv.Itoa(a.Port))
	}
	return "https://" + at
}

// peopleError turns people's errors into the control socket's.
func peopleError(err error) error {
	var e *people.Error
	if !errors.As(err, &e) {
		return orgError(err)
	}
	switch e.Kind {
	case org.NotFound:
		return admin.NotFound(e.Field, "%v", e)
	case org.Exists:
		return admin.Conflict(e.Field, "%v", e)
	case org.Forbidden:
		return admin.Forbidden(e.Field, "%v", e)
	}
	return admin.Invalid(e.Field, "%v", e)
}

// secrets are the passwords that clients sign in with.
type secrets struct{ n *Node }

var _ c2s.Secrets = secrets{}

func (s secrets) Secrets(ctx context.Context, h *server.Host, user string) ([]auth.Secret, error) {
	return s.n.people[h.Domain].Secrets(ctx, user)
}

func (s secrets) Use(ctx context.Context, h *server.Host, user, id string) error {
	return s.n.Store.UseAppPassword(ctx, h.Domain, user, id, time.Now().UTC())
}

// accept makes an account for a stranger with an invitation, in a client (XEP-0445).
func (n *Node) accept(ctx context.Context, h *server.Host, name, password, token string) error {
	_, err := n.people[h.Domain].Accept(ctx, token, name, "", password, "app")
	var d *people.Dead
	if errors.As(err, &d) {
		return server.WithText(server.NotAllowed, "this invitation is not good any more")
	}
	return asStanzaError(peopleError(err))
}

// buildWords reads the catalogues and makes what writes mails.
func (n *Node) buildWords() (err error) {
	n.people = make(map[string]*people.People)
	t := n.Config.Auth.Throttle
	n.throttle = auth.NewThrottle(auth.ThrottleConfig{PerAccount: t.PerAccount, PerAddress: t.PerAddress, Window: t.Window})
	if n.words, err = words.New(); err != nil {
		return err
	}
	n.compose, err = post.Composer(n.words)
	return err
}

// runPost brings the outbox to the relay, if there is one.
func (n *Node) runPost(ctx context.Context, g *errgroup.Group) {
	for _, h := range n.hosts {
		g.Go(func() error { return n.people[h.Domain].RunDigests(ctx) })
	}
	m := n.Config.Mail
	if m.Host == "" || m.Show {
		return
	}
	roots, err := authorities(n.Config.TLS.CAFiles)
	if err != nil {
		g.Go(func() error { return err })
		return
	}
	var all []*people.People
	for _, h := range n.hosts {
		all = append(all, n.people[h.Domain])
	}
	c := postConfig(n.Config, roots)
	c.Log = n.Log
	w := post.New(c, n.Store, all)
	g.Go(func() error { return w.Run(ctx) })
}

// People are the accounts of a host; nil if it is not hosted here.
func (n *Node) People(domain string) *people.People { return n.people[domain] }

// postConfig is how the relay is spoken with.
func postConfig(c *config.Config, roots *x509.CertPool) post.Config {
	m := c.Mail
	return post.Config{Host: m.Host, Port: m.Port, TLS: m.TLS, Username: m.Username, Password: m.Password, From: m.From, PerMinute: m.PerMinute, Roots: roots}
}
