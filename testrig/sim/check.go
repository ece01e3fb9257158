package sim

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing/synctest"
	"time"

	"parley/store"
)

// entry is an entry of an archive in the database.
type entry struct {
	owner  string
	id     store.ID
	origin string // the client's id, or the stanza
}

// rest heals everything, lets it come to rest, and looks at the whole.
func (w *World) rest() {
	w.faulty = false
	w.wake()
	for _, n := range w.nodes {
		n.thawsAt = time.Time{}
	}
	w.wires.join()
	w.happen("rest")
	w.sendHome()
	if !w.settle(5*time.Minute, w.everybodyIsBack) {
		w.find("it does not come to rest: %s", w.missing())
		w.checkArchives()
		return
	}
	for _, room := range w.rooms {
		w.probe(room)
	}
	w.settle(time.Minute, w.quiet)
	w.checkArchives()
	w.checkRooms()
	w.checkContacts()
	w.checkSessions()
}

// sendHome has some clients go for good, some without a word: nobody may see them any more once it is quiet.
func (w *World) sendHome() {
	whole := false // all clients of an account go
	for i, c := range w.clients {
		if i%2 == 0 {
			whole = w.rnd.IntN(5) == 0
		}
		if !whole && w.rnd.IntN(8) > 0 {
			continue
		}
		c.home = true
		if c.phase == online && w.rnd.IntN(2) == 0 {
			c.pipe.send("</stream:stream>")
			c.pipe.deliverUp()
			synctest.Wait()
		}
		w.happen("home %s", c)
		c.lose()
		c.forget()
		time.Sleep(10 * time.Millisecond) // their sessions do not all end in the same moment, in whatever order
	}
	w.left = time.Now()
}

// farewell is how long it takes until nobody may see a client any more that has gone.
func (w *World) farewell() time.Duration {
	if w.several() {
		return forgottenAfter
	}
	return 2 * resumeTime
}

// everybodyIsBack connects the clients that are offline. It says whether all clients are online and know everything.
func (w *World) everybodyIsBack() bool {
	w.revive()
	all := w.settled() && len(w.living()) == len(w.nodes)
	for _, c := range w.clients {
		switch {
		case c.home:
			all = all && time.Since(w.left) > w.farewell()
		case c.phase == offline && c.pipe == nil && len(w.living()) > 0:
			c.connect()
			all = false
		case c.phase == online && len(c.asked) == 0 && !c.caughtUp():
			c.readAgain()
			all = false
		case c.phase != online || !c.archive("").caught:
			all = false
		default:
			all = c.reads() && all
		}
	}
	return w.quiet() && all
}

// reads has a client enter the rooms that it may, and says whether it is in and has read them.
func (c *client) reads() bool {
	all := true
	for _, room := range c.w.rooms {
		r := c.w.model.right(room, c.account)
		if r.is == maybe {
			continue
		}
		p := c.place(room)
		if r.is == out {
			continue
		}
		if !p.joined {
			c.enter(room)
			all = false
		} else if !c.archive(room).caught {
			all = false
		}
	}
	return all
}

// caughtUp says whether the client has read all archives that it has begun to read.
func (c *client) caughtUp() bool {
	for of, a := range c.told {
		if !a.caught && (of == "" || c.rooms[of] != nil && c.rooms[of].joined) {
			return false
		}
	}
	return true
}

// quiet asks every client's stream for what it has handled, and says whether nothing is unacknowledged.
func (w *World) quiet() bool {
	all := true
	for _, c := range w.clients {
		if c.phase == online && len(c.sent) > 0 {
			c.pipe.send("<r xmlns='urn:xmpp:sm:3'/>")
			all = false
		}
	}
	return all
}

func (w *World) missing() string {
	var out []string
	if n := len(w.nodes) - len(w.living()); n > 0 {
		out = append(out, strconv.Itoa(n)+" nodes do not serve")
	}
	for _, c := range w.clients {
		switch {
		case c.home:
		case c.phase != online:
			out = append(out, c.String()+" is not online")
		case len(c.sent) > 0:
			out = append(out, c.String()+" waits for an acknowledgement of "+c.sent[0].text)
		case !c.archive("").caught:
			out = append(out, c.String()+" does not read its archive")
		}
		for _, room := range w.rooms {
			p, r := c.rooms[room], w.model.right(room, c.account)
			switch {
			case c.phase != online || c.home || r.is != in:
			case p == nil || !p.joined:
				out = append(out, c.String()+" does not get into "+room)
			case !c.archive(room).caught:
				out = append(out, c.String()+" does not read the archive of "+room)
			}
		}
	}
	return strings.Join(out, ", ")
}

// probe has somebody in a room say something: all in it have to hear it.
func (w *World) probe(room string) {
	for _, c := range w.clients {
		if p := c.rooms[room]; p != nil && p.joined {
			m := c.compose(room, true)
			c.write("<message type='groupchat' id='"+m.id+"' to='"+room+"'><body>"+m.id+"</body></message>", m)
			return
		}
	}
}

