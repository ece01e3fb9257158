package testrig_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"parley/testrig"
)

// newer begins a stream over direct TLS.
func newer(t *testing.T, r *testrig.Rig) *testrig.Client {
	t.Helper()
	c, err := r.Connect("tls", testrig.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Begin(); err != nil {
		t.Fatal(err)
	}
	return c
}

// authenticate signs in by SASL2 (XEP-0388) and gives the answer.
func authenticate(t *testing.T, c *testrig.Client, mech, initial, more string) *testrig.Element {
	t.Helper()
	if err := c.Write(fmt.Sprintf(
		"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='%s'><initial-response>%s</initial-response>"+
			"<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>rig</software>"+
			"</user-agent>%s</authenticate>",
		mech, base64.StdEncoding.EncodeToString([]byte(initial)), more)); err != nil {
		t.Fatal(err)
	}
	e, err := c.Next()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func proof(token string) string {
	m := hmac.New(sha256.New, []byte(token))
	m.Write([]byte("Initiator"))
	return "romeo\x00" + string(m.Sum(nil))
}

// A client that comes back signs in with a token (XEP-0484) of its own, whose uses are counted, and which can be
// revoked.
func TestFAST(t *testing.T) {
	const fast = "<fast xmlns='urn:xmpp:fast:0' count='%d'%s/>"
	r := testrig.Start(t, nil)
	r.Account("romeo")
	c := newer(t, r)
	if c.Features.Find("fast") == nil {
		t.Fatalf("tokens are not offered: %s", c.Features)
	}
	e := authenticate(t, c, "PLAIN", "\x00romeo\x00"+testrig.Password,
		"<request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-NONE'/>")
	if e.Name.Local != "success" || e.Find("token") == nil || e.Find("token").Attr("expiry") == "" {
		t.Fatalf("got %s", e)
	}
	token := e.Find("token").Attr("token")

	come := func(with string, more string) *testrig.Element {
		t.Helper()
		return authenticate(t, newer(t, r), "HT-SHA-256-NONE", with, more)
	}
	if e := come(proof(token), fmt.Sprintf(fast, 1, "")+
		"<bind xmlns='urn:xmpp:bind:0'><tag>rig</tag></bind>"); e.Name.Local != "success" || e.Find("bound") == nil {
		t.Fatalf("with the token: %s", e)
	}
	// The same again is a replay.
	if e := come(proof(token), fmt.Sprintf(fast, 1, "")); e.Find("not-authorized") == nil {
		t.Errorf("a count that has come before: %s", e)
	}
	for what, with := range map[string]string{"another token": proof("x"), "the password": proof(testrig.Password)} {
		if e := come(with, fmt.Sprintf(fast, 2, "")); e.Find("not-authorized") == nil {
			t.Errorf("%s: %s", what, e)
		}
	}
	for what, with := range map[string]string{
		"a proof that is cut": proof(token)[:30],
		"one of another hash": "romeo\x00" + strings.Repeat("x", 64),
		"none":                "romeo\x00",
	} {
		if e := come(with, fmt.Sprintf(fast, 2, "")); e.Find("not-authorized") == nil {
			t.Errorf("%s: %s", what, e)
		}
	}
	if e := come("romeo", fmt.Sprintf(fast, 2, "")); e.Find("malformed-request") == nil {
		t.Errorf("no proof: %s", e)
	}
	// The token survives a restart, until it is revoked.
	r.Restart()
	if e := come(proof(token), fmt.Sprintf(fast, 3, " invalidate='true'")); e.Name.Local != "success" {
		t.Errorf("after a restart: %s", e)
	}
	if e := come(proof(token), fmt.Sprintf(fast, 4, "")); e.Find("not-authorized") == nil {
		t.Errorf("a token that was taken back: %s", e)
	}
}
