package node

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"parley/admin"
	"parley/node/doctor"
	"parley/node/plan"
	"parley/transfer/backup"
)

// buildSystem makes what counts and backs up.
func (n *Node) buildSystem() {
	c := n.Config
	n.counts = admin.NewCounts(admin.CountsConfig{
		Hosts:  n.domains(),
		Engine: n.Store.Engine(),
		Bucket: c.Upload.S3.Endpoint != "",
		Free:   n.disks.Free,
		Count: func(ctx context.Context, host string) (admin.Storage, error) {
			u, err := n.Store.Usage(ctx, host)
			return admin.Storage{
				Database:  u.Bytes,
				Archived:  u.Archived,
				Rooms:     u.RoomEntries,
				Files:     u.Files,
				FileBytes: u.FileBytes,
			}, err
		},
	})
	k := backup.KeeperConfig{
		Layout: plan.Backup(c, Version()),
		Store:  n.Store,
		Acts:   n.acts,
		Dir:    c.Backup.Dir,
		Keep:   c.Backup.Keep,
		Log:    n.Log,
	}
	if k.Dir == "" {
		k.Dir = filepath.Join(c.DataDir, "backups")
	}
	n.backups = backup.NewKeeper(k)
}

// webSystem tells the pages and the API about the node (admin.System).
type webSystem struct {
	n       *Node
	started time.Time
	*admin.Counts
	*backup.Keeper
}

func (n *Node) system() webSystem { return webSystem{n, time.Now(), n.counts, n.backups} }

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
