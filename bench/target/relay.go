package target

import (
	"context"
	"os"
	"runtime"

	"parley/bench/load"
)

// Relay is the floor: this same program, run as a bare TLS relay.
type Relay struct{}

// Name returns the name of the server in reports.
func (Relay) Name() string { return "relay" }

// Available returns why the server cannot run here, or nil.
func (Relay) Available() error { return nil }

// Version returns the version of the server for the report.
func (Relay) Version() string { return "bare TLS relay, " + runtime.Version() }

// Archives reports whether the server keeps messages.
func (Relay) Archives() bool { return false }

// CanFill reports whether the server can start with a filled archive.
func (Relay) CanFill() bool { return false }

// Start runs "bench relay ADDRESS CERT KEY".
func (Relay) Start(ctx context.Context, dir string, _ Setup) (*Instance, error) {
	cert, cfg, err := newCertificate(dir)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := command{name: self, args: []string{"relay", loopback(port), cert.cert, cert.key}, dir: dir}.start("relay")
	if err != nil {
		return nil, err
	}
	in := &Instance{Dial: &load.Dialer{Addr: loopback(port), Domain: Domain, TLS: cfg, Relay: true}}
	in.add(p)
	if err := waitLogin(ctx, in.Dial, p); err != nil {
		in.Stop()
		return nil, err
	}
	return in, nil
}

// HasGroups reports whether the server has groups besides rooms.
func (Relay) HasGroups() bool { return false }

// Nodes is 0.
func (Relay) Nodes() int { return 0 }
