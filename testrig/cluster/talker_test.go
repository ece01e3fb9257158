package cluster

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley/store"
	"parley/testrig"
)

// sent is a message that a talker has written, each one once.
type sent struct {
	key     string
	acked   bool   // the server said that it was handled (XEP-0198)
	refused string // its error, if it came back
}

// shown is a message of somebody else that a stream has shown live.
type shown struct {
	id   store.ID
	key  string
	late bool // it has waited for a client (XEP-0203)
}

// talker is somebody who writes to somebody else, one message after the other, and to whom a third one writes. When the
// connection ends, the talker signs in at the next process and reads what came after the last id it was told of.
type talker struct {
	t        testing.TB
	name, to string
	homes    []*process // where the talker signs in, the first one that lets them

	all     []*sent
	under   []*sent         // not acknowledged on this stream, in order; nil for what is no message
	acked   uint32          // how many stanzas of this stream
	got     uint32          // how many stanzas came on it
	last    store.ID        // up to here the archive was read
	ahead   store.ID        // what was shown live while it was being read
	known   map[string]bool // archive ids that the talker was told of
	streams [][]shown       // what each stream has shown live
	stop    chan struct{}

	mu      sync.Mutex
	done    int           // how many are acknowledged in all
	signIns int           // how often the talker has signed in
	at      *process      // where the talker is; nil: nowhere
	conn    *client       // to cut it
	moved   chan struct{} // closed when one of these has changed
}

// talk has people write to each other in a ring: the first one of names to the second and so on. Each begins at the
// process of the same place in at.
func (c *cluster) talk(names []string, at []*process) *talking {
	ts := &talking{T: c.T}
	for i, name := range names {
		var homes []*process
		for j, p := range c.all {
			if p == at[i] {
				homes = append(append(homes, c.all[j:]...), c.all[:j]...)
			}
		}
		t := &talker{
			t: c.T, name: name, to: names[(i+1)%len(names)], homes: homes, known: make(map[string]bool),
			stop: make(chan struct{}), moved: make(chan struct{}),
		}
		ts.all = append(ts.all, t)
		ts.work.Go(t.run)
	}
	c.Cleanup(ts.end)
	return ts
}

// talking is all who talk.
type talking struct {
	*testing.T
	all  []*talker
	work sync.WaitGroup
	once sync.Once
}

// end has all finish: what they have sent is acknowledged or came back.
func (ts *talking) end() {
	ts.once.Do(func() {
		for _, t := range ts.all {
			close(t.stop)
		}
	})
	ts.work.Wait()
}

// more waits until each of some has so many more messages acknowledged; all of them, if none are named.
func (ts *talking) more(n int, who ...*talker) {
	ts.Helper()
	if len(who) == 0 {
		who = ts.all
	}
	want := make([]int, len(who))
	for i, t := range who {
		t.mu.Lock()
		want[i] = t.done + n
		t.mu.Unlock()
	}
	for i, t := range who {
		t.until(fmt.Sprintf("has %d acknowledged", want[i]), func() bool { return t.done >= want[i] })
	}
}

// until waits for something that mu guards.
func (t *talker) until(what string, is func() bool) {
	t.t.Helper()
	late := time.After(patience)
	for {
		t.mu.Lock()
		ok, moved := is(), t.moved
		t.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-moved:
		case <-late:
			t.t.Fatalf("%s never %s", t.name, what)
		}
	}
}

// change changes what mu guards.
func (t *talker) change(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f()
	close(t.moved)
	t.moved = make(chan struct{})
}

// hangUp cuts the talker's connection, as somebody does whose server does not answer.
func (t *talker) hangUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn != nil {
		t.conn.Close()
	}
}

// run talks until it is stopped.
func (t *talker) run() {
	late := time.After(patience)
	for !t.stopped() {
		for _, p := range t.homes {
			if p.running() == 0 || t.stopped() {
				continue
			}
			c, err := p.connect(t.name, testrig.Password, "")
			if err == nil {
				t.change(func() { t.at, t.conn, t.signIns = p, c, t.signIns+1 })
				if t.stream(c) {
					late = time.After(patience)
				}
				c.Close()
				t.change(func() { t.at, t.conn = nil, nil })
			}
		}
		select {
		case <-late:
			t.t.Errorf("%s can sign in nowhere", t.name)
			return
		default:
		}
	}
}

func (t *talker) stopped() bool {
	select {
	case <-t.stop:
		return true
	default:
		return false
	}
}

const (
	window = 4                     // how many messages a talker has under way
	pace   = 15 * time.Millisecond // between two messages of a talker: six leave the processes time to hear each other
)

