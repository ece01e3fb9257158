package crash

import (
	"context"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"parley/bench/load"
)

// sent is a message that a talker has written.
type sent struct {
	key      string // its id, and the word that it is found by
	room     bool
	attempts int // how often it was sent; a resumption does not count, as the server then says what it has
	acked    bool
}

// out is a stanza that is not acknowledged on this stream.
type out struct {
	number uint32
	raw    []byte
	what   *sent // nil: no message
}

// seen is what one stream has shown of an archive, by its ids, in order.
type seen struct {
	chat, room []string
}

// talker is somebody who writes to the next one and to the group.
type talker struct {
	name, to string
	resumes  bool
	rnd      *rand.Rand

	all     []*sent
	pending []*sent // to be sent again
	under   []out
	last    *load.Session

	mu      sync.Mutex // guards the fields below, which the stream's reader writes
	live    *seen
	streams []*seen
	resumed int
}

func newTalker(i, n int, seed uint64) *talker {
	return &talker{
		name:    user(i),
		to:      user((i+1)%n) + "@" + host,
		resumes: i%2 == 0,
		rnd:     rand.New(rand.NewPCG(seed, uint64(i)+2)),
	}
}

const (
	window = 30 // messages that are not acknowledged
	every  = 5  // messages are followed by a request for an acknowledgement
)

// round signs in and talks until the server dies, or ctx ends.
func (t *talker) round(ctx context.Context, d *load.Dialer) {
	for ctx.Err() == nil {
		if !t.connect(ctx, d) {
			return
		}
		cut := ctx
		if t.resumes && t.rnd.IntN(3) == 0 { // and then resume
			var cancel context.CancelFunc
			cut, cancel = context.WithTimeout(ctx, time.Duration(t.rnd.Int64N(int64(600*time.Millisecond))))
			t.talk(cut)
			cancel()
		} else {
			t.talk(ctx)
		}
		t.last.Cut()
		t.settle()
	}
}

func (t *talker) connect(ctx context.Context, d *load.Dialer) bool {
	o := load.Options{User: t.name, Resource: "x", SM: true, Presence: true}
	if t.resumes {
		o.Resume = t.last
	}
	t.mu.Lock()
	t.live = new(seen)
	t.streams = append(t.streams, t.live)
	t.mu.Unlock()
	o.Early = t.hear
	s, err := d.Open(ctx, o)
	if err != nil {
		return false
	}
	again := t.under
	t.under, t.last = nil, s
	if s.Resumed() {
		t.resumed++
		t.mu.Lock() // messages shown from now on continue that stream
		t.streams = t.streams[:len(t.streams)-1]
		t.live = t.streams[len(t.streams)-1]
		t.mu.Unlock()
		s.Start(t.hear)
		for _, o := range again {
			if o.number > s.Acked() {
				t.send(o.raw, o.what)
			} else if o.what != nil {
				o.what.acked = true
			}
		}
		return true
	}
	s.Start(t.hear)
	t.send([]byte("<presence to='"+room+"/"+t.name+
		"'><x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x></presence>"), nil)
	var first []*sent // sent before the messages that could not be sent again last time
	for _, o := range again {
		if o.what != nil {
			first = append(first, o.what)
		}
	}
	t.pending = append(first, t.pending...)
	return true
}

// settle notes the messages that the ended stream has acknowledged.
func (t *talker) settle() {
	acked := t.last.Acked()
	rest := t.under[:0]
	for _, o := range t.under {
		if o.number > acked {
			rest = append(rest, o)
		} else if o.what != nil {
			o.what.acked = true
		}
	}
	t.under = rest
}

func (t *talker) talk(ctx context.Context) {
	s := t.last
	for n := 1; ; n++ {
		m := t.next()
		kind, to := "chat", t.to
		if m.room {
			kind, to = "groupchat", room
		}
		m.attempts++
		if t.send(fmt.Appendf(nil, "<message to='%s' type='%s' id='%s'><body>the word is %s</body></message>",
			to, kind, m.key, m.key), m) != nil {
			return
		}
		if n%every == 0 && s.Request() != nil {
			return
		}
		if ctx.Err() != nil {
			return
		}
		for t.settle(); len(t.under) >= window; t.settle() {
			select {
			case <-s.AckGot():
			case <-s.Done():
				return
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-s.Done():
			return
		default:
		}
	}
}

// next returns a message to send again, or a new one.
func (t *talker) next() *sent {
	if len(t.pending) > 0 {
		m := t.pending[0]
		t.pending = t.pending[1:]
		return m
	}
	m := &sent{key: fmt.Sprintf("%sx%dx", t.name, len(t.all)), room: len(t.all)%2 == 1}
	t.all = append(t.all, m)
	return m
}

func (t *talker) send(raw []byte, what *sent) error {
	n, err := t.last.SendNumbered(raw)
	t.under = append(t.under, out{n, raw, what})
	return err
}

// message is a received message.
type message struct {
	XMLName xml.Name `xml:"message"`
	From    string   `xml:"from,attr"`
	Type    string   `xml:"type,attr"`
	ID      string   `xml:"id,attr"`
	Body    string   `xml:"body"`
	Stamps  []struct {
		By string `xml:"by,attr"`
		ID string `xml:"id,attr"`
	} `xml:"urn:xmpp:sid:0 stanza-id"`
	Result *struct {
		ID      string `xml:"id,attr"`
		Message struct {
			From string `xml:"from,attr"`
			To   string `xml:"to,attr"`
			ID   string `xml:"id,attr"`
			Body string `xml:"body"`
		} `xml:"forwarded>message"`
	} `xml:"urn:xmpp:mam:2 result"`
	Entry *struct {
		JID    string `xml:"jid,attr"`
		Unread int    `xml:"unread,attr"`
	} `xml:"urn:xmpp:inbox:1 entry"`
}

// hear notes the messages that arrive live.
func (t *talker) hear(_ *load.Session, st []byte) {
	if !load.Is(st, "message") {
		return
	}
	var m message
	if xml.Unmarshal(st, &m) != nil || m.Body == "" || !strings.HasPrefix(m.Body, "the word is ") {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range m.Stamps {
		switch x.By {
		case room:
			t.live.room = append(t.live.room, x.ID)
		case t.name + "@" + host:
			t.live.chat = append(t.live.chat, x.ID)
		}
	}
}
