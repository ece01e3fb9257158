package node

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parley/admin"
	"parley/admin/api"
	"parley/admin/web"
	"parley/auth"
	"parley/feature/webhooks"
	"parley/muc/puppet"
	"parley/node/doctor"
	"parley/people"
	"parley/server"
	"parley/server/c2s"
	"parley/transfer"
	"parley/wire"
	"parley/wire/jid"
)

// buildAPI makes the API for programs.
func (n *Node) buildAPI() {
	c := n.Config
	n.api = api.New(api.Config{
		People:     n.peoples(),
		Hosts:      n.serverHosts(),
		Hooks:      n.hooks(),
		Photos:     n.photos(),
		Org:        n.Org,
		Store:      n.Store,
		Log:        n.Log,
		Throttle:   n.throttle,
		Failures:   n.failures,
		Rooms:      n.puppets(),
		Find:       n.find,
		System:     webSystem{n, time.Now()},
		Federation: n.others,
		Import: transfer.Config{
			Store:         n.Store,
			Iterations:    c.Auth.ScramIterations,
			MaxContacts:   c.Accounts.MaxContacts,
			MaxOffline:    c.Accounts.OfflineMessages,
			OfflineExpiry: c.Accounts.OfflineExpiry,
		},
	})
}

// buildWeb makes the pages.
func (n *Node) buildWeb(ctx context.Context) error {
	if !n.Config.Web.Enabled {
		return nil
	}
	secret, err := n.secret(ctx, "web")
	if err != nil {
		return err
	}
	n.web, err = web.New(web.Config{
		People:     n.peoples(),
		Hosts:      n.serverHosts(),
		Hooks:      n.hooks(),
		Photos:     n.photos(),
		Org:        n.Org,
		Store:      n.Store,
		IDs:        n.IDs,
		Words:      n.words,
		Log:        n.Log,
		Secret:     secret,
		Throttle:   n.throttle,
		Failures:   n.failures,
		Faker:      auth.NewFaker(secret, n.Config.Auth.ScramIterations),
		Outbox:     n.Config.Mail.Show,
		Rooms:      n.puppets(),
		Find:       n.find,
		System:     webSystem{n, time.Now()},
		Accounts:   n.Store,
		Federation: n.others,
		API:        n.api,
		Chat: func(w http.ResponseWriter, r *http.Request, account jid.JID, session string,
			holds func(context.Context) error, proxied bool) {
			n.door.External(w, r, c2s.Known{Account: account, Credential: session, Holds: holds, Secure: proxied})
		},
	})
	return err
}

// puppets acts in rooms for people on pages.
func (n *Node) puppets() puppet.Rooms {
	return puppet.Rooms{
		Store: n.Store,
		Host:  n.Host,
		Name: func(ctx context.Context, account jid.JID) (string, error) {
			u, err := n.people[account.Domain()].Get(ctx, account.Local())
			return u.Display(), err
		},
		References: func(ctx context.Context, account, room jid.JID, text string) []*wire.Element {
			h := n.host(account.Domain())
			if h == nil {
				return nil
			}
			es, err := h.rooms.References(ctx, room, account, text)
			if err != nil { // the message is sent without them
				n.Log.Error("cannot find the people whom a message mentions", "room", room.String(), "err", err)
			}
			return es
		},
	}
}

// peoples gives the People of all hosts, the first host's first.
func (n *Node) peoples() (all []*people.People) {
	for _, h := range n.hosts {
		all = append(all, n.people[h.Domain])
	}
	return all
}

// byHost gives something of each host, by its domain.
func byHost[T any](n *Node, of func(h *host) T) map[string]T {
	all := make(map[string]T)
	for _, h := range n.hosts {
		all[h.Domain] = of(h)
	}
	return all
}

func (n *Node) serverHosts() map[string]*server.Host {
	return byHost(n, func(h *host) *server.Host { return h.Host })
}

func (n *Node) hooks() map[string]*webhooks.Webhooks {
	return byHost(n, func(h *host) *webhooks.Webhooks { return h.hooks })
}

// photos gives the photos of people; nil if there are no pages to show them.
func (n *Node) photos() map[string]admin.Photos {
	if !n.Config.Web.Enabled {
		return nil
	}
	return byHost(n, func(h *host) admin.Photos { return n.cards[h.Domain] })
}

// handleWeb serves the pages for all paths that the listener's other handlers leave.
func (n *Node) handleWeb(mux *http.ServeMux, proxied bool) {
	switch {
	case n.web == nil:
	case proxied:
		mux.Handle("/", n.web.Proxied())
	default:
		mux.Handle("/", n.web)
	}
}

// WebURL gives the URL of a host's pages; "" if there are none.
func (n *Node) WebURL(domain string) string {
	if n.web == nil {
		return ""
	}
	return n.webURL(domain)
}

