package target

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"text/template"
	"time"

	"parley/auth"
	"parley/bench/load"
	"parley/store"
	"parley/store/sqlstore"
)

// Parley is the server of this repository, built from the working tree. Its
// store is SQLite in its own process, or PostgreSQL, whose processes then count
// as its own.
type Parley struct {
	Postgres bool
	// Profile is a directory for CPU and heap profiles of the servers it runs, see bench/cmd/profiled; "" makes none.
	// The last server started wins.
	Profile string
}

// Name is "parley" or "parley-pg".
func (p Parley) Name() string {
	if p.Postgres {
		return "parley-pg"
	}
	return "parley"
}

// Available looks for what builds and runs it.
func (p Parley) Available() error {
	if err := haveProgram("go", "golang"); err != nil {
		return err
	}
	if p.Postgres {
		_, err := postgresProgram("postgres")
		return err
	}
	return nil
}

// Version returns the version of the server for the report.
func (p Parley) Version() string {
	v := "parley " + firstLine("git", "describe", "--always", "--dirty")
	if !p.Postgres {
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
	program, more := "parley/cmd/parley", []string(nil)
	if t.Profile != "" {
		program, more = "parley/bench/cmd/profiled", []string{t.Profile}
	}
	if err := goBuild(ctx, bin, program); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, err
	}
	dsn := "sqlite:" + filepath.Join(data, "parley.db")
	if t.Postgres {
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
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	web, err := freePort()
	if err != nil {
		return nil, err
	}
	var conf bytes.Buffer
	if err := parleyConfig.Execute(&conf, map[string]any{
		"Domain":  Domain,
		"Data":    data,
		"DSN":     dsn,
		"Addr":    loopback(port),
		"Web":     loopback(web),
		"Cert":    cert.cert,
		"Key":     cert.key,
		"Archive": s.Archive,
	}); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "parley.yaml")
	if err := os.WriteFile(file, conf.Bytes(), 0o600); err != nil {
		return nil, err
	}
	p, err := command{name: bin, args: append([]string{"serve", "--config", file}, more...), dir: dir}.start("parley")
	if err != nil {
		return nil, err
	}
	in.add(p)
	in.Control = filepath.Join(data, "parley.sock")
	in.Web = loopback(web)
	in.Dial = &load.Dialer{Addr: loopback(port), Domain: Domain, Password: password, TLS: tlsConfig}
	if err := waitLogin(ctx, in.Dial, p); err != nil {
		return nil, err
	}
	return in, nil
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
