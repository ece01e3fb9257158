package clients

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// needXMPPJS gives the path of Node.js, if @xmpp/client is there too.
func needXMPPJS(t *testing.T) string {
	t.Helper()
	node := needProgram(t, "node")
	if _, err := os.Stat("js/node_modules/@xmpp/client/package.json"); errors.Is(err, fs.ErrNotExist) {
		missing(t, "@xmpp/client", err)
	} else if err != nil {
		t.Fatal(err)
	}
	return node
}

// xmppjs is alice in @xmpp/client, over WebSocket and TLS; it trusts the CA of `parley dev`.
func (s *server) xmppjs(node string, args ...string) *peer {
	// Node.js 20 has a WebSocket only if asked; later ones take the flag and need it not.
	c := exec.Command(node, append([]string{"--experimental-websocket", "js/talk.js"}, args...)...)
	c.Env = append(s.env(), "NODE_EXTRA_CA_CERTS="+s.welcome["ca"],
		"RIG_WEBSOCKET_URL=wss://localhost:"+s.port("websocket")+"/xmpp-websocket")
	return s.start(c, "@xmpp/client")
}

func TestXMPPJS(t *testing.T) {
	node := needXMPPJS(t)
	needSlixmpp(t)
	t.Parallel()
	s := startServer(t)
	bob := s.peer("bob@localhost/desk")
	alice := s.xmppjs(node)
	// Bind 2 makes the resource of the client's name and something of the server's (XEP-0386).
	if e := alice.on("online"); !strings.HasPrefix(e.From, "alice@localhost/web/") {
		t.Errorf("signed in as %s", e.From)
	}

	alice.tell(event{Event: "rename", To: "bob@localhost", Body: "Bob"})
	alice.on("renamed")
	alice.tell(event{Event: "roster"})
	if e := alice.on("roster"); e.Body != "bob@localhost Bob" {
		t.Errorf("roster: %q", e.Body)
	}

	alice.tell(event{Event: "presence"})
	alice.on("presence")
	alice.send("bob@localhost", "chat", "hello from the web")
	bob.message("alice@localhost", "chat", "hello from the web")
	bob.send("alice@localhost", "chat", "hello to the web ☕ <&>")
	alice.message("bob@localhost/desk", "chat", "hello to the web ☕ <&>")

	alice.tell(event{Event: "sever"})
	alice.on("severed")
	bob.send("alice@localhost", "chat", "sent while the network was gone")
	alice.on("resumed")
	alice.message("bob@localhost/desk", "chat", "sent while the network was gone")
	alice.send("bob@localhost", "chat", "I am back")
	bob.message("alice@localhost/web", "chat", "I am back")
	bob.send("alice@localhost", "chat", "good")
	alice.message("bob@localhost/desk", "chat", "good")
	// Messages may have come twice: the library counts no answers to its own requests, and says on resuming that it has
	// less than it has (XEP-0198, section 4).
	for _, e := range alice.had {
		if e.Event == "online" {
			t.Errorf("a new session where one was resumed\n%s", alice.errs.String())
		}
	}
}

func TestXMPPJSWrongPassword(t *testing.T) {
	node := needXMPPJS(t)
	t.Parallel()
	s := startServer(t)
	alice := s.xmppjs(node, "not-hers-9-Xyz")
	if e := alice.on("refused"); e.Body != "not-authorized" {
		t.Errorf("refused with %q", e.Body)
	}
}
