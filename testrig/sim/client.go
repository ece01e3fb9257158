package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// phase is how far a client's stream has come.
type phase int

const (
	offline phase = iota
	greeting
	proving // SASL
	binding
	resuming
	online
	leaving // it has closed its stream
)

// client is a model of a client: it signs in, binds or resumes, counts what it gets, and remembers what it has been
// told.
type client struct {
	w       *World
	id      int
	account string

	pipe   *pipe
	at     *Node // that it is connected to, or was
	where  int   // the place of that node
	in     elements
	phase  phase
	signed bool // SASL is done
	scram  scram
	again  int // events until it connects

	smid      string
	handled   uint32 // stanzas that it got since <enabled/>
	counting  bool
	sent      []*sent    // stanzas since <enable/> that are not acknowledged
	acked     uint32     // how many are
	settling  []*message // acknowledged just now
	enabled   bool       // our stanzas are counted
	session   int        // how often it has bound
	since     time.Time  // when it bound or resumed
	began     int        // the event at which it connected
	disturbed bool       // it has lost a connection
	home      bool       // it has gone for good

	rooms  map[string]*place
	asked  map[string]func(answer string) // iqs by id
	nextID int

	told     map[string]*archive // by archive: "" for its own, or a room
	contacts map[string]bool     // full JIDs that are available
}

// place is a room as the client knows it.
type place struct {
	joined    bool
	joining   bool
	occupants map[string]bool
}

// archive is what a client was told of an archive.
type archive struct {
	ids     map[string]string // stanza-id: message
	by      map[string]string // message: stanza-id
	live    map[string]int    // stanza-id: session in which it came live
	last    string            // up to here the client has all
	caught  bool              // it has read to the end in this session
	newest  string            // that came live
	session int               // in which newest came
	asked   bool              // a page is asked for
}

// sent is a stanza of the client.
type sent struct {
	text    string
	message *message // nil: it is none
}

func (c *client) String() string { return fmt.Sprintf("c%d(%s)", c.id, c.account) }

func (c *client) bare() string { return c.account + "@" + Host }
func (c *client) full() string { return fmt.Sprintf("%s/c%d", c.bare(), c.id) }

func (c *client) archive(of string) *archive {
	a := c.told[of]
	if a == nil {
		a = &archive{ids: make(map[string]string), by: make(map[string]string), live: make(map[string]int)}
		c.told[of] = a
	}
	return a
}

// connect opens a stream to a node: mostly to the one that it was connected to.
func (c *client) connect() {
	living := c.w.living()
	if len(living) == 0 {
		return
	}
	n := c.w.nodes[c.where]
	if c.w.several() && (!slices.Contains(living, n) || c.w.rnd.IntN(8) == 0) {
		n = living[c.w.rnd.IntN(len(living))]
		c.w.count("moved to another node", n.place != c.where)
	}
	p := n.net.connect(door)
	if p == nil {
		return
	}
	c.at, c.where = n, n.place
	c.pipe, c.in, c.phase, c.signed, c.began = p, elements{}, greeting, false, c.w.events
	c.header()
}

func (c *client) header() {
	c.pipe.send("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' " +
		"version='1.0' to='" + Host + "'>")
}

// lose is the end of the connection, by the network or by the client.
func (c *client) lose() {
	if c.pipe != nil {
		c.pipe.sever()
	}
	c.pipe, c.phase, c.signed, c.counting, c.enabled = nil, offline, false, false, false
	for _, p := range c.rooms {
		p.joining = false
	}
	c.disturbed = true
	c.again = 1 + c.w.rnd.IntN(60)
}

// forget is the end of the session: what is not acknowledged may have come or not, and rooms are left.
func (c *client) forget() {
	for _, s := range c.sent {
		if s.message != nil && s.message.state == underWay {
			s.message.state = unknown
		}
	}
	c.sent, c.smid, c.acked, c.handled = nil, "", 0, 0
	c.asked = make(map[string]func(string))
	c.rooms = make(map[string]*place)
	c.contacts = make(map[string]bool)
	for _, a := range c.told {
		a.caught, a.asked, a.newest = false, false, ""
	}
}

// write sends a stanza.
func (c *client) write(text string, m *message) {
	c.w.count("stanza sent", true)
	if c.enabled || c.smid != "" {
		c.sent = append(c.sent, &sent{text, m})
	}
	if c.pipe != nil {
		c.pipe.send(text)
	}
}

// ask sends an iq and calls with its answer.
func (c *client) ask(kind, to, payload string, then func(answer string)) {
	c.nextID++
	id := fmt.Sprintf("q%d-%d", c.id, c.nextID)
	c.asked[id] = then
	if to != "" {
		to = " to='" + to + "'"
	}
	c.write("<iq type='"+kind+"' id='"+id+"'"+to+">"+payload+"</iq>", nil)
}

// arriveUp brings what the client sent to the server.
func (c *client) arriveUp() { c.pipe.deliverUp() }

