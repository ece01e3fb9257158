package cluster

import "testing"

// Who comes and who goes while two nodes cannot hear each other is seen by the other node's people once the links are
// there again, and what was written meanwhile arrives, though its recipient stays connected.
func TestSeenAfterACut(t *testing.T) {
	c := newCluster(t)
	c.accounts("romeo", "juliet", "nurse")
	for _, s := range []state{cut, silent} {
		goes, stays, juliet := c.a.signIn("romeo", "goes"), c.a.signIn("romeo", "stays"), c.b.signIn("juliet", "x")
		juliet.each([]string{"<presence ", "from='" + goes.Address + "'"},
			[]string{"<presence ", "from='" + stays.Address + "'"})
		read := c.a.log.length()
		c.pair(c.a, c.b).set(s, 0)
		c.a.log.says(t, read, "no link to another server")
		comes := c.a.signIn("nurse", "comes")
		comes.say(chat("juliet", "written meanwhile"))
		stays.say("<presence><show>dnd</show></presence>")
		goes.say("</stream:stream>")
		goes.over(t)
		c.pair(c.a, c.b).set(open, 0)
		juliet.each([]string{"<message ", "written meanwhile"},
			[]string{"<presence ", "from='" + comes.Address + "'"},
			[]string{"<presence ", "from='" + goes.Address + "'", "type='unavailable'"},
			[]string{"<presence ", "from='" + stays.Address + "'", "dnd"})
		for _, x := range []*client{comes, stays, juliet} {
			x.say("</stream:stream>")
			x.over(t)
		}
	}
}
