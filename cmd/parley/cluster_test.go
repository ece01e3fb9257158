package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"parley/testrig/pgtest"
)

// server is a process that serves from a database others can reach.
type server struct {
	*exec.Cmd
	log  *bytes.Buffer // to be read once the process has ended
	said chan string   // lines of its log as they come
	dir  string
}

// startServer begins one; whether it comes up is for its log to say.
func startServer(t *testing.T, dsn, dir string, more ...string) *server {
	t.Helper()
	s := &server{dir: dir, log: new(bytes.Buffer), said: make(chan string, 1000)}
	s.Cmd = command(t, append(append([]string{"--json", "dev", "--data-dir", dir, "--set", "store.dsn=" + dsn},
		anyPort...), more...)...)
	out, err := s.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.said)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			s.log.WriteString(lines.Text() + "\n")
			s.said <- lines.Text()
		}
	}()
	t.Cleanup(func() { s.Process.Kill(); s.Wait() })
	return s
}

// says waits for a line with a text, and gives those before it.
func (s *server) says(t *testing.T, text string) (before []string) {
	t.Helper()
	for line := range s.said {
		if strings.Contains(line, text) {
			return before
		}
		before = append(before, line)
	}
	t.Fatalf("it ends and does not say %q:\n%s", text, strings.Join(before, "\n"))
	return nil
}

// serves waits until it does, and says whether it has waited for a lease.
func (s *server) serves(t *testing.T) (waited bool) {
	t.Helper()
	return strings.Contains(strings.Join(s.says(t, "door=metrics"), "\n"), "waiting until its lease expires")
}

// refused waits for the end of the program and returns its output.
func (s *server) refused(t *testing.T) string {
	t.Helper()
	var all []string
	for line := range s.said {
		all = append(all, line)
	}
	if err := s.Wait(); err == nil {
		t.Error("it ends as if all were well")
	}
	return strings.Join(all, "\n")
}

// Two servers never serve from one database; and a start after a crash, in the same place or
// another, waits for nothing.
func TestOneServerToADatabase(t *testing.T) {
	dsn := pgtest.DSN(t)
	first := startServer(t, dsn, shortDir(t))
	first.serves(t)
	for _, other := range []string{shortDir(t), first.dir} {
		second := startServer(t, dsn, other)
		want := fmt.Sprintf("process %d on ", first.Process.Pid)
		if other == first.dir {
			want = "another parley uses the data folder"
		}
		if got := second.refused(t); !strings.Contains(got, want) || !strings.Contains(got, "stop it first") {
			t.Errorf("a second one is told %q", got)
		}
	}
	file := filepath.Join(t.TempDir(), "b.tar")
	// commands that need no place in the cluster are not refused
	for _, args := range [][]string{{"migrate", "status"}, {"backup", "--stopped", file}} {
		args = append(args, "--data-dir", first.dir, "--set", "store.dsn="+dsn, "--set", "hosts=localhost", "--set",
			"tls.acme.enabled=false", "--set", "tls.certificate="+filepath.Join(first.dir, "tls", "cert.pem"), "--set",
			"tls.key="+filepath.Join(first.dir, "tls", "key.pem"))
		if code, _, errs := cli(t, "", args...); code != exitOK && code != exitPartial {
			t.Errorf("%s: exit %d: %s", args[0], code, errs)
		}
	}

	kill(t, first)
	if first = startServer(t, dsn, first.dir); first.serves(t) {
		t.Error("a restart after kill -9 waits")
	}
	kill(t, first)
	second := startServer(t, dsn, shortDir(t))
	if second.serves(t) {
		t.Error("a start elsewhere after kill -9 waits")
	}
	if got := startServer(t, dsn, first.dir).refused(t); !strings.Contains(got,
		fmt.Sprintf("process %d on ", second.Process.Pid)) {
		t.Errorf("the first one that comes back is told %q", got)
	}
	send(t, second, syscall.SIGTERM)
	second.said = drained(second)
	if err := second.Wait(); err != nil {
		t.Errorf("%v\n%s", err, second.log)
	}
	if first = startServer(t, dsn, first.dir); first.serves(t) {
		t.Error("a start after an orderly end waits")
	}
}

// A server that says nothing has the database until its lease runs out, or until somebody says that it is down. Once it
// goes on it finds that out, and ends.
func TestServerThatSaysNothing(t *testing.T) {
	for name, more := range map[string][]string{"lease": nil, "take over": {"--take-over"}} {
		t.Run(name, func(t *testing.T) {
			if t.Setenv(testLease, "6s"); more != nil {
				t.Setenv(testLease, "1h")
			}
			dsn := pgtest.DSN(t)
			first := startServer(t, dsn, shortDir(t))
			first.serves(t)
			send(t, first, syscall.SIGSTOP)
			t.Setenv(testLease, "6s")
			second := startServer(t, dsn, shortDir(t), more...)
			if waited := second.serves(t); waited != (more == nil) {
				t.Errorf("it waited: %v", waited)
			}
			if more != nil {
				return // its lease is renewed in ten minutes
			}
			send(t, first, syscall.SIGCONT)
			if got := first.refused(t); !strings.Contains(got, "another server has taken over the database") {
				t.Errorf("the one that goes on ends with %q", got)
			}
		})
	}
}

// A server that cannot be asked from here is alive while it renews its lease.
func TestServerOutOfReach(t *testing.T) {
	t.Setenv(testLease, "20s")
	dsn := pgtest.DSN(t)
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	first := startServer(t, dsn, shortDir(t), "--set", "cluster.advertise="+mute.Addr().String())
	first.serves(t)
	if got := startServer(t, dsn, shortDir(t)).refused(t); !strings.Contains(got, "renews its lease") ||
		!strings.Contains(got, "cluster.address") {
		t.Errorf("a second one is told %q", got)
	}
}

// A copied data folder does not count as the running server's folder.
func TestCopiedDataFolder(t *testing.T) {
	dsn := pgtest.DSN(t)
	first := startServer(t, dsn, shortDir(t))
	first.serves(t)
	other := shortDir(t)
	id, err := os.ReadFile(filepath.Join(first.dir, "node.id"))
	if err == nil {
		err = os.WriteFile(filepath.Join(other, "node.id"), id, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := startServer(t, dsn, other).refused(t); !strings.Contains(got, "is a copy of its") {
		t.Errorf("the copy is told %q", got)
	}
}

func kill(t *testing.T, s *server) {
	t.Helper()
	send(t, s, syscall.SIGKILL)
	for range s.said {
	}
	s.Wait()
}

func send(t *testing.T, s *server, sig os.Signal) {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// drained reads a log to its end.
func drained(s *server) chan string {
	for range s.said {
	}
	return s.said
}
