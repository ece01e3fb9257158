package clients

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// peer is a slixmpp client that is signed in: whom the other clients speak with.
type peer struct {
	t    *testing.T
	in   *json.Encoder
	seen chan event
	had  []event // what came and was not waited for
	errs lockedBuffer
}

// event is a line of peer.py.
type event struct {
	Event string `json:"event,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Type  string `json:"type,omitempty"`
	Body  string `json:"body,omitempty"`
}

// peer signs in to an account and joins rooms.
func (s *server) peer(address string, rooms ...string) *peer {
	s.t.Helper()
	needSlixmpp(s.t)
	c := exec.Command(python, append([]string{"py/peer.py", address}, rooms...)...)
	c.Env = s.env()
	p := &peer{t: s.t, seen: make(chan event, 1000)}
	c.Stderr = &p.errs
	in, err := c.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		s.t.Fatal(err)
	}
	p.in = json.NewEncoder(in)
	go p.read(bufio.NewScanner(out))
	s.t.Cleanup(func() { // it signs out when its input ends
		in.Close()
		kill := time.AfterFunc(patience, func() { c.Process.Kill() })
		defer kill.Stop()
		for range p.seen {
		}
		if err := c.Wait(); err != nil {
			s.t.Errorf("peer.py: %v\n%s", err, &p.errs)
		}
	})
	p.want("it is signed in", func(e event) bool { return e.Event == "ready" })
	return p
}

func (p *peer) read(lines *bufio.Scanner) {
	defer close(p.seen)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil { // slixmpp prints, too
			p.seen <- e
		}
	}
}

// want waits for an event; those before it stay for later.
func (p *peer) want(what string, is func(event) bool) event {
	p.t.Helper()
	for i, e := range p.had {
		if is(e) {
			p.had = append(p.had[:i:i], p.had[i+1:]...)
			return e
		}
	}
	late := time.After(patience)
	for {
		select {
		case e, ok := <-p.seen:
			switch {
			case !ok:
				p.t.Fatalf("the peer ended before %s; it had %+v\n%s", what, p.had, &p.errs)
			case is(e):
				return e
			}
			p.had = append(p.had, e)
		case <-late:
			p.t.Fatalf("not in %v: %s; the peer had %+v\n%s", patience, what, p.had, &p.errs)
		}
	}
}

// message waits for a message from somebody.
func (p *peer) message(from, kind, body string) {
	p.t.Helper()
	p.want(fmt.Sprintf("%s %q from %s", kind, body, from), func(e event) bool {
		return e.Event == "message" && e.Type == kind && e.Body == body && (e.From == from || strings.HasPrefix(e.From, from+"/"))
	})
}

// send sends a message.
func (p *peer) send(to, kind, body string) {
	p.t.Helper()
	if err := p.in.Encode(event{To: to, Type: kind, Body: body}); err != nil {
		p.t.Fatalf("%v\n%s", err, &p.errs)
	}
}
