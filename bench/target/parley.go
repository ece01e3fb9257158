package target

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"text/template"
	"time"

	"parley/auth"
	"parley/bench/load"
	"parley/bench/meter"
	"parley/store"
	"parley/store/sqlstore"
)

// Parley is the server of this repository, built from the working tree. Its
// store is SQLite in its own process, or PostgreSQL, whose processes then count
// as its own.
type Parley struct {
	Postgres bool
	// Several is how many servers share a PostgreSQL. With 0 there is one server, and cluster.enabled is not set.
	Several int
	// Profile is a directory for CPU and heap profiles of the servers it runs, see bench/cmd/profiled; "" makes none.
	// The last server started wins.
	Profile string
}

// Name is "parley", "parley-pg", or "parley-2" and so on for several servers.
func (p Parley) Name() string {
	if p.Several > 0 {
		return "parley-" + strconv.Itoa(p.Several)
	}
	if p.Postgres {
		return "parley-pg"
	}
	return "parley"
}

// apart says whether the database is not in the server's process.
func (p Parley) apart() bool { return p.Postgres || p.Several > 0 }

// Nodes is how many servers share a database that is apart.
func (p Parley) Nodes() int {
	if p.Postgres {
		return 1
	}
	return p.Several
}

// Available looks for what builds and runs it.
func (p Parley) Available() error {
	if err := haveProgram("go", "golang"); err != nil {
		return err
	}
	if p.apart() {
		_, err := postgresProgram("postgres")
		return err
	}
	return nil
}

// Version returns the version of the server for the report.
func (p Parley) Version() string {
	v := "parley " + firstLine("git", "describe", "--always", "--dirty")
	if !p.apart() {
		return v + ", SQLite"
	}
	pg, err := postgresProgram("postgres")
	if err != nil {
		return v
	}
	return v + ", " + firstLine(pg, "--version")
}

// Archives reports whether the server keeps messages.
func (Parley) Archives() bool { return true }

// CanFill is false: it is fast enough to be sent the archive.
func (Parley) CanFill() bool { return false }

// Everything by default but addresses, and what limits traffic.
var parleyConfig = template.Must(template.New("parley").Parse(`
hosts: [{{.Domain}}]
data_dir: {{.Data}}
store:
  dsn: "{{.DSN}}"
cluster:
  enabled: {{.Several}}
listeners:
  c2s: { addresses: ["{{.Addr}}"] }
  c2s_tls: { addresses: [] }
  websocket: { addresses: ["{{.Web}}"] }
  metrics: { addresses: [] }
federation:
  enabled: false
tls:
  certificate: {{.Cert}}
  key: {{.Key}}
limits:
  bytes_per_second: 0
  stanzas_per_second: 0
  connections_per_address: 0
archive:
  default_policy: {{if .Archive}}always{{else}}never{{end}}
rooms:
  label: rooms
  max_occupants: 5000
  max_per_user: 1000000
  message_rate: 1000000
  message_burst: 1000000
  archive: {{.Archive}}
log:
  level: error
`))

// Start builds the server, makes the accounts through the store's own code, and
// runs it.
func (t Parley) Start(ctx context.Context, dir string, s Setup) (_ *Instance, err error) {
	in := new(Instance)
	defer func() {
		if err != nil {
			in.Stop()
		}
	}()
	bin := filepath.Join(dir, "parley")
	// Not by command.run: the compiler wants the caller's HOME and caches.
	program := "parley/cmd/parley"
	if t.Profile != "" {
		program = "parley/bench/cmd/profiled"
	}
	if err := goBuild(ctx, bin, program); err != nil {
		return nil, err
	}
	dsn := "sqlite:" + filepath.Join(dir, "parley.db")
	if t.apart() {
		pg, err := startPostgres(ctx, dir)
		if err != nil {
			return nil, err
		}
		in.add(pg.process)
		dsn = fmt.Sprintf("postgres://%s@%s/postgres?sslmode=disable", postgresUser, loopback(pg.port))
	}
	if err := parleyAccounts(ctx, dsn, s.Users); err != nil {
		return nil, fmt.Errorf("accounts: %w", err)
	}
	cert, tlsConfig, err := newCertificate(dir)
	if err != nil {
		return nil, err
	}
	for n := range max(1, t.Several) {
		p := parleyProcess{Parley: t, bin: bin, dsn: dsn, cert: cert, tls: tlsConfig, archive: s.Archive, number: n}
		if err := p.start(ctx, dir, in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// parleyProcess is one of the servers of a target.
type parleyProcess struct {
	Parley
	bin, dsn string
	cert     *certificate
	tls      *tls.Config
	archive  bool
	number   int
}

// start runs it, and adds it to the instance when it answers.
func (t parleyProcess) start(ctx context.Context, dir string, in *Instance) error {
	data := filepath.Join(dir, "data"+strconv.Itoa(t.number))
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	web, err := freePort()
	if err != nil {
		return err
	}
	var conf bytes.Buffer
	if err := parleyConfig.Execute(&conf, map[string]any{
		"Domain":  Domain,
		"Data":    data,
		"DSN":     t.dsn,
		"Several": t.Several > 0,
		"Addr":    loopback(port),
		"Web":     loopback(web),
		"Cert":    t.cert.cert,
		"Key":     t.cert.key,
		"Archive": t.archive,
	}); err != nil {
		return err
	}
	file := data + ".yaml"
	if err := os.WriteFile(file, conf.Bytes(), 0o600); err != nil {
		return err
	}
	args := []string{"serve", "--config", file}
	if t.Profile != "" {
		profile := t.Profile
		if t.number > 0 {
			profile = filepath.Join(profile, strconv.Itoa(t.number))
		}
		if err := os.MkdirAll(profile, 0o755); err != nil {
			return err
		}
		args = append(args, profile)
	}
	p, err := command{name: t.bin, args: args, dir: dir}.start("parley")
	if err != nil {
		return err
	}
	in.add(p)
	dial := &load.Dialer{Addr: loopback(port), Domain: Domain, Password: password, TLS: t.tls}
	if in.Dial == nil {
		in.Control, in.Web, in.Dial = filepath.Join(data, "parley.sock"), loopback(web), dial
	}
	if t.Several > 0 {
		in.Nodes = append(in.Nodes, Node{Dial: dial, Tree: meter.Tree{Roots: []int{p.pid()}}})
	}
	return waitLogin(ctx, dial, p)
}

// parleyAccounts writes n accounts with the same keys into a new store.
func parleyAccounts(ctx context.Context, dsn string, n int) error {
	keys, err := auth.NewKeys(password, scramIterations)
	if err != nil {
		return err
	}
	b, err := keys.MarshalBinary()
	if err != nil {
		return err
	}
	st, err := sqlstore.Open(ctx, dsn, sqlstore.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), MaxConnections: 4, CommitBatch: 64, Migrate: true,
	})
	if err != nil {
		return err
	}
	defer st.Close()
	now := time.Now()
	for i := range n {
		if err := st.CreateUser(ctx, store.User{Host: Domain, Name: User(i), Keys: b, Created: now}); err != nil {
			return err
		}
	}
	return nil
}

// goBuild builds a program of this module into the file bin, as make build does.
func goBuild(ctx context.Context, bin, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", bin, program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// HasGroups reports whether the server has groups besides rooms.
func (Parley) HasGroups() bool { return true }
