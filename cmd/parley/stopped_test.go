package main

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"parley/testrig/pgtest"
)

// A server is stopped while a client talks, another one takes its place, and the first one goes on, with what the
// client had sent before it was stopped and meanwhile. What it acknowledged then is in the archive, nothing more comes
// there, and it ends. Its lease is not renewed in the test: its first write ends it.
func TestStoppedWhileTalking(t *testing.T) {
	dsn := "store.dsn=" + pgtest.DSN(t)
	t.Setenv(testLease, "1h")
	first, welcome, log := startProcess(t, shortDir(t), "--set", dsn)
	t.Setenv("PARLEY_SOCKET", welcome["socket"])
	for _, who := range []string{"alice", "bob"} {
		if code, _, errs := cli(t, pw+"\n", "user", "add", who); code != exitOK {
			t.Fatalf("exit %d: %s", code, errs)
		}
	}
	alice := signedIn(t, welcome)
	say := func(s string) {
		t.Helper()
		if err := alice.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	say("<enable xmlns='urn:xmpp:sm:3'/>")
	if e, err := alice.Next(); err != nil || e.Name.Local != "enabled" {
		t.Fatalf("%v %v", e, err)
	}
	var sent []string
	talk := func(n int) {
		t.Helper()
		for range n {
			sent = append(sent, strconv.Itoa(len(sent)))
			say(fmt.Sprintf("<message to='bob@localhost' type='chat' id='%[1]s'><body>%[1]s</body></message>"+
				"<r xmlns='urn:xmpp:sm:3'/>", sent[len(sent)-1]))
		}
	}
	handled, refused := 0, make(map[string]bool)
	read := func() bool {
		e, err := alice.Next()
		if err != nil {
			return false
		}
		switch {
		case e.Name.Local == "a":
			handled, err = strconv.Atoi(e.Attr("h"))
		case e.Name.Local == "message" && e.Attr("type") == "error":
			refused[e.Attr("id")] = true
		}
		if err != nil {
			t.Error(err)
		}
		return true
	}
	talk(200)
	for handled < 50 && read() {
	}
	if err := first.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}

	second, welcome, _ := startProcess(t, shortDir(t), "--set", dsn, "--take-over")
	again := signedIn(t, welcome)
	there := archive(t, again)
	talk(20)
	if err := first.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	for read() {
	}
	const why = "another server has taken over the database"
	if err := first.Wait(); err == nil || !strings.Contains(log.String(), why) {
		t.Errorf("it ends with %v\n%s", err, log)
	}
	for _, body := range sent[:handled] {
		if !refused[body] && there[body] != 1 {
			t.Errorf("%q was acknowledged and is there %d times", body, there[body])
		}
	}
	if now := archive(t, again); !maps.Equal(now, there) {
		t.Errorf("%d messages are there, and %d were when the place was taken", len(now), len(there))
	}
	t.Logf("%d sent, %d handled, %d refused, %d kept", len(sent), handled, len(refused), len(there))
	second.Process.Kill()
	second.Wait()
}