// checkArchives compares what was acknowledged, what is kept, and what clients know.
func (w *World) checkArchives() {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(w.dir, "parley.db"))
	if err != nil {
		w.find("%v", err)
		return
	}
	defer db.Close()
	own := w.entries(db, "SELECT owner, id, origin_id FROM archive WHERE host = '"+Host+"' ORDER BY rowid")
	in := w.entries(db, "SELECT room, id, origin_id FROM room_archive WHERE host = 'groups."+Host+"' ORDER BY rowid")
	w.checkOrder(own)
	w.checkOrder(in)
	times := make(map[[2]string]int)
	for _, e := range slices.Concat(own, in) {
		times[[2]string{e.owner, e.origin}]++
	}
	for _, m := range w.model.messages {
		places := []string{m.from.account, strings.TrimSuffix(m.to, "@"+Host)}
		if m.room {
			places = []string{strings.TrimSuffix(m.to, "@groups."+Host)}
		}
		for _, place := range places {
			n := times[[2]string{place, m.id}]
			// A refusal may be lost with its session.
			refusable := w.model.right(mayUse, place).changed || w.model.right(mayUse, m.from.account).changed ||
				w.model.right(mayWrite(place), m.from.account).changed || w.model.right(m.to, m.from.account).changed ||
				w.model.right(mayWrite(m.from.account), place).changed
			switch {
			case n > 1:
				w.find("%s is %d times in the archive of %s", m.id, n, place)
			case n == 0 && m.state == kept && !refusable:
				w.find("%s was acknowledged and is not in the archive of %s", m.id, place)
			case n == 1 && m.state == refused && m.room:
				w.find("%s was refused and is in the archive of %s", m.id, place)
			case n == 1 && m.state == refused:
				w.count("refused and yet kept", true)
			}
		}
	}
	w.checkWaiting(db)
	for _, c := range w.clients {
		if c.home {
			continue
		}
		c.checkKnown("", c.account, own)
		for _, room := range w.rooms {
			if p := c.rooms[room]; p != nil && p.joined && c.archive(room).caught {
				c.checkKnown(room, strings.TrimSuffix(room, "@groups."+Host), in)
			}
		}
	}
}

// checkOrder finds entries that were committed after an entry of the same archive with a higher id: who had been told
// of that one by then, and asks for what came after it, misses them. The entries are in the order in which they were
// written.
func (w *World) checkOrder(all []entry) {
	highest := make(map[string]entry)
	for _, e := range all {
		if h, ok := highest[e.owner]; ok && e.id < h.id {
			w.find("%s is below %s in the archive of %s, which was committed before", e.origin, h.origin, e.owner)
			continue
		}
		highest[e.owner] = e
	}
}

// checkWaiting finds messages that wait for somebody who is there.
func (w *World) checkWaiting(db *sql.DB) {
	for _, e := range w.entries(db, "SELECT owner, id, stanza FROM offline WHERE host = '"+Host+"' ORDER BY id") {
		there := slices.ContainsFunc(w.clients, func(c *client) bool {
			return c.account == e.owner && c.phase == online && time.Since(c.since) > time.Minute
		})
		if there {
			w.find("%s waits for %s, who is there", attr(e.origin, "id"), e.owner)
		}
	}
}

// checkKnown finds entries that a client was never told of, though it has read its archive to the end.
func (c *client) checkKnown(of, owner string, all []entry) {
	known := make(map[string]bool)
	for _, m := range c.archive(of).ids {
		known[m] = true
	}
	for _, e := range all {
		m := c.w.model.messages[e.origin]
		if e.owner != owner || m == nil || m.from == c || known[e.origin] {
			continue
		}
		if c.toldAfter(of, e.id) {
			if c.w.several() && !archivesAreChained {
				c.w.count("missed what another node's message has overtaken", true)
				continue
			}
			c.w.find("%s has missed %s in the archive of %s, below an id already told", c, e.origin, owner)
			continue
		}
		c.w.find("%s has read the archive of %s to the end and was never told of %s", c, owner, e.origin)
	}
}

// toldAfter says whether a client was told live of an entry of an archive with a higher id than this.
func (c *client) toldAfter(of string, id store.ID) bool {
	for told := range c.archive(of).live {
		if told > id.String() {
			return true
		}
	}
	return false
}

func (w *World) entries(db *sql.DB, q string) (out []entry) {
	rows, err := db.Query(q)
	if err != nil {
		w.find("%v", err)
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.owner, &e.id, &e.origin); err != nil {
			w.find("%v", err)
			return nil
		}
		out = append(out, e)
	}
	return out
}

// checkRooms compares the occupants of each room as its occupants see them.
func (w *World) checkRooms() {
	for _, room := range w.rooms {
		truth := make(map[string]bool)
		for _, c := range w.clients {
			if p := c.rooms[room]; p != nil && p.joined {
				truth[c.account] = true
			}
		}
		for _, c := range w.clients {
			p := c.rooms[room]
			if p == nil || !p.joined {
				continue
			}
			for who := range truth {
				if !p.occupants[who] {
					w.find("%s does not see %s in %s", c, who, room)
				}
			}
			for who := range p.occupants {
				if !truth[who] {
					w.find("%s sees %s in %s, who is not there", c, who, room)
				}
			}
		}
	}
}

// checkContacts compares the presence of contacts as each client sees it.
func (w *World) checkContacts() {
	for _, c := range w.clients {
		for _, other := range w.clients {
			if other == c || c.home || !areContacts(c.account, other.account) ||
				w.model.right(mayWrite(c.account), other.account).changed ||
				w.model.right(mayWrite(other.account), c.account).changed {
				continue
			}
			switch sees := c.contacts[other.full()]; {
			case !sees && other.phase == online:
				w.find("%s does not see that %s is available", c, other)
			case sees && other.phase != online:
				w.find("%s sees %s as available, which is gone", c, other)
			}
		}
		for full := range c.contacts {
			if !slices.ContainsFunc(w.clients, func(o *client) bool { return o.full() == full }) {
				w.find("%s sees %s, which does not exist", c, full)
			}
		}
	}
}
