package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/admin"
	"parley/people"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// version is set by the linker where the program is built without its repository.
var version string

// Version says which parley this is.
func Version() string {
	if version != "" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(unknown)"
}

func (o *operations) Info(ctx context.Context) (admin.Info, error) {
	scheme, _, _ := strings.Cut(o.n.Config.Store.DSN, ":")
	in := admin.Info{Version: Version(), Go: runtime.Version(), Started: o.started, Store: scheme, Hosts: []admin.HostInfo{}}
	for _, h := range o.n.hosts {
		users, err := o.n.Store.CountUsers(ctx, h.Domain)
		if err != nil {
			return in, fmt.Errorf("count accounts: %w", err)
		}
		in.Hosts = append(in.Hosts, admin.HostInfo{Domain: h.Domain, Title: o.n.settings.Of(h.Domain).Title, Users: users, Sessions: sessions(h.Host)})
	}
	return in, nil
}

func sessions(h *server.Host) (n int) {
	h.Accounts(func(a *server.Account) bool {
		n += len(a.Sessions())
		return true
	})
	return n
}

func (o *operations) Sessions(ctx context.Context, domain, address string) ([]admin.Session, error) {
	out := []admin.Session{}
	add := func(a *server.Account) bool {
		for _, s := range a.Sessions() {
			presence, priority := s.Presence()
			out = append(out, admin.Session{Address: s.JID.String(), Since: s.Started, Remote: s.Info.Remote, Transport: s.Info.Transport,
				Mechanism: s.Info.Mechanism, Available: presence != nil, Priority: priority})
		}
		return true
	}
	if address != "" {
		h, u, err := o.existing(ctx, "address", address)
		if err != nil {
			return nil, err
		}
		add(h.Account(u.Name))
	} else {
		h, err := o.host("host", domain)
		if err != nil {
			return nil, err
		}
		h.Accounts(add)
	}
	slices.SortFunc(out, func(a, b admin.Session) int { return strings.Compare(a.Address, b.Address) })
	return out, nil
}

func (o *operations) Kick(ctx context.Context, address string) (int, error) {
	bare, resource, full := strings.Cut(address, "/")
	h, j, err := o.local("address", bare)
	if err != nil {
		return 0, err
	}
	bye := &wire.StreamError{Condition: "policy-violation", Text: "an administrator has closed this session"}
	if !full {
		return h.Kick(j.Local(), bye), nil
	}
	j, err = jid.New(j.Local(), h.Domain, resource)
	if err != nil {
		return 0, admin.Invalid("address", "%q is no resource", resource)
	}
	s := h.Account(j.Local()).Session(j.Resource())
	if s == nil {
		return 0, nil
	}
	s.Close(bye)
	return 1, nil
}

// listenAdmin opens the administrator's doors: health and metrics, and the control socket.
func (n *Node) listenAdmin(_ context.Context, g *errgroup.Group) error {
	if err := admin.RegisterProcess(n.Registry); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	monitor := admin.Monitor(n.Registry, admin.Check{Name: "store", Do: n.Store.Ping})
	for _, a := range n.Config.Listeners.Metrics.Addresses {
		if err := n.serveHTTP(g, "metrics", a, monitor, nil, 0); err != nil {
			return err
		}
	}
	c := n.Config.Listeners.Control
	mode, err := strconv.ParseUint(c.Mode, 8, 32)
	if err != nil {
		return fmt.Errorf("listeners.control.mode: %w", err)
	}
	l, err := admin.ListenSocket(c.Path, fs.FileMode(mode))
	if err != nil {
		return err
	}
	s := admin.NewServer(admin.Control(audited{&operations{n: n, started: time.Now(), by: people.CommandLine}}, n.Log))
	n.stop = append(n.stop, func(ctx context.Context) {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	})
	g.Go(func() error {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("control socket: %w", err)
		}
		return nil
	})
	return nil
}
