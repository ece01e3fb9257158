package testrig

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/config"
)

var (
	variable  = regexp.MustCompile(`\{(\w+)\}`)
	statement = regexp.MustCompile(`^(\S+) (sends raw|sends|gets nothing|gets|forgets|signs in|connects|is closed|ends with|cuts|says hello|encrypts|authenticates|binds|acknowledges nothing)(?: from (\S+))?(?: (?:as|over|to) ([^:]*?))?(?::\s*(.*))?$`)
)

// step is one statement of a script.
type step struct {
	at                     int
	actor, verb, room, arg string
	text                   string
}

// Script is a parsed script. README.md describes the language.
type Script struct {
	accounts []string
	config   [][2]string
	steps    []step
}

// Parse reads a script.
func Parse(text string) (*Script, error) {
	s := &Script{}
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		switch rest, ok := "", false; {
		case l == "" || strings.HasPrefix(l, "#"):
		case cut(l, "account ", &rest, &ok):
			s.accounts = append(s.accounts, strings.Fields(rest)...)
		case cut(l, "config ", &rest, &ok):
			k, v, _ := strings.Cut(rest, "=")
			s.config = append(s.config, [2]string{strings.TrimSpace(k), strings.TrimSpace(v)})
		case cut(l, "administrator does: ", &rest, &ok), cut(l, "administrator cannot: ", &rest, &ok):
			verb, _, _ := strings.Cut(l, ":")
			s.steps = append(s.steps, step{at: i + 1, verb: verb, arg: rest})
		case l == "restart", l == "crash":
			s.steps = append(s.steps, step{at: i + 1, verb: l})
		default:
			if m := statement.FindStringSubmatch(l); m != nil && !strings.HasPrefix(l, "<") {
				s.steps = append(s.steps, step{i + 1, m[1], m[2], m[3], m[4], m[5]})
			} else if len(s.steps) > 0 && s.steps[len(s.steps)-1].text != "" && strings.HasPrefix(l, "<") {
				s.steps[len(s.steps)-1].text += "\n" + l
			} else {
				return nil, fmt.Errorf("line %d says nothing: %s", i+1, l)
			}
		}
	}
	return s, nil
}

func cut(l, prefix string, rest *string, ok *bool) bool {
	*rest, *ok = strings.CutPrefix(l, prefix)
	return *ok
}

// player plays one script on one rig.
type player struct {
	t       *testing.T
	rig     *Rig
	clients map[string]*Client
	vars    vars
	pings   int
	file    string
	places  map[string]*Rig // where actors connect
}

// Play runs the script of a file on a node of its own.
func Play(t *testing.T, file string) {
	t.Helper()
	s := scriptOf(t, file)
	if n := Nodes(); n > 1 && !s.restarts() {
		s.playOn(t, file, n)
		return
	}
	Start(t, s.configure(t, file)).play(t, file, s)
}

// scriptOf reads the script of a file.
func scriptOf(t *testing.T, file string) *Script {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(string(text))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return s
}

// playOn plays the script with its actors on several nodes.
func (s *Script) playOn(t *testing.T, file string, nodes int) Crossing {
	t.Helper()
	r := StartNodes(t, nodes, s.configure(t, file))
	r.play(t, file, s)
	return r.crossing()
}

// configure gives the function that sets what a script wants to be set.
func (s *Script) configure(t *testing.T, file string) func(*config.Config) {
	return func(c *config.Config) {
		for _, kv := range s.config {
			if err := c.Set(kv[0], kv[1]); err != nil {
				t.Fatalf("%s: config %s: %v", file, kv[0], err)
			}
		}
	}
}

// restarts says whether the server starts again in the script: it is about one node then.
func (s *Script) restarts() bool {
	return slices.ContainsFunc(s.steps, func(st step) bool { return st.verb == "restart" || st.verb == "crash" })
}

// Run plays the text of a script on this node. Its clients stay until the test ends, or their
// resources are bound again.
func (r *Rig) Run(t *testing.T, text string) {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	p := r.player(t, "script", s)
	t.Cleanup(p.close)
}

func (r *Rig) play(t *testing.T, file string, s *Script) {
	t.Helper()
	r.player(t, file, s).close()
}

func (r *Rig) player(t *testing.T, file string, s *Script) *player {
	t.Helper()
	p := &player{
		t:       t,
		rig:     r,
		clients: make(map[string]*Client),
		vars:    vars{"host": Host, "second": Second},
		file:    file,
	}
	r.Account(s.accounts...)
	for _, st := range s.steps {
		if err := p.do(st); err != nil {
			t.Fatalf("%s:%d: %s %s: %v", file, st.at, st.actor, st.verb, err)
		}
	}
	return p
}

func (p *player) close() {
	for _, c := range p.clients {
		c.Close()
	}
}

