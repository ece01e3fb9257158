package cluster

import (
	"database/sql"
	"fmt"
	"strings"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"parley/testrig"
)

const rooms = "groups." + testrig.Host

// enter has a client enter a room, and returns when it is in.
func (c *client) enter(room string) {
	c.t.Helper()
	at := room + "@" + rooms + "/" + c.name
	c.say("<presence to='" + at + "'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>")
	if e := c.until("<presence ", "from='"+at+"'"); !has(quoted(e), "code='110'") {
		c.t.Fatalf("%s at %s does not enter %s: %s", c.name, c.at.name, room, e)
	}
	c.until("<subject", "from='"+room+"@"+rooms)
}

// make makes a lasting room.
func (c *client) make(room string) {
	c.t.Helper()
	c.enter(room)
	field := func(name, value string) string {
		return "<field var='" + name + "'><value>" + value + "</value></field>"
	}
	answer, _ := c.ask(room+"@"+rooms, "set", "<query xmlns='http://jabber.org/protocol/muc#owner'>"+
		"<x xmlns='jabber:x:data' type='submit'>"+field("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig")+
		field("muc#roomconfig_persistentroom", "1")+"</x></query>")
	if answer.Attr("type") != "result" {
		c.t.Fatalf("%s is not configured: %s", room, answer)
	}
}

// toRoom is a message to all in a room.
func toRoom(room, id string) string {
	return "<message type='groupchat' id='" + id + "' to='" + room + "@" + rooms + "'><body>" + id + "</body></message>"
}

// hears waits for a message in a room. Nothing before it may say that the client is not in a room any more.
func (c *client) hears(room, body string) {
	c.t.Helper()
	_, before := c.read("<message ", "from='"+room+"@"+rooms+"/", "<body>"+body+"</body>")
	for _, e := range before {
		if s := quoted(e); has(s, "type='unavailable'", "code='110'") {
			c.t.Errorf("%s at %s is put out: %s", c.name, c.at.name, e)
		}
	}
}

// inRoom waits until these and no others are in a room.
func (c *client) inRoom(room string, names ...string) {
	c.t.Helper()
	c.at.poll(fmt.Sprintf("there are %v in %s", names, room), func() bool {
		items, _ := c.ask(room+"@"+rooms, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>")
		s := quoted(items)
		for _, name := range names {
			if !has(s, "/"+name+"'") {
				return false
			}
		}
		return strings.Count(s, "<item ") == len(names)
	})
}

// kill -9 of the node that has a room: whoever is at the others stays in it and goes on, sees who is gone, and no
// message is lost.
func TestRoomsOutliveANode(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.accounts("anna", "ben", "carl")
	anna, ben, carl := c.a.signIn("anna", "x"), c.b.signIn("ben", "x"), c.c.signIn("carl", "x")
	all := []*client{anna, ben, carl}
	const many = 9 // about three at each node
	for n := range many {
		room := fmt.Sprintf("den%d", n)
		anna.make(room)
		ben.enter(room)
		carl.enter(room)
		for _, who := range all {
			who.say(toRoom(room, room+who.name))
			for _, hears := range all {
				hears.hears(room, room+who.name)
			}
		}
	}
	c.c.kill()
	for n := range many {
		room := fmt.Sprintf("den%d", n)
		anna.say(toRoom(room, room+"after"))
		for _, who := range []*client{anna, ben} {
			who.hears(room, room+"after")
		}
	}
	for n := range many {
		room := fmt.Sprintf("den%d", n)
		ben.inRoom(room, "anna", "ben")
	}
	c.c.start()
	carl = c.c.signIn("carl", "x")
	for n := range many {
		room := fmt.Sprintf("den%d", n)
		carl.enter(room)
		ben.say(toRoom(room, room+"again"))
		carl.hears(room, room+"again")
		_, before := carl.ask(room+"@"+rooms, "set", "<query xmlns='urn:xmpp:mam:2'/>")
		var bodies []string
		for _, e := range before {
			if b := e.Find("body"); b != nil && e.Find("result") != nil {
				bodies = append(bodies, b.Text)
			}
		}
		want := []string{room + "anna", room + "ben", room + "carl", room + "after", room + "again"}
		if fmt.Sprint(bodies) != fmt.Sprint(want) {
			t.Errorf("the archive of %s has %v, want %v", room, bodies, want)
		}
	}
}

// have gives how many rooms each process has, in the order of the processes.
func (c *cluster) have() string {
	c.Helper()
	db, err := sql.Open("pgx", c.database.String())
	if err != nil {
		c.Fatal(err)
	}
	defer db.Close()
	var all []string
	for _, p := range c.all {
		n := 0
		place := fmt.Sprintf("process %d on %%", p.running())
		err := db.QueryRow("SELECT COUNT(*) FROM room_owners o JOIN cluster_nodes n ON n.id = o.node AND "+
			"n.incarnation = o.incarnation WHERE n.place LIKE $1", place).Scan(&n)
		if err != nil {
			c.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %t", p.name, n > 0))
	}
	return strings.Join(all, ", ")
}

// A node that joins gets rooms of the others, and gives them back when it ends. Whoever is in them notices nothing.
func TestRoomsMove(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.c.signal(syscall.SIGTERM)
	c.c.ended()
	c.accounts("anna", "ben")
	anna, ben := c.a.signIn("anna", "x"), c.b.signIn("ben", "x")
	const many = 12
	for n := range many {
		room := fmt.Sprintf("den%d", n)
		anna.make(room)
		ben.enter(room)
	}
	talk := func(id string) {
		for n := range many {
			room := fmt.Sprintf("den%d", n)
			anna.say(toRoom(room, id+"1") + toRoom(room, id+"2"))
			ben.say(toRoom(room, id+"3"))
			for _, who := range []*client{anna, ben} {
				who.hears(room, id+"1")
				who.hears(room, id+"2")
			}
		}
	}
	talk("before")
	c.c.start()
	n := 0
	c.a.poll("the new node gets rooms", func() bool {
		n++
		talk(fmt.Sprintf("joins%d-", n))
		return c.have() == "A true, B true, C true"
	})
	talk("joined")
	c.c.signal(syscall.SIGTERM)
	talk("leaves")
	c.c.ended()
	talk("left")
	for n := range many {
		ben.inRoom(fmt.Sprintf("den%d", n), "anna", "ben")
	}
}
