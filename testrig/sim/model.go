package sim

import (
	"fmt"
	"slices"
	"strings"
)

// state is what a sender knows of its message.
type state int

const (
	underWay state = iota
	kept           // acknowledged: it is kept and delivered, whatever comes
	refused        // answered with an error
	unknown        // the session ended before an answer
)

// message is a message that a client has sent.
type message struct {
	id    string
	from  *client
	to    string // a room or an account, bare
	room  bool
	state state
	event int // when it was sent

	certain bool // it was acknowledged after every answer to it
}

// model is what the world knows from outside: the messages that were sent, and the rights of accounts.
type model struct {
	messages map[string]*message
	rights   map[string]*right // by what it is for and the account
	next     int
}

// actEvents are the things that clients may do now.
func (w *World) actEvents() (out []event) {
	for _, c := range w.clients {
		switch {
		case c.phase == offline && c.pipe == nil:
			if c.again > 0 {
				c.again--
				continue
			}
			if len(w.living()) > 0 {
				out = append(out, event{key: uint64(c.id), do: func() {
					w.happen("connect %s", c)
					c.connect()
				}})
			}
		case c.phase == online && len(c.sent) < 40:
			out = append(out, event{key: uint64(c.id), do: c.act})
		}
	}
	return out
}

// act does one of the things that a person or a client does.
func (c *client) act() {
	w := c.w
	if len(w.rooms) == 0 {
		c.actAlone()
		return
	}
	switch n := w.rnd.IntN(100); {
	case c.account == "u0" && n < 8:
		c.change(w.rooms[w.rnd.IntN(len(w.rooms))], w.clients[2+w.rnd.IntN(len(w.clients)-2)].account)
	case n < 30:
		c.chat()
	case n < 60:
		c.groupchat()
	case n < 72:
		c.enter(w.rooms[w.rnd.IntN(len(w.rooms))])
	case n < 75:
		c.leave(w.rooms[w.rnd.IntN(len(w.rooms))])
	case n < 80:
		c.show()
	case n < 95:
		w.happen("r %s", c)
		c.pipe.send("<r xmlns='urn:xmpp:sm:3'/>")
	case n < 97:
		c.block(w.clients[w.rnd.IntN(len(w.clients))].account)
	case n == 97 && w.rnd.IntN(3) == 0:
		w.disableOne()
	case n >= 98 && w.faulty:
		c.bye()
	}
}

// show changes the client's presence.
func (c *client) show() {
	show := []string{"away", "chat", "dnd", "xa"}[c.w.rnd.IntN(4)]
	c.w.happen("show %s", c)
	c.write("<presence><show>"+show+"</show></presence>", nil)
}

// bye has the client close its stream.
func (c *client) bye() {
	c.w.happen("bye %s", c)
	c.pipe.send("</stream:stream>")
	c.phase, c.smid = leaving, ""
}

func (c *client) compose(to string, room bool) *message {
	w := c.w
	w.model.next++
	m := &message{id: fmt.Sprintf("m%d", w.model.next), from: c, to: to, room: room, event: w.events + 1}
	w.model.messages[m.id] = m
	return m
}

func (c *client) chat() {
	w := c.w
	to := w.clients[w.rnd.IntN(len(w.clients))]
	if to.account == c.account {
		return
	}
	m := c.compose(to.bare(), false)
	w.happen("chat %s to %s %s", c, to.account, m.id)
	c.write("<message type='chat' id='"+m.id+"' to='"+m.to+"'><body>"+m.id+"</body></message>", m)
}

func (c *client) groupchat() {
	w := c.w
	room := w.rooms[w.rnd.IntN(len(w.rooms))]
	p := c.rooms[room]
	// An account that was removed may try: the checkers look at what comes of it.
	if p == nil || !p.joined && w.model.right(room, c.account).is == in {
		return
	}
	m := c.compose(room, true)
	w.happen("groupchat %s to %s %s", c, room, m.id)
	c.write("<message type='groupchat' id='"+m.id+"' to='"+room+"'><body>"+m.id+"</body></message>", m)
}

func (c *client) place(room string) *place {
	p := c.rooms[room]
	if p == nil {
		p = &place{occupants: make(map[string]bool)}
		c.rooms[room] = p
	}
	return p
}

// enter joins a room, and then reads what it has missed.
func (c *client) enter(room string) {
	p := c.place(room)
	if p.joined || p.joining {
		return
	}
	p.joining, p.occupants = true, make(map[string]bool)
	c.w.happen("enter %s %s", c, room)
	c.write("<presence to='"+room+"/"+c.account+"'><x xmlns='http://jabber.org/protocol/muc'>"+
		"<history maxstanzas='0'/></x></presence>", nil)
	c.catchUp(room)
}

func (c *client) leave(room string) {
	p := c.rooms[room]
	if p == nil || !p.joined {
		return
	}
	c.w.happen("leave %s %s", c, room)
	c.write("<presence type='unavailable' to='"+room+"/"+c.account+"'/>", nil)
}

