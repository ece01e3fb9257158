package node

import (
	"context"
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
		Clock:  n.clock,
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
		Clock:  n.clock,
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

func (n *Node) system() webSystem { return webSystem{n, n.clock.Now(), n.counts, n.backups} }

// Health checks the node.
func (w webSystem) Health(ctx context.Context) []admin.Status {
	return doctor.Health(ctx, w.n.domains(), w.n.running(), w.n.disks.Low)
}

// Info describes the node.
func (w webSystem) Info(_ context.Context, host string) admin.Info {
	scheme, _, _ := strings.Cut(w.n.Config.Store.DSN, ":")
	in := admin.Info{
		Version: Version(),
		Go:      runtime.Version(),
		Store:   map[string]string{"sqlite": "SQLite"}[scheme],
		Engine:  scheme,
		Started: w.started,
	}
	in.Certificates, _ = doctor.Certificates(w.n.domains(), w.n.certs.For, w.n.clock.Now())
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
	return doctor.Diagnose(ctx, w.n.Config, w.n.running())
}

func (n *Node) running() *doctor.Running {
	return &doctor.Running{
		Ports:       n.ports(),
		Certificate: n.certs.For,
		Store:       n.Store,
		Clock:       n.clock,
		CheckClock:  n.IDs.CheckClock,
	}
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
