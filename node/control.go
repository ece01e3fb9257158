package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"

	"golang.org/x/sync/errgroup"

	"parley/admin"
	"parley/config"
	"parley/internal/door"
	"parley/server"
)

// version is set by the linker if the program is built without its repository.
var version string

// Version gives the program's version.
func Version() string {
	if version != "" {
		return version
	}
	if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
		return b.Main.Version
	}
	return "(unknown)"
}

// sessions counts the sessions of a host's people, at all nodes.
func sessions(h *server.Host) (n int) {
	h.Accounts(func(a *server.Account) bool {
		n += len(a.Sessions())
		return true
	})
	return n
}

// maxControl is how many commands can run at once.
const maxControl = 200

// listenAdmin opens the doors for administrators: health and metrics, and the control socket.
func (n *Node) listenAdmin(_ context.Context, g *errgroup.Group) error {
	if err := admin.RegisterProcess(n.Registry); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	monitor := admin.Monitor(n.Registry, admin.Check{Name: "store", Do: n.Store.Ping},
		admin.Check{Name: "writing", Do: n.writable.Check},
		admin.Check{Name: "clock", Do: func(context.Context) error { return n.IDs.CheckClock() }, Warning: true},
		admin.Check{Name: "disk", Do: func(context.Context) error { return n.disks.Low() }, Warning: true},
		admin.Check{Name: "lease", Do: n.leaseHeld},
		admin.Check{Name: "other servers", Do: n.othersHeard, Warning: true})
	for _, a := range n.Config.Listeners.Metrics.Addresses {
		if err := n.serveHTTP(g, "metrics", a, monitor, nil,
			door.Trust(config.Networks(n.Config.Listeners.Metrics.TrustedProxies))); err != nil {
			return err
		}
	}
	c := n.Config.Listeners.Control
	mode, err := strconv.ParseUint(c.Mode, 8, 32)
	if err != nil {
		return fmt.Errorf("listeners.control.mode: %w", err)
	}
	listen := func() (net.Listener, error) { return admin.ListenSocket(c.Path, fs.FileMode(mode)) }
	if n.network != nil {
		listen = func() (net.Listener, error) { return n.network.Listen("unix", c.Path) }
	}
	l, err := listen()
	if err != nil {
		return err
	}
	s := admin.NewServer(n.api.Socket())
	n.stop = append(n.stop, func(ctx context.Context) {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	})
	g.Go(func() error {
		if err := s.Serve(n.doors.On(l, door.Config{
			Name:   "control",
			Limits: door.Limits{All: maxControl},
		})); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("control socket: %w", err)
		}
		return nil
	})
	return nil
}

// ErrRestart is the error of Run when an administrator restarts the program.
var ErrRestart = errors.New("an administrator restarts the server")

// stopper gives the function that stops this node from a client; nil if the operator does not allow it, and for
// administrators of other hosts than the first, because it stops all hosts.
func (n *Node) stopper(h *server.Host) func(restart bool) {
	if !n.Config.Shutdown.ByCommand || !n.primary(h) {
		return nil
	}
	return func(restart bool) {
		var why error
		if restart {
			why = ErrRestart
		}
		select {
		case n.quit <- why:
		default: // the node is stopping already
		}
	}
}
