package testrig_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"mellium.im/sasl"

	"parley/config"
	"parley/people"
	"parley/testrig"
)

// plainly tries a password by PLAIN on a stream of its own, and returns the condition of the failure; "" if there was
// no failure.
func plainly(t *testing.T, r *testrig.Rig, user, password string) string {
	t.Helper()
	c := newer(t, r)
	defer c.Close()
	if err := c.Write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
		base64.StdEncoding.EncodeToString([]byte("\x00"+user+"\x00"+password)) + "</auth>"); err != nil {
		t.Fatal(err)
	}
	e, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	return condition(e)
}

func condition(e *testrig.Element) string {
	if e.Name.Local == "success" || len(e.Children) == 0 {
		return ""
	}
	return e.Children[0].Name.Local
}

// Guessing of others behind an address at one door does not shut another door, and valid secrets are never refused:
// links, API tokens, passwords.
func TestGuessesAtOneDoorShutNoOther(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("!romeo", "juliet")
	romeo, thief := r.Browser(t), r.Browser(t)
	romeo.SignIn("romeo")
	made := romeo.Post("/admin/invitations", "uses", "10")
	link := regexp.MustCompile(`/i/[0-9a-z]{32}`).FindString(romeo.Get(made.To).Text)
	token := newToken(t, romeo, people.Scopes...)
	if link == "" {
		t.Fatal(made.Status, made.To)
	}
	bad := 0
	for i := range 150 {
		for _, path := range []string{"/i/guess", "/reset/guess", "/digest/guess"} {
			if p := thief.Get(path + fmt.Sprint(i)); p.Status != http.StatusNotFound {
				t.Fatalf("%s: %d", path, p.Status)
			}
		}
		if status := (apiClient{t, thief, fmt.Sprint("parley_", i)}).do("GET",
			"/v1/groups", "", nil); status == http.StatusTooManyRequests {
			bad++
		} else if status != http.StatusUnauthorized {
			t.Fatal(status)
		}
	}
	if bad == 0 {
		t.Error("tokens are guessed at without end")
	}
	if p := r.Browser(t).Get(link); p.Status != http.StatusOK {
		t.Errorf("a good invitation: %d", p.Status)
	}
	if status := (apiClient{t, r.Browser(t), token}).do("GET", "/v1/groups", "", nil); status != http.StatusOK {
		t.Errorf("a good token: %d", status)
	}
	r.Browser(t).SignIn("juliet")
	if got := plainly(t, r, "juliet", testrig.Password); got != "" {
		t.Errorf("a good password: %s", got)
	}
}

// Colleagues whose clients have an old password shut nobody else out, by whichever mechanism they
// try it again and again.
func TestOldPasswordsOfColleagues(t *testing.T) {
	r := testrig.Start(t, nil)
	r.Account("romeo")
	for i := range 10 {
		r.Account(fmt.Sprint("colleague", i))
		for range 12 {
			if got := plainly(t, r, fmt.Sprint("colleague", i), "an old password"); got == "" {
				t.Fatal("PLAIN: an old password is good")
			}
			if _, e := scram(t, r, sasl.ScramSha256, fmt.Sprint("colleague", i),
				"an old password"); condition(e) == "" {
				t.Fatalf("SCRAM: %s", e)
			}
		}
	}
	if got := plainly(t, r, "romeo", testrig.Password); got != "" {
		t.Errorf("PLAIN: %s", got)
	}
	if _, e := scram(t, r, sasl.ScramSha256, "romeo", testrig.Password); e.Name.Local != "success" {
		t.Errorf("SCRAM: %s", e)
	}
	r.Browser(t).SignIn("romeo")
}

