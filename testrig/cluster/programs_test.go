package cluster

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/testrig"
)

// missing skips the test; where all clients must be there, it fails.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("PARLEY_TEST_REQUIRE_CLIENTS") == "1" {
		t.Fatalf("%s is not installed: %v", what, err)
	}
	t.Skipf("%s is not installed (%v): scripts/deps installs it", what, err)
}

// program finds a program.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		missing(t, name, err)
	}
	return path
}

// environment is that of a client of a process: a home of its own, and how to reach the process.
func (p *process) environment(home string) []string {
	if err := os.MkdirAll(home, 0o700); err != nil {
		p.Fatal(err)
	}
	return append(os.Environ(), "HOME="+home, "XDG_CONFIG_HOME="+home+"/.config", "XDG_DATA_HOME="+home+"/.local/share",
		"XDG_CACHE_HOME="+home+"/.cache", "LC_ALL=C.UTF-8", "TERM=screen-256color", "PYTHONDONTWRITEBYTECODE=1",
		"RIG_C2S="+p.doors["c2s"], "RIG_CA="+p.c.ca, "RIG_PASSWORD="+testrig.Password)
}

const (
	python = "/usr/bin/python3" // Debian's, which is where Debian's slixmpp is
	script = "../clients/py/peer.py"
)

// needSlixmpp skips the test without slixmpp.
func needSlixmpp(t *testing.T) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), python, "-c", "import slixmpp").CombinedOutput(); err != nil {
		t.Log(string(out))
		missing(t, "slixmpp", err)
	}
	if _, err := os.ReadFile(script); err != nil { // the go command has to know that results depend on it
		t.Fatal(err)
	}
}

// slixmpp is a client in a process of its own. It takes orders and tells what it gets, as JSON.
type slixmpp struct {
	at   *process
	in   *json.Encoder
	seen chan event
	had  []event // events that came while it waited for others
}

// event is what such a client tells.
type event struct{ Event, From, Type, Body, XML string }

// slixmpp signs somebody in. The client ends with the test.
func (p *process) slixmpp(name string) *slixmpp {
	p.Helper()
	c := exec.Command(python, script, name+"@"+testrig.Host)
	c.Env = p.environment(filepath.Join(p.dir, "slixmpp-"+name))
	in, err := c.StdinPipe()
	if err != nil {
		p.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		p.Fatal(err)
	}
	if err := c.Start(); err != nil {
		p.Fatal(err)
	}
	s := &slixmpp{at: p, in: json.NewEncoder(in), seen: make(chan event, 1000)}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(s.seen)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil { // slixmpp prints, too
				s.seen <- e
			}
		}
	})
	p.Cleanup(func() {
		in.Close()
		kill := time.AfterFunc(patience, func() { c.Process.Kill() })
		defer kill.Stop()
		reading.Wait()
		if err := c.Wait(); err != nil {
			p.Errorf("%s's slixmpp: %v", name, err)
		}
	})
	s.until("that it is ready", func(e event) bool { return e.Event == "ready" })
	s.raw("<iq type='set' id='carbons'><enable xmlns='urn:xmpp:carbons:2'/></iq>")
	return s
}

// until waits for an event; those before it stay for later.
func (s *slixmpp) until(what string, is func(event) bool) {
	s.at.Helper()
	for i, e := range s.had {
		if is(e) {
			s.had = append(s.had[:i:i], s.had[i+1:]...)
			return
		}
	}
	late := time.After(patience)
	for {
		select {
		case e, ok := <-s.seen:
			switch {
			case !ok:
				s.at.Fatalf("slixmpp at %s ended before %s; it had %+v", s.at.name, what, s.had)
			case is(e):
				return
			}
			s.had = append(s.had, e)
		case <-late:
			s.at.Fatalf("slixmpp at %s has not seen %s; it had %+v", s.at.name, what, s.had)
		}
	}
}

// gets waits for a message that has all these texts in it.
func (s *slixmpp) gets(texts ...string) {
	s.at.Helper()
	s.until(strings.Join(texts, ", "), func(e event) bool { return e.Event == "stanza" && has(e.XML, texts...) })
}

// sees waits for somebody's presence.
func (s *slixmpp) sees(name, kind string) {
	s.at.Helper()
	s.until(name+" "+kind, func(e event) bool {
		return e.Event == "contact" && e.Type == kind && strings.HasPrefix(e.From, name+"@")
	})
}

func (s *slixmpp) raw(xml string) {
	s.at.Helper()
	if err := s.in.Encode(map[string]string{"xml": xml}); err != nil {
		s.at.Fatal(err)
	}
}

func (s *slixmpp) send(to, body string) {
	s.at.Helper()
	if err := s.in.Encode(map[string]string{"to": to + "@" + testrig.Host, "type": "chat", "body": body}); err != nil {
		s.at.Fatal(err)
	}
}

// terminal is a program in a terminal of tmux, as a person has it.
type terminal struct {
	at   *process
	tmux string
	sock string
	env  []string
}

// terminal starts a program in a terminal; it ends with the test.
func (p *process) terminal(tmux, program string) *terminal {
	p.Helper()
	env := p.environment(filepath.Join(p.dir, "home"))
	t := &terminal{at: p, tmux: tmux, sock: filepath.Join(p.dir, "tmux"), env: env}
	p.Cleanup(func() { t.run("kill-server") })
	if out, err := t.run("new-session", "-d", "-x", "140", "-y", "50", program); err != nil {
		p.Fatalf("tmux: %v\n%s", err, out)
	}
	return t
}

func (t *terminal) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, t.tmux, append([]string{"-u", "-f", "/dev/null", "-S", t.sock}, args...)...)
	c.Env = t.env
	out, err := c.CombinedOutput()
	return string(out), err
}

// line types a line and Enter.
func (t *terminal) line(text string) {
	t.at.Helper()
	for _, keys := range [][]string{{"send-keys", "-l", "--", text}, {"send-keys", "Enter"}} {
		if out, err := t.run(keys...); err != nil {
			t.at.Fatalf("tmux %s: %v\n%s", keys[0], err, out)
		}
	}
}

// shows waits until the screen has all the texts.
func (t *terminal) shows(texts ...string) {
	t.at.Helper()
	late := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond) // a terminal tells nobody of a change
	defer again.Stop()
	for {
		screen, err := t.run("capture-pane", "-p")
		if err == nil && has(screen, texts...) {
			return
		}
		select {
		case <-again.C:
		case <-late:
			t.at.Fatalf("the terminal at %s never shows %q (%v):\n%s", t.at.name, texts, err, screen)
		}
	}
}