// receive takes what the server has written.
func (c *client) receive() {
	b, ended := c.pipe.deliverDown()
	all := c.in.feed(b)
	names := make([]string, len(all))
	for i, e := range all {
		names[i] = nameOf(e)
		if x := within(e, "error"); x != "" {
			names[i] += "!" + nameOf(x[tagEnd(x, 0):])
		}
	}
	c.w.happen("down %s %s", c, strings.Join(names, " "))
	for _, e := range all {
		if c.pipe == nil {
			return
		}
		c.take(e)
	}
	if ended && c.pipe != nil {
		c.w.happen("closed %s", c)
		c.lose()
	}
}

func (c *client) take(e string) {
	switch name := nameOf(e); name {
	case "stream:stream":
	case "stream:features":
		c.features(e)
	case "challenge":
		c.pipe.send("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>" + c.scram.answer(body(e)) + "</response>")
	case "success":
		c.signed = true
		c.in = elements{}
		c.header()
	case "failure", "stream:error", "/stream:stream":
		if name == "stream:error" && strings.Contains(e, "<conflict") && c.w.clocksDiffer() {
			c.w.count("conflict of clocks", true)
		} else if name == "stream:error" && strings.Contains(e, "<conflict") {
			c.w.find("%s is told of a conflict", c)
		}
		// RFC 6120, section 4.9: the session is over.
		c.lose()
		if name == "stream:error" {
			c.forget()
		}
	case "enabled":
		if c.phase == leaving {
			return
		}
		c.smid, c.handled, c.counting = attr(e, "id"), 0, true
	case "resumed":
		c.resumed(e)
	case "failed":
		c.ackTo(attr(e, "h"))
		c.settling = nil
		c.w.count("resumption refused", true)
		c.forget()
		c.bind()
	case "r":
		if c.counting {
			c.pipe.send("<a xmlns='urn:xmpp:sm:3' h='" + strconv.Itoa(int(c.handled)) + "'/>")
		}
	case "a":
		c.ackTo(attr(e, "h"))
		c.certain()
	case "message", "presence", "iq":
		if c.counting {
			c.handled++
		}
		c.stanza(name, e)
	}
}

func body(e string) string {
	e = e[tagEnd(e, 0):]
	return e[:strings.IndexByte(e, '<')]
}

func (c *client) features(string) {
	switch {
	case !c.signed:
		c.phase = proving
		c.scram = newScram(c.account, c.w.rnd)
		c.pipe.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-1'>" +
			c.scram.first() + "</auth>")
	case c.smid != "":
		c.phase = resuming
		c.pipe.send(fmt.Sprintf("<resume xmlns='urn:xmpp:sm:3' previd='%s' h='%d'/>", c.smid, c.handled))
	default:
		c.bind()
	}
}

func (c *client) bind() {
	c.phase = binding
	c.forget()
	c.pipe.send(fmt.Sprintf("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"+
		"<resource>c%d</resource></bind></iq>", c.id))
}

func (c *client) bound() {
	c.phase = online
	c.session++
	c.since = time.Now()
	c.signedIn()
	c.pipe.send("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
	c.enabled = true
	c.ask("set", "", "<enable xmlns='urn:xmpp:carbons:2'/>", func(string) {})
	c.write("<presence/>", nil)
	c.catchUp("")
}

func (c *client) resumed(e string) {
	c.w.count("resumed", true)
	c.phase, c.counting, c.enabled = online, true, true
	c.since = time.Now()
	c.signedIn()
	c.ackTo(attr(e, "h"))
	c.settling = nil
	for _, s := range c.sent {
		c.pipe.send(s.text)
	}
}

// ackTo notes what the server says it has handled.
func (c *client) ackTo(h string) {
	n, err := strconv.ParseUint(h, 10, 32)
	if err != nil {
		return
	}
	for c.acked < uint32(n) {
		if len(c.sent) == 0 {
			c.w.find("%s is told that %d stanzas are handled and has sent %d", c, n, c.acked)
			return
		}
		if m := c.sent[0].message; m != nil && m.state != refused {
			m.state = kept
			c.settling = append(c.settling, m)
		}
		c.sent = c.sent[1:]
		c.acked++
	}
}

// certain notes that what is acknowledged now was acknowledged after all answers: on a stream that goes on, a refusal
// comes before. (After a resumption it comes later.)
func (c *client) certain() {
	for _, m := range c.settling {
		m.certain = m.state == kept
	}
	c.settling = nil
}

func (c *client) stanza(name, e string) {
	switch {
	case name == "iq":
		c.iq(e)
	case name == "message":
		c.message(e)
	default:
		c.presence(e)
	}
}

func (c *client) iq(e string) {
	id, kind := attr(e, "id"), attr(e, "type")
	switch {
	case id == "bind" && kind == "result":
		c.bound()
	case id == "bind":
		c.lose()
	case kind == "get" || kind == "set":
		c.write("<iq type='result' id='"+id+"' to='"+attr(e, "from")+"'/>", nil)
	default:
		if then := c.asked[id]; then != nil {
			delete(c.asked, id)
			then(e)
		}
	}
}
