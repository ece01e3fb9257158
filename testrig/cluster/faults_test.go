package cluster

import (
	"maps"
	"slices"
	"syscall"
	"testing"
)

// six are the people of the talks, two at each process.
var six = []string{"anna", "ben", "carl", "dora", "emil", "fay"}

// talkers have people talk around all processes: each writes to somebody at another one.
func (c *cluster) talkers(more ...string) *talking {
	c.accounts(append(six, more...)...)
	return c.talk(six, []*process{c.a, c.b, c.c, c.a, c.b, c.c})
}

// gone waits until a client sees of each address that was available that it is not any more.
func (c *client) gone(addresses ...string) {
	c.t.Helper()
	var wants [][]string
	for _, address := range addresses {
		wants = append(wants, []string{"<presence ", "from='" + address + "'", "type='unavailable'"})
	}
	c.each(wants...)
}

// address is where a talker is now.
func (t *talker) address() (at *process, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.conn == nil {
		return nil, ""
	}
	return t.at, t.conn.Address
}

// of gives the talkers who are at a process now, with their addresses.
func (ts *talking) of(p *process) map[*talker]string {
	all := make(map[*talker]string)
	for _, t := range ts.all {
		if at, address := t.address(); at == p {
			all[t] = address
		}
	}
	return all
}

// kill -9 of a node: nothing that was acknowledged is lost or doubled, contacts see that its people are gone, and they
// go on at another one. It comes back on its data folder.
func TestKilled(t *testing.T) {
	c := newCluster(t)
	ts := c.talkers("watcher")
	watcher := c.a.signIn("watcher", "x")
	ts.more(20)
	lost := ts.of(c.c)
	if len(lost) != 2 {
		t.Fatalf("%d people are at C", len(lost))
	}
	c.c.kill()
	watcher.gone(slices.Collect(maps.Values(lost))...)
	for who := range lost {
		who.until("is elsewhere", func() bool { return who.at != nil && who.at != c.c })
	}
	ts.more(20)
	c.c.start()
	back := c.c.signIn("watcher", "back")
	back.say(chat("watcher", "again"))
	back.until("again")
	ts.more(10)
	ts.check(c.c)
}

// SIGSTOP of a node until the others have taken it for dead, and then SIGCONT: the same, and nothing that it says after
// waking is kept or shown. It ends, and starts again under a new incarnation.
func TestStopped(t *testing.T) {
	c := newCluster(t)
	ts := c.talkers("watcher", "zombie")
	watcher := c.a.signIn("watcher", "x")
	zombie := c.c.signIn("zombie", "x")
	ts.more(20)
	lost := ts.of(c.c)
	c.c.signal(syscall.SIGSTOP)
	watcher.gone(zombie.Address) // the others have taken it for dead
	zombie.say(chat("watcher", "brain") + chat("zombie", "own brain") +
		"<presence><show>away</show></presence><presence to='" + watcher.Address + "'><show>dnd</show></presence>")
	for who := range lost {
		who.hangUp() // nothing answers
		who.until("is elsewhere", func() bool { return who.at != nil && who.at != c.c })
	}
	ts.more(20)
	c.c.signal(syscall.SIGCONT)
	c.c.ended()
	if !has(c.c.log.text(), "another server has taken over the database") {
		t.Errorf("it ends with %s", c.c.log.text())
	}
	watcher.say(chat("watcher", "the end"))
	_, before := watcher.read("the end")
	for _, e := range before {
		if has(quoted(e), "brain") || has(quoted(e), "from='"+zombie.Address+"'") && e.Attr("type") != "unavailable" {
			t.Errorf("after it woke it shows %s", e)
		}
	}
	c.c.start()
	for _, name := range []string{"watcher", "zombie"} {
		for _, k := range c.c.signIn(name, "check").archive("") {
			if has(k.key, "brain") {
				t.Errorf("after it woke it keeps %q of %s", k.key, name)
			}
		}
	}
	ts.more(10)
	ts.check(c.c)
}