// FirstOwner gives the link that makes a host's first owner; "" if there is an owner, or there are no pages.
func (n *Node) FirstOwner(ctx context.Context, domain string) (string, error) {
	if n.web == nil {
		return "", nil
	}
	return n.web.FirstOwner(ctx, domain)
}

// webSystem tells the pages and the API about the node.
type webSystem struct {
	n       *Node
	started time.Time
}

func (w webSystem) Health(ctx context.Context) []admin.Status {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	began := time.Now()
	err := w.n.Store.Ping(ctx)
	store := admin.Status{
		Name: "Database",
		OK:   err == nil,
		Text: time.Since(began).Round(10 * time.Microsecond).String(),
	}
	if err != nil {
		store.Text = err.Error()
	}
	out := []admin.Status{store}
	if err := w.n.disks.Low(); err != nil {
		out = append(out, admin.Status{Name: "Disk", Text: err.Error()})
	}
	certificates, without := w.certificates()
	for _, name := range without {
		out = append(out, admin.Status{Name: "Certificate", Text: name})
	}
	for _, c := range certificates {
		k := admin.Status{
			Name: "Certificate",
			OK:   c.Days > 14,
			Text: fmt.Sprintf("%s, %d d", strings.Join(c.Names[:min(2, len(c.Names))], ", "), c.Days),
		}
		out = append(out, k)
	}
	current, newest, err := w.n.Store.MigrationStatus(ctx)
	out = append(out, admin.Status{
		Name: "Schema",
		OK:   err == nil && current == newest,
		Text: strconv.FormatInt(current, 10),
	})
	return out
}

// certificates gives the certificates in use, each once, and the hosts without one.
func (w webSystem) certificates() (out []admin.Certificate, without []string) {
	seen := make(map[string]bool)
	for _, h := range w.n.hosts {
		shown := w.n.certs.For(h.Domain)
		if shown == nil || len(shown.Certificate) == 0 {
			without = append(without, h.Domain)
			continue
		}
		leaf, err := x509.ParseCertificate(shown.Certificate[0])
		if err != nil || seen[string(leaf.Raw)] {
			continue
		}
		seen[string(leaf.Raw)] = true
		out = append(out, admin.Certificate{
			Names:   leaf.DNSNames,
			Issuer:  leaf.Issuer.CommonName,
			Expires: leaf.NotAfter,
			Days:    int(time.Until(leaf.NotAfter).Hours() / 24),
		})
	}
	return out, without
}

func (w webSystem) Info(_ context.Context, host string) admin.Info {
	scheme, _, _ := strings.Cut(w.n.Config.Store.DSN, ":")
	in := admin.Info{
		Version: Version(),
		Go:      runtime.Version(),
		Store:   map[string]string{"sqlite": "SQLite"}[scheme],
		Engine:  scheme,
		Started: w.started,
	}
	in.Certificates, _ = w.certificates()
	if in.Store == "" {
		in.Store = "PostgreSQL / CockroachDB"
	}
	if h := w.n.Host(host); h != nil {
		in.Sessions = sessions(h)
	}
	for _, d := range [][2]string{
		{"XMPP, STARTTLS", "c2s"}, {"XMPP, TLS", "c2s_tls"}, {"HTTPS, WebSocket", "websocket"},
		{"HTTP", "websocket_plain"}, {"Federation, STARTTLS", "s2s"},
		{"Federation, TLS", "s2s_tls"}, {"Metrics", "metrics"},
	} {
		if a := w.n.Addr(d[1]); a != nil {
			in.Doors = append(in.Doors, [2]string{d[0], a.String()})
		}
	}
	if m := w.n.Config.Mail; m.Host != "" {
		in.Mail = net.JoinHostPort(m.Host, strconv.Itoa(m.Port)) + " (" + m.TLS + ")"
	}
	return in
}

// Findings checks everything that this node needs.
func (w webSystem) Findings(ctx context.Context) []admin.Finding {
	n := w.n
	return doctor.Diagnose(ctx, n.Config, &doctor.Running{
		Ports:       n.ports(),
		Certificate: n.certs.For,
		Store:       n.Store,
		Clock:       n.clockBehind,
	})
}

// Records gives the DNS records that a host needs and, with look, what is published.
func (w webSystem) Records(ctx context.Context, domain string, look bool) []admin.DNSRecord {
	rs := doctor.RecordsAt(w.n.Config, w.n.ports(), domain, "")
	if look {
		doctor.LookUp(ctx, w.n.Config, rs)
	}
	return rs
}

// ports gives the ports that the node listens on.
func (n *Node) ports() doctor.Ports {
	p := make(doctor.Ports)
	for _, door := range []string{"c2s", "c2s_tls", "s2s", "s2s_tls"} {
		if a, ok := n.Addr(door).(*net.TCPAddr); ok {
			p[door] = a.Port
		}
	}
	return p
}

// WebRoutes gives the patterns of all pages, for tests.
func (n *Node) WebRoutes() []string { return n.web.Routes() }
