package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"parley/testrig"
	"parley/testrig/pgtest"
)

// talk lets alice send until stop is closed, and notes which messages the server has acknowledged.
type talk struct {
	mu    sync.Mutex
	acked map[string]bool
}

func (k *talk) count() int { k.mu.Lock(); defer k.mu.Unlock(); return len(k.acked) }

func (k *talk) copy() map[string]bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := make(map[string]bool)
	for b := range k.acked {
		m[b] = true
	}
	return m
}

// run talks in a goroutine of its own: it asks after each ten messages what has been handled (XEP-0198).
func (k *talk) run(a *testrig.Client, stop <-chan struct{}) error {
	if err := a.Write("<enable xmlns='urn:xmpp:sm:3'/>"); err != nil {
		return err
	}
	if e, err := a.Next(); err != nil || e.Name.Local != "enabled" {
		return fmt.Errorf("%v %v", e, err)
	}
	for n := 0; ; {
		select {
		case <-stop:
			return nil
		default:
		}
		var said []string
		for range 10 {
			n++
			body := fmt.Sprintf("busy %d", n)
			said = append(said, body)
			if err := a.Write("<message to='bob@localhost' type='chat'><body>" + body +
				"</body></message>"); err != nil {
				return err
			}
		}
		if err := a.Write("<r xmlns='urn:xmpp:sm:3'/>"); err != nil {
			return err
		}
		for {
			e, err := a.Next()
			if err != nil {
				return err
			}
			if e.Name.Local == "a" && e.Attr("h") == fmt.Sprint(n) {
				break
			}
		}
		k.mu.Lock()
		for _, b := range said {
			k.acked[b] = true
		}
		k.mu.Unlock()
	}
}

