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

// peer is a client in a process of its own, which takes orders and reports what it sees.
type peer struct {
	t    *testing.T
	name string
	in   *json.Encoder
	seen chan event
	had  []event // events that came while it waited for others
	errs lockedBuffer
}

// event is a line of JSON that a peer reads or prints.
type event struct {
	Event string `json:"event,omitempty"`
	From  string `json:"from,omitempty"`
	To    string `json:"to,omitempty"`
	Type  string `json:"type,omitempty"`
	Body  string `json:"body,omitempty"`
}

// peer is a slixmpp client, signed in and in rooms: the other clients talk with it.
func (s *server) peer(address string, rooms ...string) *peer {
	s.t.Helper()
	needSlixmpp(s.t)
	c := exec.Command(python, append([]string{"py/peer.py", address}, rooms...)...)
	c.Env = s.env()
	p := s.start(c, address)
	p.on("ready")
	return p
}

// start starts a peer. It signs out and ends when its input does, which is when the test is over.
func (s *server) start(c *exec.Cmd, name string) *peer {
	s.t.Helper()
	p := &peer{t: s.t, name: name, seen: make(chan event, 1000)}
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
	s.t.Cleanup(func() {
		in.Close()
		kill := time.AfterFunc(patience, func() { c.Process.Kill() })
		defer kill.Stop()
		for range p.seen {
		}
		if err := c.Wait(); err != nil {
			s.t.Errorf("%s: %v\n%s", name, err, p.errs.String())
		}
	})
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
				p.t.Fatalf("%s ended before %s; it had %+v\n%s", p.name, what, p.had, p.errs.String())
			case is(e):
				return e
			}
			p.had = append(p.had, e)
		case <-late:
			p.t.Fatalf("%s waited %v for %s; it had %+v\n%s", p.name, patience, what, p.had, p.errs.String())
		}
	}
}

// message waits for a message from somebody.
func (p *peer) message(from, kind, body string) {
	p.t.Helper()
	p.want(fmt.Sprintf("%s %q from %s", kind, body, from), func(e event) bool {
		return e.Event == "message" && e.Type == kind && e.Body == body &&
			(e.From == from || strings.HasPrefix(e.From, from+"/"))
	})
}

// send makes the peer send a message.
func (p *peer) send(to, kind, body string) {
	p.t.Helper()
	p.tell(event{Event: "send", To: to, Type: kind, Body: body})
}

// tell gives the peer an order.
func (p *peer) tell(e event) {
	p.t.Helper()
	if err := p.in.Encode(e); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.errs.String())
	}
}

// on waits for an event that has only a name.
func (p *peer) on(name string) event {
	p.t.Helper()
	return p.want(name, func(e event) bool { return e.Event == name })
}
