package cluster

import (
	"testing"
	"time"
)

// A node that hears no other one, and that none hears, is the minority: the others take it for dead, it ends, and its
// people go on elsewhere. Meanwhile it lets nobody do what was taken away.
func TestAlone(t *testing.T) {
	c := newCluster(t)
	ts := c.talkers("watcher", "victim")
	watcher := c.a.signIn("watcher", "x")
	victim := c.c.signIn("victim", "x")
	ts.more(20)
	lost := ts.of(c.c)
	c.alone(c.c, silent)
	c.a.parley("", "user", "disable", "victim@example.org")
	_ = victim.Write(chat("watcher", "from the minority")) // it may have been cut off
	victim.over(t)
	c.c.ended()
	if !has(c.c.log.text(), "another server has taken over the database") {
		t.Errorf("it ends with %s", c.c.log.text())
	}
	for who := range lost {
		who.until("is elsewhere", func() bool { return who.at != nil && who.at != c.c })
	}
	for _, e := range watcher.synced() {
		if has(quoted(e), "from the minority") {
			t.Errorf("a disabled account writes: %s", e)
		}
	}
	ts.more(20)
	c.alone(c.c, open)
	c.c.start()
	back := c.c.signIn("watcher", "back")
	back.say(chat("watcher", "again"))
	watcher.until("again")
	ts.check(c.c)
}

// Two nodes that cannot hear each other, while a third one hears both, go on: what is written between them waits, and
// nothing is lost or doubled.
func TestTwoApart(t *testing.T) {
	c := newCluster(t)
	ts := c.talkers()
	ts.more(20)
	for _, s := range []state{silent, cut} {
		read := c.a.log.length()
		c.pair(c.a, c.b).set(s, 0)
		c.a.log.says(t, read, "no link to another server")
		ts.more(3)
		c.pair(c.a, c.b).set(open, 0)
		ts.more(20)
	}
	ts.unbroken()
	ts.check(c.c)
}

// unbroken checks that no stream has ended so far.
func (ts *talking) unbroken() {
	ts.Helper()
	for _, t := range ts.all {
		t.mu.Lock()
		n := t.signIns
		t.mu.Unlock()
		if n != 1 {
			ts.Errorf("%s has signed in %d times", t.name, n)
		}
	}
}

// The database cannot be reached by one node, and then by all: no stream is closed, messages wait or come back with
// "wait", and none is lost.
func TestDatabaseOutOfReach(t *testing.T) {
	for name, which := range map[string]func(*cluster) []*process{
		"of one": func(c *cluster) []*process { return c.all[2:] },
		"of all": func(c *cluster) []*process { return c.all },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			ts := c.talkers("watcher")
			ts.more(20)
			without := which(c)
			c.troubled = true
			var watchers []*client
			for _, p := range without {
				watchers = append(watchers, p.signIn("watcher", p.name))
			}
			for _, p := range without {
				p.store.set(cut, 0)
			}
			for _, p := range without {
				p.log.says(t, 0, "the lease on the database cannot be renewed")
			}
			for _, w := range watchers {
				w.synced() // the stream goes on
			}
			for _, p := range without {
				p.store.set(open, 0)
			}
			ts.more(20)
			ts.unbroken()
			ts.check(c.b)
			for _, t := range ts.all {
				for _, m := range t.all {
					if m.refused != "" && !has(m.refused, "wait ") {
						ts.Errorf("%s came back as %s", m.key, m.refused)
					}
				}
			}
		})
	}
}

// One address is bound at two nodes, one after the other: the earlier session ends with a conflict, and only the later
// one gets messages. Slow links change nothing of that, and nothing of what people write to each other.
func TestConflict(t *testing.T) {
	c := newCluster(t)
	for _, g := range c.pairs {
		g.set(open, 5*time.Millisecond)
	}
	ts := c.talkers("romeo", "juliet")
	juliet := c.c.signIn("juliet", "x")
	for i, p := range []*process{c.a, c.b, c.c, c.a} {
		earlier := p.signIn("romeo", "balcony")
		later := c.all[(i+1)%3].signIn("romeo", "balcony")
		earlier.until("<error ", "conflict")
		earlier.over(t)
		juliet.say("<message type='chat' id='m' to='" + later.Address + "'><body>wherefore</body></message>")
		later.until("wherefore")
		later.say("<iq type='get' id='i' to='" + juliet.Address + "'><query xmlns='jabber:iq:version'/></iq>")
		juliet.until("<iq ", "id='i'", "from='"+later.Address+"'")
		juliet.say("<iq type='result' id='i' to='" + later.Address + "'><query xmlns='jabber:iq:version'/></iq>")
		later.until("<iq ", "id='i'", "type='result'")
		later.say("</stream:stream>")
		juliet.gone(later.Address)
	}
	ts.more(20)
	ts.unbroken()
	ts.check(c.a)
}
