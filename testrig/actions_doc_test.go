package testrig_test

import (
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/webchat"
)

// The program in docs/api.md that makes tickets of messages takes what is signed, and answers in the conversation.
func TestDocumentedAction(t *testing.T) {
	t.Parallel()
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
	var code string
	for _, m := range regexp.MustCompile("(?s)```python\n(.*?)```").FindAllSubmatch(text, -1) {
		if strings.Contains(string(m[1]), "Parley-Signature") {
			code = string(m[1])
		}
	}
	if code == "" {
		t.Fatal("docs/api.md shows no program of an action")
	}
	a := startActing(t, askingPrograms)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	a.p.URL = "http://" + address
	made := a.define("")
	tickets := exec.CommandContext(t.Context(), python, "-c", code)
	tickets.Env = append(os.Environ(), "SECRET="+made.Secret, "PORT="+address[strings.LastIndexByte(address, ':')+1:])
	var said strings.Builder
	tickets.Stderr = &said
	if err := tickets.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = tickets.Process.Kill()
		_ = tickets.Wait()
		if t.Failed() {
			t.Log(said.String())
		}
	})
	for end := time.Now().Add(30 * time.Second); ; {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	juliet := newChatter(t, a.Rig, "juliet")
	m := juliet.say(a.room, "The ladder is broken")
	var got webchat.ActionAnswer
	juliet.must("POST", on(a.room, m.ID, made.ID), webchat.ActionUse{}, &got)
	if got.Visible != "conversation" || got.Text != "Ticket 7: The ladder is broken" {
		t.Errorf("%+v", got)
	}
	a.admin.want(200, "POST", "/v1/actions/"+made.ID+"/secret", "", nil)
	if status := apiOfAll(t, a.Rig, "juliet")[0].do("POST", "/v1"+on(a.room, m.ID, made.ID), `{}`, nil); status != 503 {
		t.Errorf("with another secret: %d", status)
	}
}