// catchUp reads an archive from where the client knows it, to its end.
func (c *client) catchUp(of string) {
	a := c.archive(of)
	a.caught, a.asked = false, true
	session, asked := c.session, c.w.events
	var page func()
	page = func() {
		after := ""
		if a.last != "" {
			after = "<after>" + a.last + "</after>"
		}
		c.ask("set", of, "<query xmlns='urn:xmpp:mam:2' queryid='"+fmt.Sprintf("%s|%d", of, asked)+"'><set "+
			"xmlns='http://jabber.org/protocol/rsm'><max>20</max>"+after+"</set></query>", func(answer string) {
			fin := within(answer, "fin")
			if attr(answer, "type") != "result" || session != c.session {
				a.asked = false
				return
			}
			if last := textOf(fin, "last"); last != "" {
				a.last = last
			}
			if attr(fin, "complete") == "true" {
				a.caught, a.asked = true, false
				a.settle()
				return
			}
			page()
		})
	}
	page()
}

// readAgain reads an archive again whose reading has failed.
func (c *client) readAgain() {
	for of, a := range c.told {
		if !a.caught && !a.asked && (of == "" || c.rooms[of] != nil && c.rooms[of].joined) {
			c.catchUp(of)
		}
	}
}

// settle goes on from the newest that came live while the archive was read.
func (a *archive) settle() {
	a.last = max(a.last, a.newest)
}

// message takes a message that came.
func (c *client) message(e string) {
	if attr(e, "type") == "error" {
		if m := c.w.model.messages[attr(e, "id")]; m != nil && m.from == c {
			if m.room && m.certain { // a refusal of somebody who was sent it may come later
				c.w.find("%s is refused after it was acknowledged", m.id)
			}
			m.state = refused
		}
		return
	}
	if r := within(e, "result"); r != "" && strings.Contains(r[:tagEnd(r, 0)], "urn:xmpp:mam:2") {
		of, at, _ := strings.Cut(attr(r, "queryid"), "|")
		c.learn(of, attr(r, "id"), attr(within(r, "message"), "id"), false)
		asked := 0
		fmt.Sscan(at, &asked)
		if of != "" && c.w.outSince(of, c.account, asked) {
			c.w.find("%s reads the archive of %s and is not a member", c, of)
		}
		return
	}
	inner := e
	if x := within(e, "sent"); x != "" && strings.Contains(x[:tagEnd(x, 0)], "carbons") {
		inner = within(x, "message")
	} else if x := within(e, "received"); x != "" && strings.Contains(x[:tagEnd(x, 0)], "carbons") {
		inner = within(x, "message")
	}
	id := attr(inner, "id")
	m := c.w.model.messages[id]
	if m == nil {
		return
	}
	of, by := "", c.bare()
	if m.room {
		of, by = m.to, m.to
	}
	c.heard(m)
	for rest := inner; ; {
		s := within(rest, "stanza-id")
		if s == "" {
			break
		}
		if attr(s, "by") == by {
			c.learn(of, attr(s, "id"), id, true)
		}
		rest = s
	}
}

// learn notes an entry of an archive.
func (c *client) learn(of, id, message string, live bool) {
	a := c.archive(of)
	if known, ok := a.ids[id]; ok && known != message {
		c.w.find("%s knows %s of %q as %s and as %s", c, id, of, known, message)
	}
	if other, ok := a.by[message]; ok && other != id {
		c.w.find("%s knows %s of %q as %s and as %s", c, message, of, other, id)
	}
	a.ids[id], a.by[message] = message, id
	if !live {
		return
	}
	// What a client has not acknowledged when its session ends goes to the account's other client, which may have it.
	if a.live[id] == c.session+1 {
		c.w.count("seen twice", true)
		// With several nodes each of them keeps what its own sessions have not acknowledged when they end.
		kicked := c.w.several() && (c.w.model.right(mayUse, c.account).changed || !c.w.left.IsZero())
		if !c.w.o.Faults && !kicked {
			c.w.find("%s gets %s (%s) twice", c, message, id)
		}
	}
	a.live[id] = c.session + 1
	if of != "" && a.session == c.session && id < a.newest {
		c.w.find("%s gets %s after %s of %s", c, id, a.newest, of)
	}
	a.newest, a.session = id, c.session
	if a.caught {
		a.last = id
	}
}

// presence takes a presence that came.
func (c *client) presence(e string) {
	from, kind := attr(e, "from"), attr(e, "type")
	bare, nick, _ := strings.Cut(from, "/")
	if !slices.Contains(c.w.rooms, bare) {
		switch kind {
		case "":
			c.contacts[from] = true
		case "unavailable":
			delete(c.contacts, from)
		}
		return
	}
	p := c.place(bare)
	self := strings.Contains(e, "code='110'")
	switch kind {
	case "":
		p.occupants[nick] = true
		if self {
			p.joined, p.joining = true, false
		}
	case "unavailable":
		delete(p.occupants, nick)
		if self {
			p.joined, p.joining = false, false
		}
	case "error":
		p.joining = false
	}
}
