// Package target starts the servers that the benchmark compares, each in a
// directory of its own, on loopback only, and set up alike.
package target

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"parley/bench/load"
	"parley/bench/meter"
)

// The same on every server.
const (
	Domain   = "bench.example"
	Rooms    = "rooms.bench.example"
	password = "Correct-horse-7"
	// startTimeout bounds the start of one server, its database included.
	startTimeout = 90 * time.Second
)

// User returns the name of the i-th account.
func User(i int) string { return "u" + strconv.Itoa(i) }

// JID returns the bare JID of the i-th account.
func JID(i int) string { return User(i) + "@" + Domain }

// Setup says what a server must have when it starts.
type Setup struct {
	Users   int  // Accounts User(0) … User(Users-1), all with the same password.
	Archive bool // Every message archived, durably, for users and rooms.
	// Filled is how many messages the archive of User(0) holds already, from
	// User(1), the i-th with the body FilledBody(i). Only for servers with
	// CanFill; the time of the first is FilledStart, the others follow by second.
	Filled int
}

// FilledStart is the time of the first message of a filled archive.
var FilledStart = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// FilledBody is the body of the i-th message of an archive of size n.
func FilledBody(i int) string {
	return "0:" + strconv.Itoa(i) + " a message of the usual length, of which an archive has many"
}

// Target is one kind of server.
type Target interface {
	Name() string
	// Available returns why the server cannot be run here, or nil.
	Available() error
	// Version is for the report.
	Version() string
	// Archives is false for a server that keeps nothing.
	Archives() bool
	// CanFill reports whether Setup.Filled is supported.
	CanFill() bool
	// HasGroups is false for a server that has rooms only.
	HasGroups() bool
	// Nodes is how many servers share the database, 0 for a server whose database is not apart.
	Nodes() int
	// Start runs the server in dir, an empty directory, and returns when it
	// answers. On error nothing is left running.
	Start(ctx context.Context, dir string, s Setup) (*Instance, error)
}

// Instance is a running server.
type Instance struct {
	Dial    *load.Dialer
	Nodes   []Node     // Of several servers each one, the first that of Dial; else none.
	Control string     // The control socket of a server that has groups, else "".
	Web     string     // Where a server that has groups answers HTTPS, else "".
	Tree    meter.Tree // The processes whose CPU time and memory count.
	procs   []*process // In the order they were started.
}

// Node is one of several servers on a database.
type Node struct {
	Dial *load.Dialer
	Tree meter.Tree // Without the database.
}

// On returns the way to one of the servers, counted around.
func (in *Instance) On(n int) *load.Dialer {
	if len(in.Nodes) == 0 {
		return in.Dial
	}
	return in.Nodes[n%len(in.Nodes)].Dial
}

// Stop ends the server's processes, the last started first. It returns within
// about ten seconds per process.
func (in *Instance) Stop() {
	for i := len(in.procs) - 1; i >= 0; i-- {
		in.procs[i].stop()
	}
	in.procs = nil
}

func (in *Instance) add(p *process) {
	in.procs = append(in.procs, p)
	in.Tree.Roots = append(in.Tree.Roots, p.pid())
}

// certificate is what all servers of one run present.
type certificate struct{ cert, key string } // File names.

// newCertificate writes a self-signed P-256 certificate for the benchmark's
// domains, valid for a day, into dir.
func newCertificate(dir string) (*certificate, *tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: Domain},
		DNSNames:     []string{Domain, Rooms},
		NotBefore:    now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IsCA:        true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		return nil, nil, err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	c := &certificate{cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	if err := errors.Join(os.WriteFile(c.cert, certPEM, 0o644), os.WriteFile(c.key, keyPEM, 0o600)); err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return c, clientTLS(pool), nil
}

// clientTLS is the configuration of all clients. The key exchange is fixed to one that every server has. Otherwise Go
// clients and Go servers would use a post-quantum hybrid, which the other servers here do not know and which makes up a
// third of the cost of a relay login.
func clientTLS(roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		RootCAs: roots, ServerName: Domain, MinVersion: tls.VersionTLS12,
		CurvePreferences: []tls.CurveID{tls.X25519},
	}
}

// freePort returns a TCP port of 127.0.0.1 that is free now.
func freePort() (int, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port, nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// waitLogin returns when User(0) can log in, or the process has ended, or
// startTimeout has passed.
func waitLogin(ctx context.Context, d *load.Dialer, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		s, err := d.Open(ctx, load.Options{User: User(0), Resource: "first"})
		if err == nil {
			s.Start(func(*load.Session, []byte) {})
			s.Close()
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended on start: %s", p.name, p.tail())
		case <-ctx.Done():
			return fmt.Errorf("%s did not accept a login: %w: %s", p.name, err, p.tail())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
