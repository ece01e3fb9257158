package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/testrig"
)

// small is a server on a small disk of its own.
type small struct {
	t       *testing.T
	disk    string // where the test finds it
	welcome map[string]string
	log     *lockedBuffer
	http    http.Client
}

func startSmall(t *testing.T, more ...string) (*small, *exec.Cmd) {
	t.Helper()
	dir := shortDir(t)
	enter, inside := ownDisk(t, dir)
	args := append(append(append(enter[1:], os.Args[0], "--json", "dev", "--data-dir", dir), anyPort...), more...)
	c := exec.CommandContext(t.Context(), enter[0], args...)
	c.Env = append(os.Environ(), asMain+"=1")
	s := &small{t: t, log: new(lockedBuffer)}
	c.Stderr = s.log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(out).Decode(&s.welcome); err != nil {
		c.Wait()
		t.Fatalf("%v\n%s", err, s.log)
	}
	s.disk = inside(c.Process.Pid)
	s.welcome["ca"] = strings.Replace(s.welcome["ca"], dir, s.disk, 1)
	pem, err := os.ReadFile(s.welcome["ca"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	s.http.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Setenv("PARLEY_SOCKET", filepath.Join(s.disk, "parley.sock"))
	return s, c
}

// fillUpTo leaves so many bytes of the disk.
func (s *small) fillUpTo(left int64) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.disk, "fill"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	for b := make([]byte, 64<<10); ; {
		var st syscall.Statfs_t
		if err := syscall.Statfs(s.disk, &st); err != nil {
			s.t.Fatal(err)
		}
		if int64(st.Bavail)*st.Bsize <= left {
			return
		}
		if _, err := f.Write(b); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *small) health() (status int, body string) {
	s.t.Helper()
	res, err := s.http.Get("http://" + s.welcome["metrics"] + "/healthz")
	if err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// answer sends a stanza and gives what comes back for its id; nil for a message that is not refused.
func (s *small) answer(c *testrig.Client, id, stanza string) *testrig.Element {
	s.t.Helper()
	if err := c.Write(stanza + "<iq type='get' id='ping-" + id +
		"' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"); err != nil {
		s.t.Fatal(err)
	}
	var got *testrig.Element
	for {
		e, err := c.Next()
		if err != nil {
			s.t.Fatalf("%v\n%s", err, s.log)
		}
		switch e.Attr("id") {
		case id:
			got = e
		case "ping-" + id:
			return got
		}
	}
}

func (s *small) write(c *testrig.Client, to string, size int) *testrig.Element {
	s.t.Helper()
	id := fmt.Sprint("m", time.Now().UnixNano())
	return s.answer(c, id, "<message type='chat' id='"+id+"' to='"+to+"@localhost'><body>"+
		strings.Repeat("x", size)+"</body></message>")
}

func (s *small) slot(c *testrig.Client) *testrig.Element {
	s.t.Helper()
	id := fmt.Sprint("s", time.Now().UnixNano())
	return s.answer(c, id, "<iq type='get' id='"+id+"' to='upload.localhost'>"+
		"<request xmlns='urn:xmpp:http:upload:0' filename='a.txt' size='5' content-type='text/plain'/></iq>")
}

func (s *small) put(slot *testrig.Element) int {
	s.t.Helper()
	q, err := http.NewRequestWithContext(s.t.Context(), "PUT", slot.Find("put").Attr("url"), strings.NewReader("hello"))
	if err != nil {
		s.t.Fatal(err)
	}
	q.Header.Set("Authorization", slot.Find("header").Text)
	res, err := s.http.Do(q)
	if err != nil {
		s.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// eventually asks again, as people do, until it is so.
func (s *small) eventually(what string, so func() bool) {
	s.t.Helper()
	for late := time.Now().Add(time.Minute); !so(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(late) {
			s.t.Fatalf("not within a minute: %s\n%s", what, s.log)
		}
	}
}

// When the disk fills up, the server first refuses uploads, then messages from the person who has filled it; others can
// still write. Everyone concerned is told why, and the server logs it once.
func TestNearlyFullDisk(t *testing.T) {
	s, process := startSmall(t, "--set", "disk.low=14MiB", "--set", "disk.lowest=7MiB")
	for _, who := range []string{"alice", "bob"} {
		if code, _, errs := cli(t, pw+"\n", "user", "add", who+"@localhost"); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	alice, bob := signedInAs(t, s.welcome, "alice"), signedInAs(t, s.welcome, "bob")
	for range 6 { // more than a sixteenth of 7 MiB
		if e := s.write(alice, "bob", 100_000); e != nil {
			t.Fatal(e)
		}
	}
	before := s.slot(bob)
	if before.Attr("type") != "result" {
		t.Fatal(before)
	}
	if code, body := s.health(); code != 200 || !strings.Contains(body, `"status": "ok"`) {
		t.Errorf("%d %s", code, body)
	}

	s.fillUpTo(11 << 20)
	if e := s.slot(bob); e.Attr("type") != "error" || e.Find("resource-constraint") == nil || e.Find("text") == nil ||
		!strings.Contains(e.Find("text").Text, "nearly full") {
		t.Errorf("a slot: %s", e)
	}
	if code := s.put(before); code != http.StatusInsufficientStorage {
		t.Errorf("a file is put: %d", code)
	}
	if code, body := s.health(); code != 200 || !strings.Contains(body, `"status": "warning"`) ||
		!strings.Contains(body, "no files are uploaded") {
		t.Errorf("%d %s", code, body)
	}
	for _, c := range []*testrig.Client{alice, bob} {
		if e := s.write(c, "alice", 10); e != nil {
			t.Errorf("a message: %s", e)
		}
	}

	s.fillUpTo(6 << 20)
	s.eventually("who has written most is refused", func() bool {
		e := s.write(alice, "bob", 10)
		if e != nil && (e.Find("resource-constraint") == nil || e.Find("text") == nil ||
			!strings.Contains(e.Find("text").Text, "you have written much lately")) {
			t.Error(e)
		}
		return e != nil
	})
	for range 20 {
		if e := s.write(bob, "alice", 10); e != nil {
			t.Fatalf("somebody else: %s", e)
		}
	}
	if code, body := s.health(); code != 200 ||
		!strings.Contains(body, "messages from the people who wrote most lately are refused") {
		t.Errorf("%d %s", code, body)
	}
	if code, out, _ := cli(t, "", "doctor"); code == exitOK || !strings.Contains(out, "the disk is nearly full") {
		t.Errorf("doctor: exit %d\n%s", code, out)
	}

	if err := os.Remove(filepath.Join(s.disk, "fill")); err != nil {
		t.Fatal(err)
	}
	s.eventually("all can write again", func() bool { return s.write(alice, "bob", 10) == nil })
	if e := s.slot(bob); e.Attr("type") != "result" {
		t.Errorf("a slot: %s", e)
	}
	if code := s.put(before); code != http.StatusCreated {
		t.Errorf("the file that was refused: %d", code)
	}
	s.eventually("the log says so", func() bool {
		return strings.Contains(s.log.String(), "there is room on the disk again")
	})
	if n := strings.Count(s.log.String(), "messages from the people who wrote most lately are refused"); n != 1 {
		t.Errorf("the log says it %d times\n%s", n, s.log)
	}
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := process.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.log)
	}
}