func (p *player) do(s step) error {
	if strings.HasPrefix(s.verb, "administrator ") {
		return p.administer(s)
	}
	if s.verb == "restart" || s.verb == "crash" {
		if s.verb == "crash" {
			p.rig.Crash()
		} else {
			p.rig.Restart()
		}
		p.clients = make(map[string]*Client)
		return nil
	}
	if s.verb == "signs in" || s.verb == "connects" {
		return p.arrive(s)
	}
	c := p.clients[s.actor]
	if c == nil {
		return fmt.Errorf("nobody is called %s", s.actor)
	}
	switch s.verb {
	case "sends":
		return c.Write(p.stanza(c, s.text))
	case "sends raw":
		c.Listen()
		return c.Write(p.vars.fill(s.text))
	case "says hello":
		return c.Begin()
	case "encrypts":
		return c.StartTLS()
	case "authenticates":
		return p.authenticate(c, s.arg)
	case "binds":
		return c.Bind(s.arg)
	case "gets":
		return p.gets(c, s.text)
	case "gets nothing":
		es, err := p.settled(c, s.room)
		if err == nil && len(es) > 0 {
			err = fmt.Errorf("but %s", es[0])
		}
		return err
	case "forgets":
		_, err := p.settled(c, s.room)
		return err
	case "ends with":
		return p.ends(c, s.text)
	case "is closed":
		e, err := c.Next()
		if err == nil {
			return fmt.Errorf("but gets %s", e)
		}
		return nil
	case "cuts":
		c.Close()
		return nil
	}
	return fmt.Errorf("nothing is known of that")
}

// arrive is `romeo signs in as romeo/phone` (bound), `x connects over tcp`, `x connects to tls`.
func (p *player) arrive(s step) error {
	door, who := "tcp", s.arg
	if a, d, ok := strings.Cut(s.arg, " over "); ok {
		who, door = a, d
	}
	if s.verb == "connects" {
		if s.arg != "" {
			door = s.arg
		}
		c, err := p.at(s.actor).Connect(door, Host)
		p.clients[s.actor] = c
		if err == nil && s.text != "" {
			c.host = s.text
		}
		return err
	}
	if who == "" {
		who = s.actor + "/" + s.actor
	}
	bare, resource, _ := strings.Cut(who, "/")
	name, host, ok := strings.Cut(bare, "@")
	if !ok {
		host = Host
	}
	c, err := p.at(s.actor).Connect(door, host)
	if err != nil {
		return err
	}
	if err := c.SignIn(name, Password); err != nil {
		return err
	}
	p.clients[s.actor] = c
	return c.Bind(resource)
}

func (p *player) authenticate(c *Client, who string) error {
	name, password, ok := strings.Cut(who, " with ")
	if !ok {
		password = Password
	}
	return c.SignIn(name, password)
}

var rootName = regexp.MustCompile(`^<(message|presence|iq)\b`)

// stanza returns a client's stanza: over WebSocket each has its namespace.
func (p *player) stanza(c *Client, text string) string {
	text = p.vars.fill(strings.TrimSpace(text))
	if c.ws != nil {
		text = rootName.ReplaceAllString(text, "<$1 xmlns='jabber:client'")
	}
	return text
}

func (p *player) gets(c *Client, text string) error {
	want, err := parse(text, "jabber:client")
	if err != nil {
		return err
	}
	got, err := c.Next()
	if err != nil {
		return err
	}
	if why := p.vars.match(want, got); why != "" {
		return fmt.Errorf("\n%s\nnot\n%s\n%s", got, strings.TrimSpace(text), why)
	}
	return nil
}

// settled returns the stanzas that a client has got once everything sent before has had its effect: every client has
// had an answer from its server, and from the room if one is named.
func (p *player) settled(c *Client, room string) ([]*Element, error) {
	for _, o := range p.clients {
		if (o != c || len(p.rig.beside) > 0) && o.Address != "" {
			if err := p.pass(o); err != nil {
				return nil, err
			}
		}
	}
	if err := p.rig.flush(p.t.Context()); err != nil {
		return nil, err
	}
	to, payload := c.host, "urn:xmpp:ping"
	if room != "" {
		to = room + "/nobody at all"
	}
	return p.until(c, to, payload)
}

// pass has a client wait for its server without losing what it gets.
func (p *player) pass(c *Client) error {
	es, err := p.until(c, c.host, "urn:xmpp:ping")
	c.mu.Lock()
	c.got = append(es, c.got...)
	c.mu.Unlock()
	if err != nil { // its stream is over
		c.Address = ""
	}
	return nil
}

func (p *player) until(c *Client, to, ns string) ([]*Element, error) {
	p.pings++
	id := fmt.Sprintf("settle%d", p.pings)
	if err := c.Write(p.stanza(c, fmt.Sprintf("<iq type='get' id='%s' to='%s'><ping xmlns='%s'/></iq>",
		id, to, ns))); err != nil {
		return nil, err
	}
	var es []*Element
	for {
		e, err := c.Next()
		if err != nil {
			return es, err
		}
		if e.Attr("id") == id {
			return es, nil
		}
		es = append(es, e)
	}
}

// ends expects a stream error of this condition, then the end of the stream; it skips stanzas before.
func (p *player) ends(c *Client, condition string) error {
	condition = strings.Trim(strings.TrimSpace(condition), "<>/")
	for {
		e, err := c.Next()
		if err != nil {
			return fmt.Errorf("no stream error: %w", err)
		}
		if e.Name.Local != "error" || e.Name.Space != nsStream {
			continue
		}
		if len(e.Children) == 0 || e.Children[0].Name.Local != condition {
			return fmt.Errorf("but with %s", e)
		}
		for {
			e, err := c.Next()
			if err != nil {
				return nil
			}
			if e.Name.Local != "close" {
				return fmt.Errorf("something after the error: %s", e)
			}
		}
	}
}
