// Package testrig runs real nodes in the test's own process, with scripted clients that share no code with the server's
// streams: they read with encoding/xml.
package testrig

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/auth"
	"parley/config"
	"parley/node"
	"parley/node/devcert"
	"parley/store"
	"parley/testrig/sqlitetest"
)

// The hosts of a rig.
const (
	Host   = "example.org"
	Second = "second.example"
)

// Password is every account's.
const Password = "pencil-and-paper"

// Rig is a running node.
type Rig struct {
	Node   *node.Node
	Roots  *x509.CertPool
	Dialer net.Dialer // of clients

	t      testing.TB
	doors  map[string]string // of a process that is not this one; nil: Node's
	cfg    *config.Config
	more   []node.Option
	cancel context.CancelFunc
	ended  chan error
	lines  *Lines // nil: only errors are looked at

	oddLock sync.Mutex
	odd     []string // in forms that have come

	beside  []*Rig       // the other nodes on its database
	between atomic.Int64 // stanzas of clients that others have got
}

// look notes faults of the forms in an element that has come.
func (r *Rig) look(e *Element) {
	if odd := OddForms(e); odd != nil {
		r.oddLock.Lock()
		r.odd = append(r.odd, odd...)
		r.oddLock.Unlock()
	}
}

// tell fails the test with the noted faults.
func (r *Rig) tell() {
	r.oddLock.Lock()
	defer r.oddLock.Unlock()
	slices.Sort(r.odd)
	for _, o := range slices.Compact(r.odd) {
		r.t.Errorf("a form: %s", o)
	}
	r.odd = nil
}

// Lines are the lines of a node's log, as text. Safe from any goroutine.
type Lines struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *Lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// Text is all of it.
func (l *Lines) Text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Start runs a node on free ports of loopback, on an embedded store of its own; change may alter its configuration. It
// is stopped when the test ends. An error in its log fails the test.
func Start(t testing.TB, change func(*config.Config), more ...node.Option) *Rig {
	t.Helper()
	return start(t, change, nil, more)
}

// StartLogged is Start for a test that reads the log, from the level info on.
func StartLogged(t testing.TB, change func(*config.Config)) (*Rig, *Lines) {
	t.Helper()
	l := new(Lines)
	return start(t, change, l, nil), l
}