// An address from which many accounts are guessed at lets in people who have signed in from there before, after a
// restart too, by every door; others wait, and get the same answer whether the account exists or not.
func TestGuessesFromWherePeopleAre(t *testing.T) {
	t.Parallel() // it waits most of the time
	r := testrig.Start(t, func(c *config.Config) {
		web(c)
		c.Auth.Throttle.PerAddress, c.Auth.Throttle.Window = 20, 6*time.Hour
	})
	r.Account("romeo", "juliet", "tybalt")
	if got := plainly(t, r, "romeo", testrig.Password); got != "" {
		t.Fatal(got)
	}
	r.Browser(t).SignIn("juliet")
	r.Restart()
	thief := r.Browser(t)
	for i := range 21 {
		thief.Post("/login", "user", fmt.Sprint("someone", i), "password", "Summer2026")
	}
	for _, name := range []string{"romeo", "juliet"} {
		if got := plainly(t, r, name, testrig.Password); got != "" {
			t.Errorf("%s by PLAIN: %s", name, got)
		}
		if _, e := scram(t, r, sasl.ScramSha256, name, testrig.Password); e.Name.Local != "success" {
			t.Errorf("%s by SCRAM: %s", name, e)
		}
		r.Browser(t).SignIn(name)
	}
	if got := plainly(t, r, "tybalt", testrig.Password); got != "temporary-auth-failure" {
		t.Errorf("somebody new at the address: %q", got)
	}
	if _, e := scram(t, r, sasl.ScramSha256, "tybalt", testrig.Password); condition(e) != "temporary-auth-failure" {
		t.Errorf("somebody new at the address by SCRAM: %s", e)
	}
	// Known here, not known here, none at all: a wrong password is answered alike.
	for _, name := range []string{"romeo", "tybalt", "nobody"} {
		if got := plainly(t, r, name, "wrong"); got != "temporary-auth-failure" {
			t.Errorf("%s by PLAIN: %q", name, got)
		}
		if _, e := scram(t, r, sasl.ScramSha256, name, "wrong"); condition(e) != "temporary-auth-failure" {
			t.Errorf("%s by SCRAM: %s", name, e)
		}
		if p := r.Browser(t).Post("/login", "user", name,
			"password", "wrong"); p.Status != http.StatusTooManyRequests || p.Header.Get("Retry-After") == "" {
			t.Errorf("%s on the page: %d", name, p.Status)
		}
	}
}

// Failed sign-ins are in the log, each in one line that the filter in docs/operations.md finds with its address,
// whatever was typed; `log.failed_sign_ins: false` leaves them out.
func TestFailedSignInsAreLogged(t *testing.T) {
	doc, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^ *failregex = (.*)$`).FindSubmatch(doc)
	if m == nil {
		t.Fatal("no filter in docs/operations.md")
	}
	filter := regexp.MustCompile(strings.ReplaceAll(string(m[1]), "<ADDR>", `(?P<addr>[0-9a-f.:]+)`))
	for _, on := range []bool{true, false} {
		r, lines := testrig.StartLogged(t, func(c *config.Config) {
			web(c)
			testrig.WithComponent("bridge.example")(c)
			c.Log.FailedSignIns = on
		})
		r.Account("romeo")
		forged := "x\" remote=203.0.113.1 door=pages\nmsg=\"sign-in failed\" remote=203.0.113.2"
		b := r.Browser(t)
		plainly(t, r, "romeo", "wrong")
		plainly(t, r, "no body\x01", "wrong")
		plainly(t, r, strings.Repeat("ö", 400), "wrong")
		scram(t, r, sasl.ScramSha256, "romeo", "wrong")
		b.Post("/login", "user", forged, "password", "wrong")
		b.Post("/login", "user", "romeo", "password", "wrong")
		b.Get("/i/guess")
		(apiClient{t, b, "parley_x"}).do("GET", "/v1/groups", "", nil)
		b.SignIn("romeo")
		b.Post("/me/password", "current", "wrong", "password", "Another-Word-77", "again", "Another-Word-77")
		var found []string
		for _, line := range strings.Split(lines.Text(), "\n") {
			if !strings.Contains(line, "sign-in failed") {
				continue
			}
			hit := filter.FindStringSubmatch(line)
			if hit == nil || hit[1] != "127.0.0.1" || len(line) > 600 {
				t.Errorf("not found by the filter, or with another address: %s", line)
				continue
			}
			found = append(found, line)
		}
		if want := map[bool]int{true: 9}[on]; len(found) != want {
			t.Errorf("log.failed_sign_ins: %v: %d lines\n%s", on, len(found), strings.Join(found, "\n"))
		}
		if f := os.Getenv("PARLEY_TEST_LINES"); f != "" && on {
			if err := os.WriteFile(f, []byte(strings.Join(found, "\n")+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
