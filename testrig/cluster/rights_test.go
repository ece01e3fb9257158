package cluster

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/testrig"
)

// rights are what one state of the link between A and B is tried with: people and things of its own.
type rights struct {
	*cluster
	n string // begins all names
}

func (r rights) name(s string) string { return s + r.n }

func (r rights) address(s string) string { return r.name(s) + "@" + testrig.Host }

// What is taken away at A is gone at B once A has said that it is done: with links, without, and with links on which
// nothing arrives.
func TestRightsBetweenTwo(t *testing.T) {
	c := newCluster(t)
	var everybody []string
	for _, n := range []string{"1", "2", "3"} {
		for _, name := range []string{"owner", "member", "disabled", "blocker", "blocked", "app", "token"} {
			everybody = append(everybody, name+n)
		}
	}
	c.accounts(everybody...)
	for n, s := range map[string]state{"1": open, "2": cut, "3": silent} {
		t.Run(map[state]string{open: "open", cut: "cut", silent: "silent"}[s], func(t *testing.T) {
			checks := rights{c, n}.take()
			c.pair(c.a, c.b).set(s, 0)
			t.Run("taken", func(t *testing.T) { // together: each waits for a node that says nothing
				for name, check := range checks {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						check(t)
					})
				}
			})
			c.pair(c.a, c.b).set(open, 0)
		})
	}
}

// take prepares what each check takes away. No check sees anything of another one.
func (r rights) take() map[string]func(t *testing.T) {
	return map[string]func(*testing.T){
		"membership":   r.membership(),
		"disabling":    r.disabling(),
		"blocking":     r.blocking(),
		"app password": r.appPassword(),
		"token":        r.token(),
		"domain":       r.domain(),
	}
}

// membership: who is removed from a private group can neither read nor know it.
func (r rights) membership() func(*testing.T) {
	r.a.parley("", "group", "create", r.name("plot"), "--kind", "private", "--owner", r.address("owner"),
		"--member", r.address("member"))
	var made struct{ Room string }
	r.json(&made, r.a.parley("", "group", "show", r.name("plot"), "--json"))
	room := made.Room
	member := r.b.signIn(r.name("member"), "x")
	look := func() string {
		archive, _ := member.ask(room, "set", "<query xmlns='urn:xmpp:mam:2'/>")
		info, _ := member.ask(room, "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>")
		return archive.Attr("type") + " " + info.Attr("type")
	}
	if got := look(); got != "result result" {
		r.Errorf("a member: %s", got)
	}
	return func(t *testing.T) {
		r.a.parley("", "group", "remove", r.name("plot"), r.address("member"))
		if got := look(); got != "error error" {
			t.Errorf("who was removed: %s", got)
		}
	}
}

// disabling: nothing that a disabled account's client sends arrives, and its stream ends.
func (r rights) disabling() func(*testing.T) {
	victim, witness := r.b.signIn(r.name("disabled"), "x"), r.b.signIn(r.name("owner"), "x")
	return func(t *testing.T) {
		r.a.parley("", "user", "disable", r.address("disabled"))
		_ = victim.Write(chat(r.name("owner"), "from nobody")) // it may have been cut off
		victim.over(t)
		for _, e := range witness.synced() {
			if has(quoted(e), "from nobody") {
				t.Errorf("a disabled account writes: %s", e)
			}
		}
	}
}

// over reads to the end of the stream.
func (c *client) over(t *testing.T) {
	t.Helper()
	for {
		e, err := c.Next()
		if err == nil {
			continue
		}
		if has(err.Error(), "nothing comes") {
			t.Errorf("%s at %s is still there: %v", c.name, c.at.name, e)
		}
		return
	}
}

// blocking: who is blocked by a client at A does not reach the blocker's clients at B.
func (r rights) blocking() func(*testing.T) {
	here, there := r.a.signIn(r.name("blocker"), "x"), r.b.signIn(r.name("blocker"), "y")
	blocked := r.b.signIn(r.name("blocked"), "x")
	return func(t *testing.T) {
		if answer, _ := here.ask("", "set", "<block xmlns='urn:xmpp:blocking'><item jid='"+r.address("blocked")+
			"'/></block>"); answer.Attr("type") != "result" {
			t.Errorf("no answer but %s", answer)
		}
		blocked.say(chat(r.name("blocker"), "unwanted"))
		if e := blocked.until("<message ", "unwanted"); condition(e) == "" {
			t.Errorf("the message came as %s", e)
		}
		for _, e := range there.synced() {
			if has(quoted(e), "unwanted") {
				t.Errorf("somebody blocked writes: %s", e)
			}
		}
	}
}

// appPassword: a client that signed in with an app password is cut off with it, and cannot sign in again.
func (r rights) appPassword() func(*testing.T) {
	var made struct{ ID, Password string }
	r.json(&made, r.a.parley("", "user", "app-password", "add", r.address("app"), "telephone", "--json"))
	app, err := r.b.connect(r.name("app"), made.Password, "x")
	if err != nil {
		r.Fatal(err)
	}
	app.available()
	witness := r.b.signIn(r.name("app"), "own")
	return func(t *testing.T) {
		r.a.parley("", "user", "app-password", "revoke", r.address("app"), made.ID)
		_ = app.Write(chat(r.name("app"), "from an app")) // it may have been cut off
		app.over(t)
		for _, e := range witness.synced() {
			if has(quoted(e), "from an app") {
				t.Errorf("a revoked app password writes: %s", e)
			}
		}
		if c, err := r.b.connect(r.name("app"), made.Password, "x"); err == nil {
			t.Errorf("%s signs in with what was revoked", c.Address)
		}
	}
}

// token: a token of the API does nothing any more.
func (r rights) token() func(*testing.T) {
	var made struct{ ID, Secret, Token string }
	r.json(&made, r.a.parley("", "token", "create", r.address("token"), "robot", "--scope", "groups:read", "--json"))
	browser := r.b.rig.Browser(r.T)
	status := func() int {
		return browser.Do("GET", "/api/v1/groups", nil, func(q *http.Request) {
			q.Header.Del("Sec-Fetch-Site")
			q.Header.Set("Authorization", "Bearer "+made.Secret+made.Token)
		}).Status
	}
	if got := status(); got != http.StatusOK {
		r.Errorf("with a token: %d", got)
	}
	return func(t *testing.T) {
		r.a.parley("", "token", "revoke", made.ID)
		if got := status(); got != http.StatusUnauthorized {
			t.Errorf("with a revoked token: %d", got)
		}
	}
}

// domain: no message goes to a domain that is blocked.
func (r rights) domain() func(*testing.T) {
	sender := r.b.signIn(r.name("owner"), "domains")
	domain := "other" + r.n + ".example"
	n := 0
	send := func() string {
		n++
		id := fmt.Sprintf("out%s-%d", r.n, n)
		sender.say("<message type='chat' id='" + id + "' to='somebody@" + domain + "'><body>x</body></message>")
		return condition(sender.until("<message ", "id='"+id+"'"))
	}
	before := send()
	if !strings.Contains(before, "remote-server") {
		r.Errorf("to a domain that is not there: %s", before)
	}
	return func(t *testing.T) {
		r.a.parley("", "federation", "block", domain)
		if got := send(); got == before || got == "" {
			t.Errorf("to a blocked domain: %q", got)
		}
	}
}

func (c *cluster) json(into any, text string) {
	c.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		c.Fatalf("%v: %s", err, text)
	}
}