// A backup of a busy server, put back elsewhere, has all that was acknowledged before: messages, a file, accounts.
func TestBackupAndRestore(t *testing.T) {
	dir := shortDir(t)
	c, welcome, _ := startProcess(t, dir)
	t.Setenv("PARLEY_SOCKET", welcome["socket"])
	t.Setenv("PARLEY_CONFIG", "")
	t.Chdir(shortDir(t)) // no configuration file is near
	for _, who := range []string{"alice", "bob"} {
		if code, _, errs := cli(t, pw+"\n", "user", "add", who); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	upload := filepath.Join(dir, "uploads", "localhost", "ab", "abfile")
	if err := os.MkdirAll(filepath.Dir(upload), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(upload, []byte("a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	k, stop, ended := &talk{acked: make(map[string]bool)}, make(chan struct{}), make(chan error, 1)
	alice := signedIn(t, welcome)
	go func() { ended <- k.run(alice, stop) }()
	file := filepath.Join(shortDir(t), "parley.tar.gz")
	var before map[string]bool
	for round, to := range []string{filepath.Dir(file), file} {
		for n := k.count(); k.count() < n+200; {
			select {
			case err := <-ended:
				t.Fatal(err)
			default:
			}
		}
		before = k.copy()
		code, out, errs := cli(t, "", "--json", "backup", to)
		if code != exitOK || !strings.Contains(out, `"database": true`) {
			t.Fatalf("round %d: exit %d: %s%s", round, code, out, errs)
		}
	}
	if code, _, errs := cli(t, "", "backup", file); code != exitFailed || !strings.Contains(errs, "exists") {
		t.Errorf("written over: exit %d: %s", code, errs)
	}
	close(stop)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if code, out, errs := cli(t, "", "restore", "--check", file); code != exitOK ||
		!strings.Contains(out, "the backup is good") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	if code, _, errs := cli(t, "", "restore", "--data-dir", dir, file); code != exitFailed ||
		!strings.Contains(errs, "there is something already") {
		t.Errorf("over what is there: exit %d: %s", code, errs)
	}
	if code, _, errs := cli(t, "", "backup", "--stopped", "--set", "hosts=localhost", "--set", "tls.certificate=x",
		"--set", "tls.key=x", "--data-dir", dir, file+"2"); code != exitFailed ||
		!strings.Contains(errs, "another process has this database open") {
		t.Errorf("of a running server: exit %d: %s", code, errs)
	}
	alice.Close()
	c.Process.Kill()
	c.Wait()

	fresh := shortDir(t)
	if code, out, errs := cli(t, "", "restore", "--data-dir", fresh, file); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	if b, err := os.ReadFile(filepath.Join(fresh, "uploads", "localhost", "ab", "abfile")); err != nil ||
		string(b) != "a picture" {
		t.Errorf("%q %v", b, err)
	}
	for _, name := range []string{"parley.db", "uploads/localhost/ab/abfile"} {
		if i, err := os.Stat(filepath.Join(fresh, name)); err != nil || i.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, i, err)
		}
	}
	if left, err := filepath.Glob(filepath.Join(fresh, ".restore-*")); err != nil || len(left) > 0 {
		t.Error(left, err)
	}
	c, welcome, log := startProcess(t, fresh)
	defer c.Wait()
	defer c.Process.Kill()
	a := signedIn(t, welcome)
	defer a.Close()
	archived := archive(t, a)
	for body := range before {
		if archived[body] != 1 {
			t.Fatalf("%q is there %d times, of %d that were acknowledged\n%s", body, archived[body], len(before), log)
		}
	}
}

// A backup that is damaged, cut off or not a backup at all is refused, and nothing of it is restored.
func TestRestoreRefuses(t *testing.T) {
	d := startDev(t)
	t.Setenv("PARLEY_CONFIG", "")
	t.Chdir(shortDir(t))
	file := filepath.Join(shortDir(t), "parley.tar")
	d.ok("", "backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for name, b := range map[string][]byte{
		"cut off": whole[:len(whole)*2/3],
		"no end":  whole[:len(whole)-6000],
		"damaged": flipped,
		"none":    []byte("hello"),
		"empty":   nil,
	} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		fresh := shortDir(t)
		for _, args := range [][]string{{"restore", "--data-dir", fresh, file}, {"restore", "--check", file}} {
			if code, out, errs := cli(t, "", args...); code != exitFailed || !strings.Contains(errs, "backup") {
				t.Errorf("%s: exit %d: %s%s", name, code, out, errs)
			}
		}
		if es, err := os.ReadDir(fresh); err != nil || len(es) > 0 {
			t.Errorf("%s: left %v %v", name, es, err)
		}
	}
	if code, _, _ := cli(t, "", "restore", "--data-dir", shortDir(t),
		filepath.Join(shortDir(t), "none")); code != exitFailed {
		t.Errorf("a file that is not there: exit %d", code)
	}
	if code, _, _ := cli(t, "", "restore"); code != exitUsage {
		t.Errorf("without a file: exit %d", code)
	}
	var out bytes.Buffer
	if code := run(t.Context(), []string{"backup", "-", "--socket", d.welcome["socket"]},
		stdio{strings.NewReader(""), &out, io.Discard}); code != exitOK {
		t.Errorf("to standard output: exit %d", code)
	}
	if code, text, errs := cli(t, out.String(), "restore", "--check", "-"); code != exitOK {
		t.Errorf("from standard input: exit %d: %s%s", code, text, errs)
	}
}

// For a database other than SQLite, the output says how to back it up; the backup holds everything outside the
// database.
func TestBackupOfPostgreSQL(t *testing.T) {
	d := startDev(t, "--set", "store.dsn="+pgtest.DSN(t))
	file := filepath.Join(shortDir(t), "parley.tar")
	code, out, errs := d.cli("", "backup", file)
	if code != exitPartial || !strings.Contains(out, "pg_dump") {
		t.Errorf("exit %d: %s%s", code, out, errs)
	}
	code, out, _ = d.cli("", "--json", "restore", "--check", file)
	var r struct {
		Database bool
		Engine   string
		Files    int
	}
	if err := json.Unmarshal([]byte(out), &r); code != exitOK || err != nil || r.Database ||
		r.Engine != "PostgreSQL" || r.Files < 2 {
		t.Errorf("exit %d: %v %s", code, err, out)
	}
	if code, _, errs := d.cli("", "restore", "--data-dir", shortDir(t), "--config", "", file); code != exitFailed ||
		!strings.Contains(errs, "no database in it") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
