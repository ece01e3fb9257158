package clients

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// desktopInside says that the test runs in its namespace already.
const desktopInside = "PARLEY_TEST_DESKTOP"

// alone runs the test again in namespaces of its own: clients for people look for localhost at port 5222, and trust the
// system's authorities, which are parley dev's there. It says whether this is that run.
func alone(t *testing.T, programs ...string) bool {
	t.Helper()
	if os.Getenv(desktopInside) != "" {
		return true
	}
	for _, p := range append(programs, "Xvfb", "dbus-run-session", "setpriv", "unshare", "ip") {
		needProgram(t, p)
	}
	needSlixmpp(t)
	if out, err := exec.Command("unshare", "-n", "-m", "ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Logf("%s", out)
		missing(t, "a network namespace", err)
	}
	script := `ip link set lo up && mkdir -p /tmp/.X11-unix && mount -t tmpfs tmpfs /tmp/.X11-unix && exec "$@"`
	c := exec.Command("unshare", "-n", "-m", "-p", "-f", "--kill-child", "--mount-proc", "--propagation", "private",
		"sh", "-c", script, "sh", os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "6m")
	c.Env = append(os.Environ(), desktopInside+"=1")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("inside the namespace: %v\n%s", err, tail(string(out), 200))
	} else if testing.Verbose() {
		t.Logf("%s", out)
	}
	return false
}

// room is the one of alice's group.
const room = "engineering@groups.localhost"

// desktop has alice come by a client with windows: it signs in and joins her group's room, which it has learned of
// from her bookmarks alone. It gives the server, and where the client keeps its data.
func desktop(t *testing.T, client string) (s *server, home string) {
	s = startServerAt(t, "127.0.0.1:5222")
	ca, err := os.ReadFile(s.welcome["ca"])
	if err != nil {
		t.Fatal(err)
	}
	const authorities = "/etc/ssl/certs/ca-certificates.crt"
	kept, err := os.ReadFile(authorities)
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(s.dir, "ca.crt")
	if err := os.WriteFile(both, append(kept, ca...), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "--bind", both, authorities).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chmod(s.dir, 0o755); err != nil { // the client is another user
		t.Fatal(err)
	}
	home = filepath.Join(s.dir, "desktop")
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	s.parley("", "group", "create", "engineering", "--name", "Engineering", "--owner", "bob@localhost",
		"--member", "alice@localhost")
	bob := s.peer("bob@localhost/desk", room)

	c := exec.Command("./desktop.sh", client)
	c.Env = append(os.Environ(), "RIG_HOME="+home, "RIG_PASSWORD="+pw)
	var said lockedBuffer
	c.Stdout, c.Stderr, c.WaitDelay = &said, &said, time.Second // its children hold the pipe
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // processes that it has started end with the namespace
		c.Process.Kill()
		_ = c.Wait() // that it was killed
		if t.Failed() {
			t.Logf("%s said:\n%s", client, tail(said.String(), 50))
		}
	})
	bob.want("alice in the room", func(e event) bool {
		return e.Event == "presence" && strings.HasPrefix(e.From, room+"/") &&
			strings.Contains(strings.ToLower(e.From), "/alice") && e.Type != "unavailable"
	})
	return s, home
}

func TestDino(t *testing.T) {
	if alone(t, "dino-im") {
		s, home := desktop(t, "dino")
		hearsTheFront(s, filepath.Join(home, ".local/share/dino/dino.db"))
	}
}

func TestGajim(t *testing.T) {
	if alone(t, "gajim") {
		desktop(t, "gajim")
	}
}
