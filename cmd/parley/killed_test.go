package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"strconv"
	"testing"

	"parley/testrig"
	"parley/testrig/pgtest"
)

// A message that a client was told is handled (XEP-0198) is in the archive, once, no matter when the process is killed.
func TestKilledKeepsMessages(t *testing.T) {
	for name, dsn := range map[string]func(t *testing.T) string{
		"sqlite":     nil,
		"postgresql": func(t *testing.T) string { return pgtest.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := shortDir(t)
			var more []string
			if dsn != nil {
				more = []string{"--set", "store.dsn=" + dsn(t)}
			}
			acked := make(map[string]bool)
			for round := range 3 {
				c, welcome, log := startProcess(t, dir, more...)
				t.Setenv("PARLEY_SOCKET", welcome["socket"])
				if round == 0 {
					for _, who := range []string{"alice", "bob"} {
						if code, _, errs := cli(t, pw+"\n", "user", "add", who); code != exitOK {
							t.Fatalf("exit %d: %s", code, errs)
						}
					}
				}
				alice := signedIn(t, welcome)
				archived := archive(t, alice)
				for body := range acked {
					if archived[body] != 1 {
						t.Fatalf("round %d: %q is there %d times, of %d that were acknowledged\n%s",
							round, body, archived[body], len(acked), log)
					}
				}
				talkUntil(t, alice, round, 40+30*round, acked)
				if err := c.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				c.Wait()
				alice.Close()
			}
			c, welcome, log := startProcess(t, dir, more...)
			archived := archive(t, signedIn(t, welcome))
			for body := range acked {
				if archived[body] != 1 {
					t.Fatalf("%q is there %d times\n%s", body, archived[body], log)
				}
			}
			c.Process.Kill()
			c.Wait()
		})
	}
}

func signedIn(t *testing.T, welcome map[string]string) *testrig.Client {
	t.Helper()
	return signedInAs(t, welcome, "alice")
}

func signedInAs(t *testing.T, welcome map[string]string, name string) *testrig.Client {
	t.Helper()
	pem, err := os.ReadFile(welcome["ca"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	a, err := testrig.Attach(t, welcome, roots).Connect("tcp", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.SignIn(name, pw); err != nil {
		t.Fatal(err)
	}
	if err := a.Bind("x"); err != nil {
		t.Fatal(err)
	}
	return a
}

// archive counts what alice's archive holds, by its text.
func archive(t *testing.T, a *testrig.Client) map[string]int {
	t.Helper()
	got, after := make(map[string]int), ""
	for page := 0; ; page++ {
		id := "page" + strconv.Itoa(page)
		if err := a.Write(fmt.Sprintf("<iq type='set' id='%s'><query xmlns='urn:xmpp:mam:2'>"+
			"<set xmlns='http://jabber.org/protocol/rsm'><max>200</max>%s</set></query></iq>", id, after)); err != nil {
			t.Fatal(err)
		}
		n, last := 0, ""
		for {
			e, err := a.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Attr("id") == id {
				break
			}
			if r := e.Find("result"); r != nil {
				n, last = n+1, r.Attr("id")
				got[e.Find("body").Text]++
			}
		}
		if n < 200 {
			return got
		}
		after = "<after>" + last + "</after>"
	}
}

// talkUntil lets alice talk to bob until enough messages are acknowledged, and notes which ones.
func talkUntil(t *testing.T, a *testrig.Client, round, enough int, acked map[string]bool) {
	t.Helper()
	if err := a.Write("<enable xmlns='urn:xmpp:sm:3'/>"); err != nil {
		t.Fatal(err)
	}
	if e, err := a.Next(); err != nil || e.Name.Local != "enabled" {
		t.Fatalf("%v %v", e, err)
	}
	var sent []string
	for done := 0; done < enough; {
		for range 3 { // more than is waited for: there is always something under way when the process dies
			sent = append(sent, fmt.Sprintf("round %d message %d", round, len(sent)))
			if err := a.Write(fmt.Sprintf("<message to='bob@localhost' type='chat' id='r%dm%d'>"+
				"<body>%s</body></message>", round, len(sent), sent[len(sent)-1])); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.Write("<r xmlns='urn:xmpp:sm:3'/>"); err != nil {
			t.Fatal(err)
		}
		for {
			e, err := a.Next()
			if err != nil {
				t.Fatal(err)
			}
			if e.Name.Local != "a" {
				continue
			}
			h, err := strconv.Atoi(e.Attr("h"))
			if err != nil {
				t.Fatal(err)
			}
			for ; done < h; done++ {
				acked[sent[done]] = true
			}
			break
		}
	}
	for range 20 { // and these nobody waits for
		sent = append(sent, fmt.Sprintf("round %d message %d", round, len(sent)))
		_ = a.Write(fmt.Sprintf("<message to='bob@localhost' type='chat'><body>%s</body></message>", sent[len(sent)-1]))
	}
}