// stream talks over one connection until it ends or the talker is stopped; it says whether anything was acknowledged.
func (t *talker) stream(c *client) (any bool) {
	t.under, t.acked, t.got, t.ahead = nil, 0, 0, 0
	t.streams = append(t.streams, nil)
	before := t.done
	next := time.NewTicker(pace)
	defer next.Stop()
	if c.Write("<enable xmlns='urn:xmpp:sm:3'/>") != nil || !t.hear(c, "enabled") {
		return false
	}
	if !t.write(c, nil, "<presence/>") || !t.catchUp(c) {
		return false
	}
	for {
		for !t.stopped() && len(t.under) < window {
			<-next.C
			m := &sent{key: t.name + "-" + strconv.Itoa(len(t.all))}
			t.all = append(t.all, m)
			if !t.write(c, m, chat(t.to, m.key)) {
				return t.done > before
			}
		}
		if t.stopped() && len(t.under) == 0 {
			_ = c.Write(t.have() + "</stream:stream>") // it may be gone
			return true
		}
		if !t.hear(c, "") {
			return t.done > before
		}
	}
}

// write sends a stanza, and asks how many are handled.
func (t *talker) write(c *client, m *sent, xml string) bool {
	t.under = append(t.under, m)
	return c.Write(xml+"<r xmlns='urn:xmpp:sm:3'/>") == nil
}

// hear takes elements until one of that name came; "" is any. It returns false if the connection is over.
func (t *talker) hear(c *client, name string) bool {
	for {
		e := t.next(c)
		if e == nil {
			return false
		}
		if name == "" || e.Name.Local == name {
			t.last = max(t.last, t.ahead)
			return true
		}
	}
}

// next takes an element; nil if the connection is over.
func (t *talker) next(c *client) *testrig.Element {
	e, err := c.Next()
	if err != nil {
		return nil
	}
	switch e.Name.Local {
	case "message", "presence", "iq":
		t.got++
	}
	switch e.Name.Local {
	case "a":
		t.handled(e.Attr("h"))
	case "r":
		_ = c.Write(t.have()) // if it fails, the next read does
	case "message":
		t.message(e)
	}
	return e
}

// have says how many stanzas have come.
func (t *talker) have() string { return fmt.Sprintf("<a xmlns='urn:xmpp:sm:3' h='%d'/>", t.got) }

func (t *talker) handled(h string) {
	n, err := strconv.ParseUint(h, 10, 32)
	if err != nil || int(uint32(n)-t.acked) > len(t.under) {
		t.t.Errorf("%s: %q are handled of %d", t.name, h, int(t.acked)+len(t.under))
		return
	}
	for ; t.acked < uint32(n); t.acked++ {
		if m := t.under[0]; m != nil {
			m.acked = true
			t.change(func() { t.done++ })
		}
		t.under = t.under[1:]
	}
}

// message takes a message, live or of the archive.
func (t *talker) message(e *testrig.Element) {
	if e.Attr("type") == "error" {
		for _, m := range t.all {
			if m.key == e.Attr("id") {
				m.refused = condition(e)
			}
		}
		return
	}
	if r := e.Find("result"); r != nil && r.Name.Space == "urn:xmpp:mam:2" {
		t.last = max(t.last, t.told(r.Attr("id")))
		return
	}
	body := e.Find("body")
	id := archiveID(e, t.name)
	if body == nil || id == "" {
		t.t.Errorf("%s gets a message that is in no archive: %s", t.name, e)
		return
	}
	n := len(t.streams) - 1
	t.streams[n] = append(t.streams[n], shown{t.told(id), body.Text, e.Find("delay") != nil})
	t.ahead = max(t.ahead, t.streams[n][len(t.streams[n])-1].id)
}

// told notes an id of the archive.
func (t *talker) told(s string) store.ID {
	id, err := store.ParseID(s)
	if err != nil {
		t.t.Errorf("%s: %v: %q", t.name, err, s)
	}
	t.known[s] = true
	return id
}

// catchUp reads what came after the last id that the talker was told of. What is shown live meanwhile comes after it.
func (t *talker) catchUp(c *client) bool {
	for {
		set := ""
		if t.last != 0 {
			set = "<after>" + t.last.String() + "</after>"
		}
		if !t.write(c, nil, "<iq type='set' id='up'><query xmlns='urn:xmpp:mam:2'>"+
			"<set xmlns='http://jabber.org/protocol/rsm'><max>200</max>"+set+"</set></query></iq>") {
			return false
		}
		var e *testrig.Element
		for e == nil || e.Name.Local != "iq" || e.Attr("id") != "up" {
			if e = t.next(c); e == nil {
				return false
			}
		}
		fin := e.Find("fin")
		if fin == nil {
			return false // the database does not answer
		}
		if fin.Attr("complete") == "true" {
			return true
		}
	}
}
