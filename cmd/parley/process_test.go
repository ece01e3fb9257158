package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/node"
	"parley/testrig/pgtest"
)

// asMain makes the test's own program run main, so that signals and terminals are tried on a real process.
const asMain = "PARLEY_TEST_MAIN"

// testLease is how long leases on databases run in such a process.
const testLease = "PARLEY_TEST_LEASE"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		if d, err := time.ParseDuration(os.Getenv(testLease)); err == nil {
			nodeOptions = append(nodeOptions, node.WithLease(d))
		}
		main()
	}
	pgtest.Main(m)
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), asMain+"=1")
	return c
}

// startProcess runs `parley dev` as a process and waits until it serves.
func startProcess(t *testing.T, dir string, more ...string) (*exec.Cmd, map[string]string, *lockedBuffer) {
	t.Helper()
	c := command(t, append(append([]string{"--json", "dev", "--data-dir", dir}, anyPort...), more...)...)
	log := new(lockedBuffer)
	c.Stderr = log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var welcome map[string]string
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&welcome); err != nil {
		c.Wait()
		t.Fatalf("%v\n%s", err, log)
	}
	return c, welcome, log
}

func TestStopsOnSignals(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		dir := shortDir(t)
		c, welcome, log := startProcess(t, dir)
		t.Setenv("PARLEY_SOCKET", welcome["socket"])
		if code, _, errs := cli(t, pw+"\n", "user", "add", "alice"); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
		signedIn(t, welcome)
		for late := time.Now().Add(30 * time.Second); !strings.Contains(log.String(),
			"session open"); time.Sleep(time.Millisecond) {
			if time.Now().After(late) { // the client is answered before it is logged
				t.Fatalf("nobody is signed in\n%s", log)
			}
		}
		if err := c.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v\n%s", sig, err, log)
		}
		if _, err := os.Lstat(welcome["socket"]); err == nil {
			t.Errorf("%v: the control socket is still there", sig)
		}
		_, ends, ok := strings.Cut(log.String(), "msg=stopping")
		if lines := strings.Split(strings.TrimSpace(ends), "\n"); !ok || len(lines) != 2 ||
			!strings.Contains(lines[1], "msg=stopped") {
			t.Errorf("%v: its log ends\n%s", sig, ends)
		}
	}
}

// An answered message is kept even if the process is killed at once, and the server starts again on the data left
// behind.
func TestKilled(t *testing.T) {
	dir := shortDir(t)
	c, welcome, _ := startProcess(t, dir)
	t.Setenv("PARLEY_SOCKET", welcome["socket"])
	if code, _, errs := cli(t, pw+"\n", "user", "add", "alice"); code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	if code, _, errs := cli(t, "", "user", "list"); code != exitFailed ||
		!strings.Contains(errs, "no server is listening") {
		t.Errorf("exit %d: %s", code, errs)
	}
	c, _, log := startProcess(t, dir)
	if code, _, errs := cli(t, "", "user", "show", "alice"); code != exitOK {
		t.Errorf("exit %d: %s", code, errs)
	}
	c.Process.Signal(os.Interrupt)
	if err := c.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}

func TestPortTaken(t *testing.T) {
	dir := shortDir(t)
	c, welcome, _ := startProcess(t, dir)
	defer c.Wait()
	defer c.Process.Signal(os.Interrupt)
	args := append([]string{"dev", "--data-dir", shortDir(t)}, anyPort...)
	code, _, errs := cli(t, "", append(args, "--set", "listeners.c2s.addresses="+welcome["c2s"])...)
	if code != exitFailed || !strings.Contains(errs,
		welcome["c2s"]+" is in use by another program: stop it, or use other ports with --port-offset") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
