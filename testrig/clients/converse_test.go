package clients

import (
	"os"
	"os/exec"
	"testing"
)

// converse is alice in Converse.js, in a Chromium without a window.
func (s *server) converse(node, chromium string) *peer {
	c := exec.Command(node, "js/converse.js")
	c.Env = append(s.env(), "RIG_CHROMIUM="+chromium,
		"RIG_WEBSOCKET_URL=wss://localhost:"+s.port("websocket")+"/xmpp-websocket")
	return s.start(c, "Converse.js")
}

func TestConverse(t *testing.T) {
	node, chromium := needXMPPJS(t), needProgram(t, "chromium")
	if _, err := os.Stat("js/node_modules/converse.js/dist/converse.min.js"); err != nil {
		missing(t, "converse.js", err)
	}
	needSlixmpp(t)
	t.Parallel()
	s := startServer(t)
	bob := s.peer("bob@localhost/desk")
	alice := s.converse(node, chromium)
	alice.on("online")

	bob.send("alice@localhost", "chat", "hello to the browser")
	alice.tell(event{Event: "shown", To: "bob@localhost", Type: "chat", Body: "hello to the browser"})
	alice.on("shown")
	alice.send("bob@localhost", "chat", "hello from the browser")
	bob.message("alice@localhost", "chat", "hello from the browser")

	// A group is made while she is there: the pushed bookmark makes her client enter its room by itself.
	s.parley("", "group", "create", "engineering", "--name", "Engineering", "--owner", "bob@localhost",
		"--member", "alice@localhost")
	alice.tell(event{Event: "entered", To: "engineering@groups.localhost"})
	alice.on("entered")
	phone := s.peer("bob@localhost/phone", "engineering@groups.localhost")
	phone.send("engineering@groups.localhost", "groupchat", "welcome, browser")
	alice.tell(event{Event: "shown", To: "engineering@groups.localhost", Type: "groupchat", Body: "welcome, browser"})
	alice.on("shown")
	alice.send("engineering@groups.localhost", "groupchat", "!theme Launch")
	alice.tell(event{Event: "shown", To: "engineering@groups.localhost", Type: "groupchat", Body: "New theme: Launch"})
	alice.on("shown")
}
