package testrig_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/testrig"
)

// The WebSocket of the chat page knows who it is by the page's session, offers nothing but that, and
// is for the page alone.
func TestChatSocket(t *testing.T) {
	r := testrig.Start(t, web)
	r.Account("romeo", "juliet")
	b := r.Browser(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dial := func(b *testrig.Browser, origin string) (*websocket.Conn, int) {
		h := http.Header{}
		if origin != "" {
			h.Set("Origin", origin)
		}
		c, res, err := websocket.Dial(ctx, "wss://"+testrig.Host+"/chat/ws",
			&websocket.DialOptions{HTTPClient: b.Client(), HTTPHeader: h, Subprotocols: []string{"xmpp"}})
		if err != nil {
			if res == nil {
				t.Fatal(err)
			}
			return nil, res.StatusCode
		}
		t.Cleanup(func() { c.CloseNow() })
		return c, res.StatusCode
	}
	if _, status := dial(b, "https://"+testrig.Host); status != http.StatusSeeOther {
		t.Errorf("without a session: %d", status)
	}
	b.SignIn("romeo")
	for _, origin := range []string{"", "https://evil.example", "https://second.example"} {
		if _, status := dial(b, origin); status != http.StatusForbidden {
			t.Errorf("from %q: %d", origin, status)
		}
	}
	say := func(c *websocket.Conn, text string, until string) string {
		t.Helper()
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		for {
			_, b, err := c.Read(ctx)
			if err != nil {
				t.Fatalf("waiting for %s: %v", until, err)
			}
			if strings.Contains(string(b), until) {
				return string(b)
			}
		}
	}
	open := func(c *websocket.Conn) string {
		return say(c, `<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='example.org' version='1.0'/>`, "features")
	}
	auth := func(mechanism, id string) string {
		return `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='` + mechanism + `'>` + id + `</auth>`
	}
	c, _ := dial(b, "https://"+testrig.Host)
	if f := open(c); strings.Count(f, "<mechanism>") != 1 || !strings.Contains(f, "<mechanism>EXTERNAL</mechanism>") ||
		strings.Contains(f, "register") {
		t.Errorf("on offer: %s", f)
	}
	if a := say(c, auth("PLAIN", "AHJvbWVvAHBlbmNpbC1hbmQtcGFwZXI="), "failure"); !strings.Contains(a,
		"invalid-mechanism") {
		t.Errorf("a password: %s", a)
	}
	// juliet@example.org
	if a := say(c, auth("EXTERNAL", "anVsaWV0QGV4YW1wbGUub3Jn"), "failure"); !strings.Contains(a, "invalid-authzid") {
		t.Errorf("as someone else: %s", a)
	}
	say(c, auth("EXTERNAL", "cm9tZW9AZXhhbXBsZS5vcmc="), "success") // romeo@example.org
	if f := open(c); !strings.Contains(f, "bind") {
		t.Errorf("after signing in: %s", f)
	}
	if a := say(c, `<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>`,
		`id='b'`); !strings.Contains(a, "romeo@example.org/") {
		t.Errorf("bound: %s", a)
	}
	// Signing out of the browser ends the chat in it.
	b.Post("/logout")
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			if ctx.Err() != nil {
				t.Error("the stream goes on")
			}
			break
		}
		if strings.Contains(string(text), "policy-violation") {
			break
		}
	}
}
