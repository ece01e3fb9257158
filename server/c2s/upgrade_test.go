package c2s

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mellium.im/sasl"

	"parley/auth"
)

const nsSASL2 = "urn:xmpp:sasl:2"

// older gives an account keys of one hash only, as an account from another server may have.
func (d *testDoor) older(t *testing.T, user string) {
	t.Helper()
	full, err := auth.NewKeys("pencil", 4096)
	if err != nil {
		t.Fatal(err)
	}
	b, err := auth.Keys{SHA1: full.SHA1}.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.st.SetKeys(context.Background(), domain, user, b); err != nil {
		t.Fatal(err)
	}
}

func (d *testDoor) missing(t *testing.T, user string) []string {
	t.Helper()
	ss, err := d.lookup(d.host)(context.Background(), user)
	if err != nil || len(ss) != 1 {
		t.Fatal(ss, err)
	}
	return ss[0].Keys.Missing()
}

const askUpgrades = "<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-256</upgrade>" +
	"<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-OTHER</upgrade>"

func TestUpgradeTask(t *testing.T) {
	d := newDoor(t, nil)
	d.older(t, "romeo")
	c := d.dial(t, "romeo@"+domain)
	offer := c.features.at(nsSASL2 + " authentication")
	if got := offer.all("mechanism"); !slices.Equal(got, []string{"SCRAM-SHA-1-PLUS", "SCRAM-SHA-1", "PLAIN"}) {
		t.Errorf("offered %v to who has no other keys", got)
	}
	if got := offer.all("upgrade"); !slices.Equal(got, []string{"UPGR-SCRAM-SHA-256", "UPGR-SCRAM-SHA-1"}) {
		t.Errorf("offered %v", got)
	}
	n := c.scram(sasl.ScramSha1Plus, "romeo", "pencil", askUpgrades)
	if n.XMLName.Local != "continue" ||
		!slices.Equal(n.at(nsSASL2+" tasks").all("task"), []string{"UPGR-SCRAM-SHA-256"}) {
		t.Fatalf("%+v", n)
	}
	c.write("<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>")
	salt := c.want(nsSASL2 + " task-data").at("urn:xmpp:scram-upgrade:0 salt")
	iterations, err := strconv.Atoi(salt.attr("iterations"))
	if err != nil {
		t.Fatal(err)
	}
	salted, err := pbkdf2.Key(sha256.New, "pencil", c.decode(salt), iterations, 32)
	if err != nil {
		t.Fatal(err)
	}
	c.write("<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>" +
		base64.StdEncoding.EncodeToString(salted) + "</hash></task-data>")
	n = c.want(nsSASL2 + " success")
	if identifier(n) != "romeo@"+domain || n.at(nsSASL2+" additional-data") != nil {
		t.Fatalf("%+v", n)
	}
	if m := d.missing(t, "romeo"); len(m) > 0 {
		t.Fatalf("%v are still missing", m)
	}
	// Now the other hash is offered and works, and there is nothing left to upgrade.
	for _, m := range []sasl.Mechanism{sasl.ScramSha256Plus, sasl.ScramSha1} {
		c = d.dial(t, "romeo@"+domain)
		if n := c.scram(m, "romeo", "pencil", askUpgrades); identifier(n) != "romeo@"+domain {
			t.Fatalf("%s: %+v", m.Name, n)
		}
	}
}

func TestUpgradeTaskFails(t *testing.T) {
	d := newDoor(t, func(c *Config) { c.AuthAttempts = 100 })
	d.older(t, "romeo")
	next := "<next xmlns='urn:xmpp:sasl:2' task='UPGR-SCRAM-SHA-256'/>"
	hash := func(s string) string {
		return next + "<task-data xmlns='urn:xmpp:sasl:2'><hash xmlns='urn:xmpp:scram-upgrade:0'>" +
			s + "</hash></task-data>"
	}
	for name, tc := range map[string]struct{ send, failure, stream string }{
		"another task":    {"<next xmlns='urn:xmpp:sasl:2' task='UPGR-OTHER'/>", "malformed-request", ""},
		"given up":        {"<abort xmlns='urn:xmpp:sasl:2'/>", "aborted", ""},
		"given up late":   {next + "<abort xmlns='urn:xmpp:sasl:2'/>", "aborted", ""},
		"no hash":         {next + "<task-data xmlns='urn:xmpp:sasl:2'/>", "malformed-request", ""},
		"a short hash":    {hash("AAAA"), "malformed-request", ""},
		"no base64":       {hash("*"), "incorrect-encoding", ""},
		"signs in again":  {plainAuth(b64("\x00romeo\x00pencil"), ""), "", "policy-violation"},
		"a stanza":        {"<presence/>", "", "not-authorized"},
		"a late response": {next + "<response xmlns='urn:xmpp:sasl:2'/>", "", "policy-violation"},
	} {
		t.Run(name, func(t *testing.T) {
			c := d.dial(t, "")
			if n := c.scram(sasl.ScramSha1, "romeo", "pencil", askUpgrades); n.XMLName.Local != "continue" {
				t.Fatalf("%+v", n)
			}
			c.write(tc.send)
			for strings.Contains(tc.send, next) {
				c.want(nsSASL2 + " task-data")
				break
			}
			if tc.stream != "" {
				c.wantStreamError(tc.stream)
				return
			}
			c.wantFailure(tc.failure)
			// nobody is signed in
			c.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
			c.wantStreamError("not-authorized")
		})
	}
	if m := d.missing(t, "romeo"); len(m) != 1 {
		t.Errorf("%v are missing", m)
	}
}

// A client that sends the password needs no task, in either profile.
func TestUpgradeByPassword(t *testing.T) {
	d := newDoor(t, nil)
	d.older(t, "romeo")
	c := d.dial(t, "")
	c.write(plainAuth(b64("\x00romeo\x00pencil"), ""))
	if n := c.want(nsSASL2 + " success"); identifier(n) != "romeo@"+domain {
		t.Fatalf("%+v", n)
	}
	if m := d.missing(t, "romeo"); len(m) > 0 {
		t.Errorf("%v are missing", m)
	}
	d.older(t, "juliet")
	c = d.dial(t, "")
	c.write("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>" +
		b64("\x00juliet\x00pencil") + "</auth>")
	c.want("urn:ietf:params:xml:ns:xmpp-sasl success")
	if m := d.missing(t, "juliet"); len(m) > 0 {
		t.Errorf("%v are missing", m)
	}
}
