package clients

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// terminal is a program in a terminal of tmux, as a person has it.
type terminal struct {
	t    *testing.T
	tmux string
	sock string
	env  []string
}

// terminal starts a program in a terminal; it ends with the test.
func (s *server) terminal(tmux, program string) *terminal {
	s.t.Helper()
	term := &terminal{t: s.t, tmux: tmux, sock: filepath.Join(s.dir, "tmux"), env: s.env()}
	s.t.Cleanup(func() { term.run("kill-server") })
	if out, err := term.run("new-session", "-d", "-x", "140", "-y", "50", program); err != nil {
		s.t.Fatalf("tmux: %v\n%s", err, out)
	}
	return term
}

// run runs a command of a tmux server of its own. It outlives the test's context, so that cleaning up can end what was
// started.
func (term *terminal) run(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(term.t.Context()), patience)
	defer cancel()
	c := exec.CommandContext(ctx, term.tmux, append([]string{"-u", "-f", "/dev/null", "-S", term.sock}, args...)...)
	c.Env = term.env
	out, err := c.CombinedOutput()
	return string(out), err
}

// line types a line and Enter.
func (term *terminal) line(text string) {
	term.t.Helper()
	for _, keys := range [][]string{{"send-keys", "-l", "--", text}, {"send-keys", "Enter"}} {
		if out, err := term.run(keys...); err != nil {
			term.t.Fatalf("tmux %s: %v\n%s", keys[0], err, out)
		}
	}
}

// shows waits until the screen has all the texts, and gives it. A terminal tells nobody of a change: it is looked at
// again and again.
func (term *terminal) shows(texts ...string) string {
	term.t.Helper()
	late := time.After(patience)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		screen, err := term.run("capture-pane", "-p")
		if err != nil {
			term.t.Fatalf("tmux capture-pane: %v\n%s", err, screen)
		}
		missing := ""
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				missing = text
			}
		}
		if missing == "" {
			return screen
		}
		select {
		case <-again.C:
		case <-late:
			term.t.Fatalf("%q was not shown in %v. The screen:\n%s", missing, patience, screen)
		}
	}
}
