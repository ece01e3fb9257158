package muc_test

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

	"parley/muc"
	"parley/org"
	"parley/server"
	"parley/store"
	"parley/store/sqlstore"
	"parley/wire"
	"parley/wire/jid"
)

// rig is a real host with a real store and a room service; clients are sessions whose sockets are recorders.
type rig struct {
	t       testing.TB
	st      *sqlstore.Store
	router  *server.Router
	host    *server.Host
	org     *org.Org
	svc     *muc.Service
	clients map[string]*recorder
	vars    map[string]string
	pings   int
}

const testHost = "example.org"

// newRig starts one; change may adjust the service's configuration.
func newRig(t testing.TB, change ...func(*muc.Config)) *rig {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "parley.db")
	st, err := sqlstore.Open(ctx, "sqlite:"+path, sqlstore.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, st: st, clients: make(map[string]*recorder), vars: make(map[string]string)}
	r.start(change...)
	t.Cleanup(func() {
		r.stop()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// start puts a host and a service on the store, as a process does that begins.
func (r *rig) start(change ...func(*muc.Config)) {
	log := slog.New(slog.NewTextHandler(testLog{r.t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	r.router = server.NewRouter()
	h, err := server.NewHost(server.HostConfig{Domain: testHost, Store: r.st, IDs: new(store.IDs), Router: r.router, Log: log,
		Metrics: server.NewMetrics(prometheus.NewRegistry()), Features: func(*server.Host) []*server.Feature { return nil }})
	if err != nil {
		r.t.Fatal(err)
	}
	r.host = h
	r.org = org.New(r.st, org.Config{})
	c := muc.Config{Domain: "groups." + testHost, Host: h, Store: r.st, Org: r.org, Secret: []byte("secret of the tests"), Defaults: muc.Default}
	for _, f := range change {
		f(&c)
	}
	if r.svc, err = muc.NewService(c); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r.svc.Close(ctx)
	if ctx.Err() != nil {
		r.t.Error("rooms did not end")
	}
}

// restart ends all clients and rooms, and starts a new host on the same store.
func (r *rig) restart(change ...func(*muc.Config)) {
	r.stop()
	r.clients = make(map[string]*recorder)
	r.start(change...)
}

type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "level=ERROR") {
		l.t.Errorf("logged: %s", b)
	}
	return len(b), nil
}

var _ io.Writer = testLog{}

// user makes an account.
func (r *rig) user(names ...string) {
	r.t.Helper()
	for _, name := range names {
		u := store.User{Host: testHost, Name: name, Created: time.Now()}
		if name, ok := strings.CutPrefix(name, "!"); ok {
			u.Name, u.Admin = name, true
		}
		if err := r.st.CreateUser(context.Background(), u); err != nil {
			r.t.Fatal(err)
		}
	}
}

// recorder is a client's socket: what is sent to it waits to be looked at.
type recorder struct {
	rig *rig
	s   *server.Session

	mu   sync.Mutex
	got  []*wire.Element
	more chan struct{}
	shut bool
	n    int
	mute bool // counts only
}

func (c *recorder) Send(st *wire.Stanza, to jid.JID) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.shut {
		return server.ErrClosed
	}
	c.n++
	if !c.mute {
		e, err := wire.ParseElement(st.AppendXML(nil, to, wire.Client), "")
		if err != nil {
			c.rig.t.Errorf("sent to %s: %v: %s", to, err, st.AppendXML(nil, to, wire.Client))
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

func (c *recorder) Close(*wire.StreamError) {}

// login binds a session: "romeo/phone" as actor "romeo".
func (r *rig) login(addresses ...string) {
	r.t.Helper()
	for _, a := range addresses {
		actor, full, ok := strings.Cut(a, "=")
		if !ok {
			actor, full = strings.SplitN(a, "/", 2)[0], a
		}
		name, resource, _ := strings.Cut(full, "/")
		c := &recorder{rig: r, more: make(chan struct{}, 1)}
		s, err := r.host.Bind(context.Background(), name, resource, server.Replace, c, server.SessionInfo{})
		if err != nil {
			r.t.Fatal(err)
		}
		c.s = s
		r.clients[actor] = c
	}
}

// next waits for the client's next stanza.
func (c *recorder) next() *wire.Element {
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

// send has the client send a stanza.
func (c *recorder) send(xml string) { c.sendAt(xml, time.Time{}) }

// sendAt is send of what was received some time ago.
func (c *recorder) sendAt(xml string, at time.Time) {
	st, err := wire.ParseStanza([]byte(root.ReplaceAllString(strings.TrimSpace(xml), "<$1 xmlns='jabber:client'")), wire.Limits{Stanza: 1 << 20})
	if err != nil {
		c.rig.t.Fatalf("%v: %s", err, xml)
	}
	st.From, st.At = c.s.JID, at
	c.rig.host.Sent(context.Background(), c.s, st)
}

// settled gives what has come until now: a ping of an occupant that is not here goes through the room's queue.
func (r *rig) settled(actor, room string) []*wire.Element {
	c := r.clients[actor]
	r.pings++
	id := fmt.Sprint("settle", r.pings)
	c.send(fmt.Sprintf("<iq type='get' id='%s' to='%s/nobody at all'><ping xmlns='urn:xmpp:ping'/></iq>", id, room))
	var es []*wire.Element
	for {
		e := c.next()
		if e == nil {
			r.t.Fatalf("%s: the room %s does not answer", actor, room)
		}
		if e.Attr("id") == id {
			return es
		}
		es = append(es, e)
	}
}

var root = regexp.MustCompile(`^<(\w+)`)

var line = regexp.MustCompile(`^(\w+) (sends|gets nothing|gets|forgets)(?: from (\S+))?:?\s*(.*)$`)

// play plays a script. Each line is one of
//
//	romeo sends: <stanza/>
//	romeo gets: <pattern/>       his next stanza matches it
//	romeo gets nothing from room@groups.example.org
//	romeo forgets from room@groups.example.org      whatever has come until now
//
// and goes on in the lines below it. In a pattern {name} stands for a value that is the same wherever it stands,
// * for any, and an attribute of value - must not be there. A pattern's children must be there, in any order and beside
// others; those in <never/> must not.
func (r *rig) play(script string) {
	r.t.Helper()
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
		c := r.clients[s.actor]
		if c == nil {
			r.t.Fatalf("line %d: nobody is called %s", s.at, s.actor)
		}
		switch s.verb {
		case "sends":
			c.send(r.fill(s.text))
		case "gets":
			want, err := wire.ParseElement([]byte(s.text), wire.NSClient)
			if err != nil {
				r.t.Fatalf("line %d: %v", s.at, err)
			}
			got := c.next()
			if got == nil {
				r.t.Fatalf("line %d: %s gets nothing, not %s", s.at, s.actor, s.text)
			}
			if why := r.match(want, got); why != "" {
				r.t.Fatalf("line %d: %s gets\n%s\nnot\n%s\n%s", s.at, s.actor, got.AppendXML(nil, ""), s.text, why)
			}
		case "gets nothing":
			for _, e := range r.settled(s.actor, s.room) {
				r.t.Fatalf("line %d: %s gets %s", s.at, s.actor, e.AppendXML(nil, ""))
			}
		case "forgets":
			r.settled(s.actor, s.room)
		}
	}
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

func (r *rig) fill(s string) string {
	return variable.ReplaceAllStringFunc(s, func(v string) string { return r.vars[v[1:len(v)-1]] })
}

func (r *rig) same(want, got string) bool {
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
func (r *rig) match(want, got *wire.Element) string {
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