func start(t testing.TB, change func(*config.Config), lines *Lines, more []node.Option) *Rig {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-rig") // t.TempDir's names are too long for a Unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg := config.Dev(dir)
	cfg.Hosts = []config.Host{{Domain: Host}, {Domain: Second}}
	files, err := devcert.Ensure(filepath.Join(dir, "tls"),
		[]string{Host, Second, "groups." + Host, "groups." + Second}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cfg.TLS.Certificate, cfg.TLS.Key = files.Cert, files.Key
	l := &cfg.Listeners
	free := []string{"127.0.0.1:0"}
	l.C2S.Addresses, l.C2STLS.Addresses, l.WebSocket.Addresses, l.WebSocket.PlainAddresses = free, free, free, free
	l.Metrics.Addresses, l.Component.Addresses = free, free
	// the machine may have much else to do
	cfg.Limits.HandshakeTimeout, cfg.Limits.AuthTimeout = time.Minute, time.Minute
	if change != nil {
		change(cfg)
	}
	if cfg.Store.DSN == "sqlite:"+filepath.Join(dir, "parley.db") {
		sqlitetest.Put(t, filepath.Join(dir, "parley.db"))
	}
	pem, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{t: t, cfg: cfg, more: more, Roots: x509.NewCertPool(), lines: lines}
	r.Roots.AppendCertsFromPEM(pem)
	r.run()
	t.Cleanup(r.tell)
	t.Cleanup(r.stop)
	return r
}

// Attach gives clients to a node that runs elsewhere, as a process of its own; doors are its addresses by the
// names that node.Addr has.
func Attach(t testing.TB, doors map[string]string, roots *x509.CertPool) *Rig {
	return &Rig{t: t, doors: doors, Roots: roots}
}

func (r *Rig) addr(door string) string {
	if r.doors != nil {
		return r.doors[door]
	}
	if a := r.Node.Addr(door); a != nil {
		return a.String()
	}
	return ""
}

func (r *Rig) run() {
	r.t.Helper()
	log := slog.New(slog.NewTextHandler(faults{r.t}, &slog.HandlerOptions{Level: slog.LevelError}))
	if r.lines != nil {
		log = slog.New(slog.NewTextHandler(r.lines, nil))
	}
	ctx, cancel := context.WithCancel(context.Background())
	n, err := node.New(ctx, r.cfg, log, r.more...)
	if err != nil {
		cancel()
		r.t.Fatal(err)
	}
	r.Node, r.cancel, r.ended = n, cancel, make(chan error, 1)
	go func() { r.ended <- n.Run(ctx) }()
	select {
	case <-n.Ready():
	case err := <-r.ended:
		r.t.Fatalf("the node does not start: %v", err)
	}
}

func (r *Rig) stop() {
	r.cancel()
	select {
	case err := <-r.ended:
		if err != nil {
			r.t.Errorf("the node ended with %v", err)
		}
	case <-time.After(time.Minute):
		r.t.Error("the node does not stop")
	}
}

// Restart stops the node in order and starts another on the same data.
func (r *Rig) Restart() {
	r.t.Helper()
	r.stop()
	r.run()
}

// Crash ends the node as kill -9 would, and starts another: on the data as they were while it ran.
// Nothing may be under way.
func (r *Rig) Crash() {
	r.t.Helper()
	dir := r.cfg.DataDir
	left := dir + "-left"
	r.t.Cleanup(func() { os.RemoveAll(left) })
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := left + strings.TrimPrefix(name, dir)
		switch {
		case d.IsDir():
			return os.MkdirAll(to, 0o700)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(to, b, 0o600)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.stop()
	if err := os.RemoveAll(dir); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(left, dir); err != nil {
		r.t.Fatal(err)
	}
	r.run()
}

// faults fails the test for what the node logs as an error.
type faults struct{ t testing.TB }

func (f faults) Write(b []byte) (int, error) {
	f.t.Errorf("logged: %s", b)
	return len(b), nil
}

var _ io.Writer = faults{}

// keys are made once: making them is meant to take long.
var keys = sync.OnceValues(func() ([]byte, error) {
	k, err := auth.NewKeys(Password, 4096)
	if err != nil {
		return nil, err
	}
	return k.MarshalBinary()
})

// Account makes accounts, "romeo" or "romeo@second.example"; "!romeo" is an administrator, "!!romeo" an owner.
func (r *Rig) Account(names ...string) {
	r.t.Helper()
	kb, err := keys()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, name := range names {
		name, admin := strings.CutPrefix(name, "!")
		name, owner := strings.CutPrefix(name, "!")
		local, host, ok := strings.Cut(name, "@")
		if !ok {
			host = Host
		}
		u := store.User{Host: host, Name: local, Keys: kb, Admin: admin, Created: time.Now(), FreeSince: time.Now()}
		if err := r.Node.Store.CreateUser(context.Background(), u); err != nil {
			r.t.Fatalf("account %s: %v", name, err)
		}
		if owner {
			if _, _, err := r.Node.Store.UpdatePerson(context.Background(), host,
				local, func(p *store.Person) error { p.Role = store.RoleOwner; return nil }); err != nil {
				r.t.Fatalf("owner %s: %v", name, err)
			}
		}
		r.AccountChanged(host, local)
	}
}

// AccountChanged has the node forget what it remembers of an account that a test has changed in the store.
func (r *Rig) AccountChanged(host, name string) {
	r.t.Helper()
	if err := r.Node.Host(host).AccountChanged(context.Background(), name); err != nil {
		r.t.Fatal(err)
	}
}

// dial opens a connection to a door: "tcp", "tls" (direct), "component" or "s2s".
func (r *Rig) dial(p *Proxied, door, host string) (net.Conn, error) {
	name := map[string]string{"tcp": "c2s", "tls": "c2s_tls", "component": "component", "s2s": "s2s"}[door]
	a := r.addr(name)
	if a == "" {
		return nil, fmt.Errorf("there is no door %q", door)
	}
	nc, err := r.Dialer.Dial("tcp", a)
	if err != nil {
		return nil, err
	}
	if p != nil {
		if err := p.say(nc); err != nil {
			return nil, err
		}
	}
	if door != "tls" {
		return nc, nil
	}
	c := r.tls(host)
	c.NextProtos = []string{"xmpp-client"}
	over := tls.Client(nc, c)
	if err := over.Handshake(); err != nil {
		nc.Close()
		return nil, err
	}
	return over, nil
}

func (r *Rig) tls(host string) *tls.Config {
	return &tls.Config{RootCAs: r.Roots, ServerName: host, MinVersion: tls.VersionTLS12}
}
