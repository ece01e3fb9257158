package testrig_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"parley/testrig"
	"parley/webchat"
)

// The bot in docs/api.md answers in a room and to a person.
func TestDocumentedBot(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		if os.Getenv("PARLEY_TEST_REQUIRE_CLIENTS") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no python3")
	}
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```python\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("docs/api.md shows no bot")
	}
	r, _, g := verona(t, "juliet", "benvolio")
	addTo(t, r, g, "juliet")
	addTo(t, r, g, "benvolio")
	robot := r.Browser(t)
	robot.SignIn("benvolio")
	token := newToken(t, robot, "messages:read", "messages:write")
	code := strings.Replace(string(m[1]), "https://chat.example.org",
		"http://"+r.Node.Addr("websocket_plain").String(), 1)
	bot := exec.CommandContext(t.Context(), python, "-c", code)
	bot.Env = append(os.Environ(), "TOKEN="+token)
	var said strings.Builder
	bot.Stderr = &said
	if err := bot.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = bot.Process.Kill()
		_ = bot.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	juliet := newChatter(t, r, "juliet")
	him := "benvolio@" + testrig.Host
	juliet.conversation(him)
	var c webchat.Conversation
	juliet.must("GET", in(him), nil, &c)
	if c.Status == nil || c.Status.Show != "available" {
		juliet.want("presence", func(data string) bool {
			return strings.Contains(data, him) && strings.Contains(data, "available")
		})
	}
	for _, id := range []string{g.Room + "@groups." + testrig.Host, him} {
		juliet.say(id, "Hello in "+id)
		juliet.message(id, func(m webchat.Message, _ bool) bool {
			return m.Text == "Hello in "+id && m.By != nil && m.By.Address == him
		})
	}
}
