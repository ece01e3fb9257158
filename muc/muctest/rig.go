// Package muctest plays scripts against a service of rooms: on a real host with a real store, with clients that are
// sessions whose sockets are recorders. It is for tests alone.
package muctest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
	"parley/wire/jid"
)

// Domain is the host's. Rooms are at "groups." and it.
const Domain = "example.org"

// Join is the payload of a presence that enters a room.
const Join = `<x xmlns='http://jabber.org/protocol/muc'/>`

// Rig is one host on a store, with the service that the Open given to New opens on it.
type Rig struct {
	T       testing.TB
	Store   *sqlstore.Store
	Router  *server.Router
	Host    *server.Host
	Clients map[string]*Client // by the names that scripts have for them

	open  Open
	close func(ctx context.Context)
	vars  map[string]string
	pings int
}

// Open makes the services of a host, and gives what closes them.
type Open func(r *Rig) (closing func(ctx context.Context), err error)

// New starts a host. It ends with the test, which fails if anything is logged as an error.
func New(t testing.TB, open Open) *Rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.db")
	st, err := sqlstore.Open(context.Background(), "sqlite:"+path, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{T: t, Store: st, open: open, vars: make(map[string]string)}
	r.start()
	t.Cleanup(func() {
		r.stop()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// start puts a host and its services on the store, as a process does that begins.
func (r *Rig) start() {
	log := slog.New(slog.NewTextHandler(testLog{r.T}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	r.Clients = make(map[string]*Client)
	r.Router = server.NewRouter()
	h, err := server.NewHost(server.HostConfig{
		Domain:   Domain,
		Store:    r.Store,
		IDs:      new(store.IDs),
		Router:   r.Router,
		Log:      log,
		Metrics:  server.NewMetrics(prometheus.NewRegistry()),
		Features: func(*server.Host) []*server.Feature { return nil },
	})
	if err != nil {
		r.T.Fatal(err)
	}
	r.Host = h
	if r.close, err = r.open(r); err != nil {
		r.T.Fatal(err)
	}
}

func (r *Rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r.close(ctx)
	if ctx.Err() != nil {
		r.T.Error("rooms did not end")
	}
}

// Restart ends all clients and services, and starts a new host on the same store.
func (r *Rig) Restart() {
	r.stop()
	r.start()
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "level=ERROR") {
		l.t.Errorf("logged: %s", b)
	}
	return len(b), nil
}

var _ io.Writer = testLog{}

// User makes an account.
func (r *Rig) User(names ...string) {
	r.T.Helper()
	for _, name := range names {
		u := store.User{Host: Domain, Name: name, Created: time.Now()}
		if name, ok := strings.CutPrefix(name, "!"); ok {
			u.Name, u.Admin = name, true
		}
		if err := r.Store.CreateUser(context.Background(), u); err != nil {
			r.T.Fatal(err)
		}
	}
}

// Client is a client's socket: stanzas sent to it wait until somebody looks at them.
type Client struct {
	rig     *Rig
	Session *server.Session

	mu   sync.Mutex
	got  []*wire.Element
	more chan struct{}
	shut bool
	n    int
	mute bool // counts only
}

// Send is the socket's: it takes what the server sends to the client.
func (c *Client) Send(st *wire.Stanza, to jid.JID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return server.ErrClosed
	}
	c.n++
	if !c.mute {
		e, err := wire.ParseElement(st.AppendXML(nil, to, wire.Client), "")
		if err != nil {
			c.rig.T.Errorf("sent to %s: %v: %s", to, err, st.AppendXML(nil, to, wire.Client))
			return nil
		}
		c.got = append(c.got, e)
	}
	select {
	case c.more <- struct{}{}:
	default:
	}
	return nil
}

// Close is the socket's.
func (c *Client) Close(*wire.StreamError) {}

// Login binds a session: "romeo/phone" as actor "romeo".
func (r *Rig) Login(addresses ...string) {
	r.T.Helper()
	for _, a := range addresses {
		actor, full, ok := strings.Cut(a, "=")
		if !ok {
			actor, full = strings.SplitN(a, "/", 2)[0], a
		}
		name, resource, _ := strings.Cut(full, "/")
		c := &Client{rig: r, more: make(chan struct{}, 1)}
		s, err := r.Host.Bind(context.Background(), name, resource, server.Replace, c, server.SessionInfo{})
		if err != nil {
			r.T.Fatal(err)
		}
		c.Session = s
		r.Clients[actor] = c
	}
}

// Next waits for the client's next stanza.
func (c *Client) Next() *wire.Element {
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	for {
		c.mu.Lock()
		if len(c.got) > 0 {
			e := c.got[0]
			c.got = c.got[1:]
			c.mu.Unlock()
			return e
		}
		c.mu.Unlock()
		select {
		case <-c.more:
		case <-t.C:
			return nil
		}
	}
}

// Sends has the client send a stanza.
func (c *Client) Sends(xml string) { c.SendsAt(xml, time.Time{}) }

// SendsAt is Sends for a stanza that the server received at a given time.
func (c *Client) SendsAt(xml string, at time.Time) {
	st, err := wire.ParseStanza([]byte(root.ReplaceAllString(strings.TrimSpace(xml), "<$1 xmlns='jabber:client'")),
		wire.Limits{Stanza: 1 << 20})
	if err != nil {
		c.rig.T.Fatalf("%v: %s", err, xml)
	}
	st.From, st.At = c.Session.JID, at
	c.rig.Host.Sent(context.Background(), c.Session, st)
}

// Settled returns the stanzas that have come until now: a ping of an occupant that is not here goes through the room's
// queue first.
func (r *Rig) Settled(actor, room string) []*wire.Element {
	c := r.Clients[actor]
	r.pings++
	id := fmt.Sprint("settle", r.pings)
	c.Sends(fmt.Sprintf("<iq type='get' id='%s' to='%s/nobody at all'><ping xmlns='urn:xmpp:ping'/></iq>", id, room))
	var es []*wire.Element
	for {
		e := c.Next()
		if e == nil {
			r.T.Fatalf("%s: the room %s does not answer", actor, room)
		}
		if e.Attr("id") == id {
			return es
		}
		es = append(es, e)
	}
}

var root = regexp.MustCompile(`^<(\w+)`)

var line = regexp.MustCompile(`^(\w+) (sends|gets nothing|gets|forgets)(?: from (\S+))?:?\s*(.*)$`)

// Play plays a script. Each line is one of
//
//	romeo sends: <stanza/>
//	romeo gets: <pattern/>       his next stanza matches it
//	romeo gets nothing from room@groups.example.org
//	romeo forgets from room@groups.example.org      whatever has come until now
//
// and goes on in the lines below it. In a pattern {name} stands for a value that is the same wherever it stands,
// * for any, and an attribute of value - must not be there. A pattern's children must be there, in any order and beside
// others; those in <never/> must not.
func (r *Rig) Play(script string) {
	r.T.Helper()
	type step struct {
		at                      int
		actor, verb, room, text string
	}
	var steps []step
	for i, l := range strings.Split(script, "\n") {
		l = strings.TrimSpace(l)
		if m := line.FindStringSubmatch(l); m != nil {
			steps = append(steps, step{i + 1, m[1], m[2], m[3], m[4]})
		} else if l != "" && !strings.HasPrefix(l, "#") {
			steps[len(steps)-1].text += " " + l
		}
	}
	for _, s := range steps {
		c := r.Clients[s.actor]
		if c == nil {
			r.T.Fatalf("line %d: nobody is called %s", s.at, s.actor)
		}
		switch s.verb {
		case "sends":
			c.Sends(r.fill(s.text))
		case "gets":
			want, err := wire.ParseElement([]byte(s.text), wire.NSClient)
			if err != nil {
				r.T.Fatalf("line %d: %v", s.at, err)
			}
			got := c.Next()
			if got == nil {
				r.T.Fatalf("line %d: %s gets nothing, not %s", s.at, s.actor, s.text)
			}
			if why := r.match(want, got); why != "" {
				r.T.Fatalf("line %d: %s gets\n%s\nnot\n%s\n%s", s.at, s.actor, got.AppendXML(nil, ""), s.text, why)
			}
		case "gets nothing":
			for _, e := range r.Settled(s.actor, s.room) {
				r.T.Fatalf("line %d: %s gets %s", s.at, s.actor, e.AppendXML(nil, ""))
			}
		case "forgets":
			r.Settled(s.actor, s.room)
		}
	}
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

func (r *Rig) fill(s string) string {
	return variable.ReplaceAllStringFunc(s, func(v string) string { return r.vars[v[1:len(v)-1]] })
}

func (r *Rig) same(want, got string) bool {
	if want == "*" {
		return got != ""
	}
	if want == "-" {
		return got == ""
	}
	if m := variable.FindStringSubmatch(want); m != nil && m[0] == want {
		if old, ok := r.vars[m[1]]; ok {
			return old == got
		}
		r.vars[m[1]] = got
		return got != ""
	}
	return want == got
}

// match says why got does not match want; "" if it does.
func (r *Rig) match(want, got *wire.Element) string {
	if want.Name != got.Name {
		return fmt.Sprintf("%v is not %v", got.Name, want.Name)
	}
	for _, a := range want.Attrs {
		v := ""
		for _, b := range got.Attrs {
			if a.Name == b.Name {
				v = b.Value
			}
		}
		if !r.same(a.Value, v) {
			return fmt.Sprintf("%s of <%s>: %q, not %q", a.Name.Local, want.Name.Local, v, a.Value)
		}
	}
	if text := strings.TrimSpace(want.Text()); text != "" && len(want.Elements()) == 0 && !r.same(text, got.Text()) {
		return fmt.Sprintf("<%s> has %q, not %q", want.Name.Local, got.Text(), text)
	}
	for _, w := range want.Elements() {
		if w.Name.Local == "never" {
			for _, n := range w.Elements() {
				for _, g := range got.Elements() {
					if r.match(n, g) == "" {
						return fmt.Sprintf("there is %s", g.AppendXML(nil, ""))
					}
				}
			}
			continue
		}
		why := fmt.Sprintf("there is no <%s xmlns='%s'>", w.Name.Local, w.Name.Space)
		for _, g := range got.Elements() {
			if w.Name == g.Name {
				if y := r.match(w, g); y == "" {
					why = ""
					break
				} else {
					why = y
				}
			}
		}
		if why != "" {
			return why
		}
	}
	return ""
}

// Shut has the client's socket refuse whatever is sent to it.
func (c *Client) Shut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = true
}

// Mute has the client only count what it gets, from nothing on.
func (c *Client) Mute() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mute, c.n = true, 0
}

// Crowd has n people signed in whose clients only count: u0, u1 and so on.
func (r *Rig) Crowd(n int) {
	r.T.Helper()
	for i := range n {
		name := fmt.Sprintf("u%d", i)
		r.User(name)
		r.Login(name + "/x")
		r.Clients[name].Mute()
	}
}

// Fill has n of the crowd enter a room that romeo is in.
func (r *Rig) Fill(n int, address string) {
	r.T.Helper()
	r.Clients["romeo"].Mute()
	for i := range n {
		who := fmt.Sprintf("u%d", i)
		r.Clients[who].Sends(fmt.Sprintf("<presence to='%s/%s'>%s</presence>", address, who, Join))
		r.WaitFor(who, 3) // the presence of romeo, its own presence, and the subject
	}
	for i := range n {
		r.Clients[fmt.Sprintf("u%d", i)].Mute()
	}
	r.Clients["romeo"].Mute()
}

// WaitFor waits until somebody's client has got n stanzas, and sets its count back.
func (r *Rig) WaitFor(actor string, n int) {
	r.T.Helper()
	c := r.Clients[actor]
	t := time.NewTimer(time.Minute)
	defer t.Stop()
	for {
		c.mu.Lock()
		got := c.n
		if got >= n {
			c.n = 0
		}
		c.mu.Unlock()
		if got >= n {
			return
		}
		select {
		case <-c.more:
		case <-t.C:
			r.T.Fatalf("%s got %d of %d", actor, got, n)
		}
	}
}
