// Package pgtest gives tests a real PostgreSQL: a server of its own on a Unix socket in a temporary directory, started
// with the first test that asks and killed with the last, and a fresh database for each.
package pgtest

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Require, set in the environment, makes a missing PostgreSQL a failure instead of a skipped test.
const Require = "PARLEY_TEST_REQUIRE_POSTGRES"

// Cockroach names a CockroachDB by its URL, for tests that run on one where there is one.
const Cockroach = "PARLEY_TEST_COCKROACH"

// Server is a PostgreSQL of the tests' own.
type Server struct {
	dir  string
	lock *os.File // held while this process lives
	proc *os.Process
	done chan struct{} // closed when the process is gone
	cred *syscall.Credential
	next atomic.Int64
	sync string // PostgreSQL's fsync: "off" where nobody takes the machine's power away

	template sync.Once
	made     error // of the template
}

var shared struct {
	once sync.Once
	s    *Server
	err  error
}

// Main runs a package's tests and stops the shared server: func TestMain(m *testing.M) { pgtest.Main(m) }. Functions in
// after are called at the end, for the process exits then.
func Main(m *testing.M, after ...func()) {
	code := m.Run()
	for _, f := range after {
		f()
	}
	if err := roach.drop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	if shared.s != nil {
		shared.s.Close()
	}
	os.Exit(code)
}

// DSN gives a fresh database of the shared server, dropped when the test ends. Without PostgreSQL the test is skipped.
func DSN(t testing.TB) string {
	t.Helper()
	return common(t).Database(t)
}

// Copy gives a fresh database of the shared server like DSN, but as make has left one: it is called once, and the
// others are copies. All callers in a process make the same.
func Copy(t testing.TB, make func(dsn string) error) string {
	t.Helper()
	s := common(t)
	s.template.Do(func() {
		s.exec(t, "CREATE DATABASE template")
		s.made = make(s.url("template"))
	})
	if s.made != nil {
		t.Fatal(s.made)
	}
	return s.database(t, " TEMPLATE template")
}

func common(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.s, shared.err = start("off") })
	if shared.err != nil {
		missing(t, shared.err)
	}
	return shared.s
}

func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv(Require) != "" {
		t.Fatalf("PostgreSQL: %v", err)
	}
	t.Skipf("PostgreSQL: %v", err)
}

// Fresh starts a server for one test, which may kill it.
func Fresh(t testing.TB) *Server {
	t.Helper()
	s, err := Start()
	if err != nil {
		missing(t, err)
	}
	t.Cleanup(s.Close)
	return s
}

// program finds a program of PostgreSQL's, where Debian has it or in the path; the newest version.
func program(name string) (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return exec.LookPath(name)
	}
	return slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) }), nil
}

func version(path string) float64 {
	v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(path))), 64) // 0: not a version
	return v
}

// Start makes a database cluster and starts its server. PostgreSQL refuses to run as root: then it runs as the user
// postgres, or nobody.
func Start() (*Server, error) { return start("on") }

func start(fsync string) (*Server, error) {
	initdb, err := program("initdb")
	if err != nil {
		return nil, err
	}
	// Not below a directory of the test's: a socket's path is short, and another user has to reach it.
	dir, err := os.MkdirTemp("/tmp", "pgtest")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, sync: fsync}
	if err := s.mark(); err != nil {
		s.Close()
		return nil, err
	}
	sweep()
	if os.Geteuid() == 0 {
		if s.cred, err = someone(); err == nil {
			err = os.Chown(dir, int(s.cred.Uid), int(s.cred.Gid))
		}
		if err != nil {
			s.Close()
			return nil, err
		}
	}
	out, err := s.command(initdb, "-D", s.data(), "-A", "trust", "-U", "parley", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-sync").CombinedOutput()
	if err == nil {
		err = s.Run()
	} else {
		err = fmt.Errorf("initdb: %w: %s", err, out)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func someone() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uerr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gerr := strconv.ParseUint(u.Gid, 10, 32)
		if uerr == nil && gerr == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command makes a process that ends with this one: at SIGQUIT PostgreSQL stops at once, as if it had crashed, but gives
// its shared memory back.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	c.Env = []string{"LC_ALL=C.UTF-8", "PATH=" + os.Getenv("PATH")}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGQUIT, Credential: s.cred}
	return c
}

// Run starts the server, again after Kill, and waits until it answers.
func (s *Server) Run() error {
	postgres, err := program("postgres")
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	c := s.command(postgres, "-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "max_connections=100",
		"-c", "shared_buffers=32MB", "-c", "dynamic_shared_memory_type=mmap", "-c",
		"fsync="+s.sync, "-c", "timezone=UTC")
	c.Stdout, c.Stderr = log, log
	if err := s.start(c); err != nil {
		return err
	}
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if s.gone() || time.Now().After(deadline) {
			text, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("the server does not answer: %w\n%s", err, text)
		}
		time.Sleep(20 * time.Millisecond) // polling another program
	}
}

// start keeps the thread that has started the process, for the process ends with it (PR_SET_PDEATHSIG, prctl(2)).
func (s *Server) start(c *exec.Cmd) error {
	started := make(chan error)
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			_ = c.Wait() // how it ended is in the log
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.proc, s.done = c.Process, done
	return nil
}

func (s *Server) gone() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *Server) url(database string) string {
	return "postgres://parley@/" + database + "?host=" + url.QueryEscape(s.dir) + "&sslmode=disable"
}

// Database makes a database and gives its DSN; it is dropped when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.database(t, "")
}

func (s *Server) database(t testing.TB, how string) string {
	t.Helper()
	name := "t" + strconv.FormatInt(s.next.Add(1), 10)
	s.exec(t, "CREATE DATABASE "+name+how)
	t.Cleanup(func() {
		if s.proc != nil { // a server that is closed has dropped all
			s.exec(t, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
		}
	})
	return s.url(name)
}

func (s *Server) exec(t testing.TB, q string) {
	t.Helper()
	db, err := sql.Open("pgx", s.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), q); err != nil {
		t.Errorf("%s: %v", q, err)
	}
}
