package clients

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"
)

// hearsTheFront has bob do with the API what the chat in the browser does with it, and looks for it in the database
// that Dino shows: a message, a reply to it, a reaction, and a correction. Dino 0.4 takes a correction of somebody's
// last message only, and does not find what a reply refers to once that is corrected.
func hearsTheFront(s *server, database string) {
	s.t.Helper()
	w := s.writer("bob")
	first := w.say("Shall I compare thee to a summer's day?", "")
	w.dinoHas(database, "SELECT count(*) FROM message WHERE body LIKE '%summer''s day?'")
	second := w.say("and more temperate", first)
	w.dinoHas(database, `SELECT count(*) FROM message m JOIN reply r ON r.message_id = m.id
		WHERE m.body LIKE '%and more temperate' AND r.quoted_message_id IS NOT NULL`)
	w.ask("PUT", "/"+first+"/reactions", map[string]any{"emoji": []string{"\U0001F339"}}, nil)
	w.dinoHas(database, "SELECT count(*) FROM reaction WHERE emojis LIKE '%\U0001F339%'")
	w.ask("PUT", "/"+second, map[string]any{"text": "Thou art fairer"}, nil)
	w.dinoHas(database, `SELECT count(*) FROM message m JOIN message_correction c ON c.message_id = m.id
		WHERE m.body LIKE '%Thou art fairer'`)
}

// writer is somebody who writes in the group's room by the API.
type writer struct {
	*server
	http  http.Client
	token string
}

func (s *server) writer(name string) *writer {
	s.t.Helper()
	said := s.parley("", "token", "create", name+"@localhost", "front", "--scope", "messages:read",
		"--scope", "messages:write")
	token := regexp.MustCompile(`parley_\w+`).FindString(said)
	if token == "" {
		s.t.Fatalf("no token: %s", said)
	}
	ca, err := os.ReadFile(s.welcome["ca"])
	if err != nil {
		s.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &writer{server: s, http: http.Client{Transport: transport, Timeout: patience}, token: token}
}

// ask asks for something below the messages of the room.
func (w *writer) ask(method, path string, body, to any) {
	w.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	q, err := http.NewRequest(method, "https://localhost:"+w.port("websocket")+"/api/v1/conversations/"+
		url.PathEscape(room)+"/messages"+path, bytes.NewReader(text))
	if err != nil {
		w.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+w.token)
	q.Header.Set("Content-Type", "application/json")
	res, err := w.http.Do(q)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(res.Body); err != nil || res.StatusCode >= 300 {
		w.t.Fatalf("%s %s: %s %v\n%s", method, path, res.Status, err, answer.String())
	}
	if to != nil {
		if err := json.Unmarshal(answer.Bytes(), to); err != nil {
			w.t.Fatal(err)
		}
	}
}

// say writes a message, in reply to another if that is not "", and gives its id.
func (w *writer) say(text, reply string) string {
	w.t.Helper()
	body := map[string]any{"text": text}
	if reply != "" {
		body["reply"] = reply
	}
	var m struct {
		ID string `json:"id"`
	}
	w.ask("POST", "", body, &m)
	return m.ID
}

// dinoHas waits until a question about Dino's database counts something.
func (w *writer) dinoHas(database, question string) {
	w.t.Helper()
	const ask = `import sqlite3, sys
print(sqlite3.connect("file:" + sys.argv[1] + "?mode=ro", uri=True).execute(sys.argv[2]).fetchone()[0])`
	late := time.Now().Add(patience)
	for {
		out, err := exec.Command(python, "-c", ask, database, question).CombinedOutput()
		if n := strings.TrimSpace(string(out)); err == nil && n != "0" {
			return
		}
		if time.Now().After(late) {
			w.t.Fatal(fmt.Errorf("dino does not have it: %s: %s %v", question, out, err))
		}
		time.Sleep(100 * time.Millisecond)
	}
}
