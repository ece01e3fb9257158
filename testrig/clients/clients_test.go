// Package clients has real clients, unmodified and as Debian and npm deliver them, try a real `parley dev`. parley's
// own tests follow our understanding of the standards; these follow that of others.
package clients

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "parley/node"
)

const (
	// patience is how long a client may take for one thing. Every wait ends with the event, not with this.
	patience = 90 * time.Second
	// scriptTime is how long a script with many steps may take.
	scriptTime = 6 * time.Minute

	python = "/usr/bin/python3" // Debian's, which is where Debian's slixmpp is
	pw     = "Correct-Horse-7"
)

// The programs that the tests run are not compiled into them. Reading these files here tells the go command that a
// cached result is void if one of them changes; importing node does so for the packages.
var runs = []string{"../../cmd/parley", "py", "js", "."}

// parleyBin is the program, built once.
var parleyBin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "parley-bin")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		parleyBin = filepath.Join(dir, "parley")
		if out, err := exec.Command("go", "build", "-o", parleyBin, "parley/cmd/parley").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

// missing skips the test, by the name of the client it lacks; where all clients must be there, it fails.
func missing(t *testing.T, client string, err error) {
	t.Helper()
	if os.Getenv("PARLEY_TEST_REQUIRE_CLIENTS") == "1" {
		t.Fatalf("%s is not installed: %v", client, err)
	}
	t.Skipf("%s is not installed (%v): scripts/deps installs it", client, err)
}

// needProgram gives the path of a program.
func needProgram(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, err)
	}
	return path
}

func needSlixmpp(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import slixmpp").CombinedOutput(); err != nil {
		missing(t, "slixmpp", fmt.Errorf("%w: %s", err, bytes.TrimSpace(out)))
	}
}

// lockedBuffer is read while a process writes to it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// server is a `parley dev` with accounts alice and bob.
type server struct {
	t       *testing.T
	dir     string // temporary; its path leaves room for a Unix socket
	welcome map[string]string
	log     lockedBuffer
}

// startServer starts it; set are keys of the configuration, as key=value.
func startServer(t *testing.T, set ...string) *server { return startServerAt(t, "127.0.0.1:0", set...) }

// startServerAt has clients that use STARTTLS come to a fixed address, which only a test in a namespace can have.
func startServerAt(t *testing.T, c2s string, set ...string) *server {
	t.Helper()
	for _, dir := range runs {
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.MkdirTemp("", "parley")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &server{t: t, dir: dir}
	args := []string{"--json", "dev", "--data-dir", filepath.Join(dir, "data"), "--log-level", "debug"}
	args = append(args, "--set", "listeners.c2s.addresses="+c2s)
	for _, door := range []string{
		"c2s_tls.addresses", "websocket.addresses", "websocket.plain_addresses", "metrics.addresses",
	} {
		args = append(args, "--set", "listeners."+door+"=127.0.0.1:0")
	}
	for _, kv := range set {
		args = append(args, "--set", kv)
	}
	c := exec.Command(parleyBin, args...)
	c.Dir, c.Stderr = dir, &s.log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.stop(c) })
	welcome := make(chan error, 1)
	go func() { welcome <- json.NewDecoder(out).Decode(&s.welcome) }()
	select {
	case err = <-welcome:
	case <-time.After(patience):
		err = fmt.Errorf("nothing said in %v", patience)
	}
	if err != nil {
		t.Fatalf("parley dev: %v", err)
	}
	for _, name := range []string{"alice", "bob"} {
		s.parley(pw+"\n", "user", "add", name+"@localhost", "--name", strings.ToUpper(name[:1])+name[1:])
	}
	return s
}

// stop ends the server as a terminal does; a failed test gets its log.
func (s *server) stop(c *exec.Cmd) {
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	c.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-done:
		if err != nil {
			s.t.Errorf("parley dev: %v", err)
		}
	case <-time.After(patience):
		c.Process.Kill()
		s.t.Errorf("parley dev did not end in %v", patience)
	}
	if s.t.Failed() {
		s.t.Logf("parley dev's log:\n%s", tail(s.log.String(), 200))
	}
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "panic") {
			s.t.Errorf("in parley's log: %s", line)
		}
	}
}

// parley runs a command against the server; it must work.
func (s *server) parley(stdin string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, parleyBin, args...)
	c.Env = append(os.Environ(), "PARLEY_SOCKET="+s.welcome["socket"])
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		s.t.Fatalf("parley %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// port is the port of one of the server's doors.
func (s *server) port(door string) string {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.welcome[door])
	if err != nil {
		s.t.Fatal(err)
	}
	return port
}

// env is the environment of a client: a home of its own, and how to reach the server and its control socket.
func (s *server) env() []string {
	home := filepath.Join(s.dir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		s.t.Fatal(err)
	}
	return append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "XDG_DATA_HOME="+home+"/.local/share",
		"XDG_CACHE_HOME="+home+"/.cache", "LC_ALL=C.UTF-8", "TERM=screen-256color", "PYTHONDONTWRITEBYTECODE=1",
		"PARLEY="+parleyBin, "PARLEY_SOCKET="+s.welcome["socket"],
		"RIG_C2S="+s.welcome["c2s"], "RIG_WEBSOCKET="+s.welcome["websocket"],
		"RIG_CA="+s.welcome["ca"], "RIG_PASSWORD="+pw)
}

// script runs a script to its end; if it fails, its output is shown.
func (s *server) script(program string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), scriptTime)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Env = s.env()
	c.WaitDelay = time.Second
	if out, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, tail(string(out), 200))
	} else {
		s.t.Logf("%s:\n%s", strings.Join(args, " "), tail(string(out), 100))
	}
}

// tail is the last n lines of text.
func tail(text string, n int) string {
	lines := strings.SplitAfter(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "")
}
