// Package cluster runs three real `parley serve` on one PostgreSQL and tries what they promise together: killed,
// stopped, cut off from each other and from the database, and with real clients on different nodes.
package cluster

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "parley/node" // results depend on it, too
	"parley/node/devcert"
	"parley/testrig"
	"parley/testrig/pgtest"
)

// patience is how long a test waits for what has to come. It is never waited out where all is well.
const patience = 90 * time.Second

// parleyBin is the program, built once.
var parleyBin string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "parley-bin")
	if err == nil {
		_, err = os.ReadDir("../../cmd/parley") // the go command has to know that results depend on it
	}
	if err == nil {
		parleyBin = filepath.Join(dir, "parley")
		var out []byte
		if out, err = exec.Command("go", "build", "-o", parleyBin, "parley/cmd/parley").CombinedOutput(); err != nil {
			err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	pgtest.Main(m, func() { os.RemoveAll(dir) })
}

// cluster is three processes on one database.
type cluster struct {
	*testing.T
	all       []*process // A, B and C
	a, b, c   *process
	database  *url.URL
	cert, key string
	ca        string
	roots     *x509.CertPool
	pairs     map[string]*gate // by the names of both, in order
	troubled  bool             // errors in the logs are expected
}

// newCluster starts the processes, one after the other: the first one makes the schema.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	database, err := url.Parse(pgtest.DSN(t))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "cluster") // t.TempDir's names are too long for a Unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	hosts := []string{testrig.Host, "groups." + testrig.Host}
	files, err := devcert.Ensure(filepath.Join(dir, "tls"), hosts, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{
		T: t, database: database, cert: files.Cert, key: files.Key, ca: files.CA, roots: x509.NewCertPool(),
		pairs: map[string]*gate{"AB": newGate(), "AC": newGate(), "BC": newGate()},
	}
	c.roots.AppendCertsFromPEM(pem)
	for _, name := range []string{"A", "B", "C"} {
		p := &process{T: t, c: c, name: name, dir: filepath.Join(dir, name), store: newGate()}
		p.base = newWay(t, c.dialDatabase, func(net.Conn) *gate { return p.store })
		c.all = append(c.all, p)
	}
	c.a, c.b, c.c = c.all[0], c.all[1], c.all[2]
	t.Cleanup(c.stop)
	c.a.start()
	for _, p := range c.all[1:] {
		p.begin()
	}
	for _, p := range c.all[1:] {
		p.ready()
	}
	return c
}

// stop ends what is running. A failed test gets the logs, and an error in one fails the test.
func (c *cluster) stop() {
	for _, p := range c.all {
		p.kill()
		if p.log == nil {
			continue
		}
		for line := range strings.Lines(p.log.text()) {
			if has(line, "level=ERROR") && !c.troubled || has(line, "panic") {
				c.Errorf("%s logs: %s", p.name, line)
			}
		}
		if c.Failed() {
			c.Logf("the log of %s:\n%s", p.name, p.log.text())
		}
	}
}

// dsn is the database as a process reaches it: over a connection that the test can cut.
func (c *cluster) dsn(p *process) string {
	u := *c.database
	u.Host = p.base.address()
	q := u.Query()
	q.Del("host")
	u.RawQuery = q.Encode()
	return u.String()
}

func (c *cluster) dialDatabase() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(c.database.Query().Get("host"), ".s.PGSQL.5432"))
}

// pair is the gate of the links between two processes, in both directions.
func (c *cluster) pair(p, q *process) *gate {
	return c.pairs[min(p.name, q.name)+max(p.name, q.name)]
}

// between finds who makes a link to a process.
func (c *cluster) between(to *process) func(net.Conn) *gate {
	return func(conn net.Conn) *gate {
		for _, p := range c.all {
			if p == to || p.running() == 0 {
				continue
			}
			all, err := sockets(p.running())
			if err != nil && !errors.Is(err, os.ErrNotExist) {
				c.Errorf("%s: %v", p.name, err)
			}
			for _, s := range all {
				if s.local == conn.RemoteAddr().String() {
					return c.pair(p, to)
				}
			}
		}
		g := newGate() // the process has ended meanwhile
		g.set(cut, 0)
		return g
	}
}

// alone cuts or silences all links of a process, or has them pass again.
func (c *cluster) alone(p *process, s state) {
	for _, q := range c.all {
		if q != p {
			c.pair(p, q).set(s, 0)
		}
	}
}

// accounts makes people, all of them in one team: they see each other's presence.
func (c *cluster) accounts(names ...string) {
	c.Helper()
	team := []string{"team", "create", "all"}
	for _, name := range names {
		c.a.parley(testrig.Password+"\n", "user", "add", name+"@"+testrig.Host, "--password-file", "-")
		team = append(team, "--member", name)
	}
	c.a.parley("", team...)
}
