package node

import (
	"context"
	"net"
	"strconv"

	"golang.org/x/sync/errgroup"

	"parley/admin/api"
	"parley/admin/web"
	"parley/auth"
	"parley/feature/places"
	"parley/feature/webhooks"
	"parley/internal/i18n"
	"parley/node/plan"
	"parley/org/mail"
	"parley/people"
	"parley/people/departed"
	"parley/server"
	"parley/server/c2s"
)

// pages holds what the node has for people in browsers, and the rules for accounts.
type pages struct {
	people       map[string]*people.People // by host
	inviteSecret []byte
	words        *i18n.Catalogue
	throttle     *auth.Throttle // limits sign-ins, at all doors
	places       *places.Places // where accounts have signed in
	failures     *auth.Failures // nil: failed sign-ins are not logged
	api          *api.Server
	web          *web.Server // nil: there are no pages
	compose      people.Compose
	mail         mail.Config
	relay        *mail.Relay // nil: no mail is sent
}

// newPeople makes the rules for a host's accounts.
func (n *Node) newPeople(h *server.Host, secret []byte) *people.People {
	c := people.Config{
		Host:       h,
		Store:      n.Store,
		Primary:    n.primary(h),
		Org:        n.Org,
		Acts:       n.acts,
		Secret:     secret,
		Settings:   n.settings,
		Iterations: n.Config.Auth.ScramIterations,
		Policy:     n.Config.Auth.PasswordPolicy,
		Open:       n.Config.Registration.Enabled,
		Log:        n.Log,
		URL:        func() string { return n.webURL(h.Domain) },
		Programs: func(address string) error {
			return webhooks.CheckAddress(address, len(n.Config.Webhooks.Allow) > 0)
		},
		Departed: n.departures.Departed,
		Retired:  n.departures.Retired,
	}
	if n.Config.Mail.Host != "" || n.Config.Mail.Show {
		c.Compose = n.compose
		if n.relay != nil {
			c.MailsUTF8 = n.relay.MailsUTF8
		}
		if m := n.Config.Mail; n.Config.Web.Enabled { // without pages nobody could turn digests off
			c.Digests = &people.Digests{Default: m.Digest, Hour: m.DigestHour}
			if !m.Show {
				c.Digests.Waiting = m.PerMinute
			}
		}
	}
	return people.New(c)
}

// primary says whether a host is the first one, whose administrators operate the server.
func (n *Node) primary(h *server.Host) bool { return h.Domain == n.Config.Hosts[0].Domain }

// webURL gives the beginning of links to a host's pages.
func (n *Node) webURL(domain string) string {
	w := n.Config.Web
	if w.URL != "" {
		return w.URL
	}
	if a, ok := n.Addr("websocket_plain").(*net.TCPAddr); ok && w.PlainLinks {
		return "http://" + net.JoinHostPort("localhost", strconv.Itoa(a.Port))
	}
	return n.publicURL(domain)
}

// publicURL gives the beginning of URLs on the websocket listener, as others see it: web.url if a proxy serves it under
// another name.
func (n *Node) publicURL(domain string) string {
	if u := n.Config.Web.URL; u != "" {
		return u
	}
	at := domain
	if a, ok := n.Addr("websocket").(*net.TCPAddr); ok && a.Port != 443 {
		at = net.JoinHostPort(domain, strconv.Itoa(a.Port))
	}
	return "https://" + at
}

// secrets gives the passwords with which clients sign in.
type secrets struct{ n *Node }

var _ c2s.Secrets = secrets{}

func (s secrets) Secrets(ctx context.Context, h *server.Host, user string) ([]auth.Secret, error) {
	return s.n.people[h.Domain].Secrets(ctx, user)
}

func (s secrets) Use(ctx context.Context, h *server.Host, user, id string) error {
	return s.n.Store.UseAppPassword(ctx, h.Domain, user, id, s.n.clock.Now().UTC())
}

// invited gives the function that checks strangers' tokens.
func (n *Node) invited() c2s.Invited {
	return func(ctx context.Context, h *server.Host, token string) (string, error) {
		return n.invitations[h.Domain].Check(ctx, token)
	}
}

// invites says whether a host's invitations let people register in apps.
func (n *Node) invites(h *server.Host) bool { return n.settings.Of(h.Domain).InviteApps != "nobody" }

// domains gives the hosted domains, the first host's first.
func (n *Node) domains() (ds []string) {
	for _, h := range n.Config.Hosts {
		ds = append(ds, h.Domain)
	}
	return ds
}

// buildDepartures reads the deleted accounts.
func (n *Node) buildDepartures(ctx context.Context) (err error) {
	n.departures, err = departed.New(ctx, departed.Config{
		Store:   n.Store,
		Org:     n.Org,
		Changes: n.told,
		Hosted:  func(domain string) bool { return n.people[domain] != nil },
		Hosts: func() (all []departed.Host) {
			for _, h := range n.hosts {
				x := departed.Host{Host: h.Host, People: n.people[h.Domain], Rooms: h.rooms, Nodes: h.nodes}
				all = append(all, x)
			}
			return all
		},
		Log: n.Log,
	}, n.domains())
	return err
}

// buildPlaces reads from where people sign in, and makes the limiter of password guesses.
func (n *Node) buildPlaces(ctx context.Context) error {
	secret, err := n.secret(ctx, "places")
	if err != nil {
		return err
	}
	if n.places, err = places.New(ctx, places.Config{
		Everywhere: n.all.All(),
		Store:      n.Store,
		Clock:      n.clock,
		Log:        n.Log,
		Secret:     secret,
		Hosts:      n.domains(),
	}); err != nil {
		return err
	}
	t := n.Config.Auth.Throttle
	n.throttle = auth.NewThrottle(auth.ThrottleConfig{
		PerAccount: t.PerAccount,
		PerAddress: t.PerAddress,
		Window:     t.Window,
		Places:     n.places.Places,
	})
	if n.Config.Log.FailedSignIns {
		n.failures = &auth.Failures{Log: n.Log}
	}
	return nil
}

// buildWords reads the catalogues and makes the writer of mails.
func (n *Node) buildWords() (err error) {
	n.people = make(map[string]*people.People)
	if n.words, err = i18n.New(); err != nil {
		return err
	}
	if n.compose, err = mail.Composer(n.words); err != nil {
		return err
	}
	if m := n.Config.Mail; m.Host != "" && !m.Show {
		roots, err := plan.Authorities(n.Config.TLS.CAFiles)
		if err != nil {
			return err
		}
		n.mail = plan.Mail(n.Config, roots)
		n.mail.Clock = n.clock
		n.mail.Log = n.Log
		n.relay = mail.NewRelay(n.mail)
	}
	return nil
}

// runMail sends the mails in the outbox, if a relay is configured.
func (n *Node) runMail(ctx context.Context, g *errgroup.Group) {
	for _, h := range n.hosts {
		n.keep(ctx, g, "digests of "+h.Domain, n.people[h.Domain].RunDigests)
	}
	if n.relay == nil {
		return
	}
	var all []*people.People
	for _, h := range n.hosts {
		all = append(all, n.people[h.Domain])
	}
	w := mail.New(n.mail, n.Store, all, n.relay)
	n.keep(ctx, g, "outbox", w.Run)
}

// People gives the accounts of a host; nil if it is not hosted here.
func (n *Node) People(domain string) *people.People { return n.people[domain] }
