package target

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// postgres is a PostgreSQL server of its own for one instance, with Debian's
// defaults: fsync and synchronous commits are on.
type postgres struct {
	*process
	port int
	dir  string
}

const postgresUser = "postgres"

// postgresProgram finds a server program, which Debian keeps out of PATH.
func postgresProgram(name string) (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(found) > 0 {
		return found[len(found)-1], nil
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed (Debian: apt install postgresql)", name)
	}
	return p, nil
}

// startPostgres runs a new, empty cluster below dir and returns when it takes
// queries.
func startPostgres(ctx context.Context, dir string) (*postgres, error) {
	initdb, err := postgresProgram("initdb")
	if err != nil {
		return nil, err
	}
	server, err := postgresProgram("postgres")
	if err != nil {
		return nil, err
	}
	dir = filepath.Join(dir, "postgres")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	if err := own(dir, postgresUser); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	_, err = command{
		name: initdb,
		args: []string{"-D", data, "-A", "trust", "-U", postgresUser, "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"},
		dir:  dir,
		user: postgresUser,
	}.run(ctx, nil)
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := command{
		name: server,
		args: []string{"-D", data, "-p", strconv.Itoa(port), "-k", dir,
			"-c", "listen_addresses=127.0.0.1", "-c", "max_connections=100"},
		dir:  dir,
		user: postgresUser,
	}.start("postgres")
	if err != nil {
		return nil, err
	}
	pg := &postgres{process: p, port: port, dir: dir}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		if err = pg.sql(ctx, "SELECT 1"); err == nil {
			return pg, nil
		}
		select {
		case <-p.done:
			return nil, fmt.Errorf("postgres ended on start: %s", p.tail())
		case <-ctx.Done():
			pg.stop()
			return nil, fmt.Errorf("postgres takes no queries: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// sql runs statements that return nothing of interest.
func (pg *postgres) sql(ctx context.Context, text string) error {
	_, err := command{
		name: "psql",
		args: []string{"-h", "127.0.0.1", "-p", strconv.Itoa(pg.port), "-U", postgresUser,
			"-v", "ON_ERROR_STOP=1", "-q", "-X", "-f", "-", "postgres"},
		dir:  pg.dir,
		user: postgresUser,
	}.run(ctx, []byte(text))
	return err
}

// Postgres runs a PostgreSQL of its own below dir, with fsync, and gives the DSN of an empty
// database and what stops it.
func Postgres(ctx context.Context, dir string) (dsn string, stop func(), err error) {
	pg, err := startPostgres(ctx, dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("postgres://%s@%s/postgres?sslmode=disable", postgresUser, loopback(pg.port)), pg.stop, nil
}
