package muc

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/internal/fault"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Several nodes serve the same rooms. Each room is at one node, which the store knows: that node alone keeps and shows
// what is said there. Every other node passes on what its clients want of the room (away.go) as orders, and answers are
// given when the room has done them. An order names the room's epoch, so that orders of one node are done in their
// order also while a room moves.

// Others are the other nodes that serve the same rooms. They are safe from any goroutine.
type Others interface {
	// Self is this node.
	Self() store.RoomOwner
	// Place returns the id of the node to which a room goes that no living node has: the same on all nodes that know of
	// the same nodes.
	Place(room string) string
	// PlaceWithout is Place without this node; "" if there is no other one.
	PlaceWithout(room string) string
	// Is says whether a node is one of those that serve.
	Is(node string) bool
	// Heard says whether a node was heard of late.
	Heard(node string) bool
	// Ask sends a node an order for a room. Orders for one room come in their order. then is called once, and must not
	// wait; its error is ErrUnanswered if nobody knows whether the order was done. If Ask returns an error nothing was
	// sent.
	Ask(node, room string, order []byte, then func(answer []byte, err error)) error
	// All asks all other nodes that live, and returns their answers.
	All(ctx context.Context, room string, order []byte) ([][]byte, error)
	// Ghosts returns the clients of nodes that are dead which were in a room, as far as is known, or wanted to be.
	Ghosts(room jid.JID) []Ghost
}

// Ghost is a client of a node that is dead.
type Ghost struct {
	Client, Occupant jid.JID
	Presence         *wire.Stanza // nil: everyone was told that it has gone
}

// ErrUnanswered says that another node may have done what was asked, or not.
var ErrUnanswered = errors.New("muc: another node has not answered")

// errNotHere is the error of an order for a room that another node has, or should have.
type errNotHere struct{ node string }

func (e errNotHere) Error() string { return "muc: the room is at another node: " + e.node }

// orderKind is what an order wants.
type orderKind byte

const (
	orderStanza orderKind = 'S' // a stanza to the room or to somebody in it
	orderSpeak  orderKind = 'P' // a message to all of a session that need not be in the room
	orderCall   orderKind = 'C' // what a function of the service asks of the room (calls.go)
	orderPlaces orderKind = 'W' // which clients are in the room? (places.go)
	orderHere   orderKind = 'H' // these clients are in the room (places.go)
	orderTake   orderKind = 'T' // the room is given away (handover.go)
)

// order is what a node wants of a room at another node.
type order struct {
	kind  orderKind
	epoch int64     // of the room, as the node knows it; 0: it does not
	again bool      // it may have been done before
	since time.Time // when it was sent first
	name  string    // of a call
	nicks []string  // of orderSpeak
	body  []byte    // the stanza, or the call's arguments
}

// orderHead is what stands before the body of an order.
type orderHead struct {
	Epoch int64    `json:",omitempty"`
	Again bool     `json:",omitempty"`
	Since int64    `json:",omitempty"` // in microseconds since 1970
	Name  string   `json:",omitempty"`
	Nicks []string `json:",omitempty"`
}

func (o *order) encode() []byte {
	head := []byte(nil)
	if o.again || o.name != "" || o.nicks != nil {
		h := orderHead{Again: o.again, Name: o.name, Nicks: o.nicks}
		if o.again {
			h.Since = o.since.UnixMicro()
		}
		head, _ = json.Marshal(h) // only texts and numbers are in it
	}
	b := make([]byte, 0, len(head)+len(o.body)+24)
	b = append(b, byte(o.kind))
	b = binary.AppendUvarint(b, uint64(o.epoch))
	b = binary.AppendUvarint(b, uint64(len(head)))
	b = append(b, head...)
	return append(b, o.body...)
}

var errOrder = errors.New("muc: an order that is none")

func decodeOrder(b []byte) (o order, err error) {
	if len(b) == 0 {
		return o, errOrder
	}
	o.kind, b = orderKind(b[0]), b[1:]
	epoch, n := binary.Uvarint(b)
	if n <= 0 {
		return o, errOrder
	}
	size, m := binary.Uvarint(b[n:])
	if b = b[n+max(m, 0):]; m <= 0 || size > uint64(len(b)) {
		return o, errOrder
	}
	o.epoch = int64(epoch)
	if size > 0 {
		var h orderHead
		if err := json.Unmarshal(b[:size], &h); err != nil {
			return o, err
		}
		o.again, o.since, o.name, o.nicks = h.Again, time.UnixMicro(h.Since), h.Name, h.Nicks
	}
	o.body = b[size:]
	return o, nil
}

// answer is what becomes of an order.
type answer struct {
	Node    string          `json:",omitempty"` // which has the room, or should have it: the order was not done
	Epoch   int64           `json:",omitempty"` // of the room that has done it
	Result  json.RawMessage `json:",omitempty"`
	Refusal *refusal        `json:",omitempty"`
	Moved   bool            `json:",omitempty"` // the room is here in another epoch: the order was not done
}

// refusal is an error on its way between nodes.
type refusal struct {
	Store     string            `json:",omitempty"` // an error of package store
	Fault     *fault.Error      `json:",omitempty"`
	Type      string            `json:",omitempty"`
	Condition string            `json:",omitempty"`
	Text      map[string]string `json:",omitempty"`
	Failure   string            `json:",omitempty"` // of the server
}

// storeErrors are the errors of package store that rooms return.
var storeErrors = map[string]error{
	"not found": store.ErrNotFound,
	"conflict":  store.ErrConflict,
	"exists":    store.ErrExists,
	"limit":     store.ErrLimit,
}

func refusalOf(err error) *refusal {
	if err == nil {
		return nil
	}
	for name, e := range storeErrors {
		if errors.Is(err, e) {
			return &refusal{Store: name}
		}
	}
	if f := fault.Of(err); f != nil {
		return &refusal{Fault: f}
	}
	var e stanza.Error
	if errors.As(err, &e) {
		return &refusal{Type: string(e.Type), Condition: string(e.Condition), Text: e.Text}
	}
	return &refusal{Failure: err.Error()}
}

// err gives the error that a refusal was; nil for none.
func (r *refusal) err() error {
	switch {
	case r == nil:
		return nil
	case storeErrors[r.Store] != nil:
		return storeErrors[r.Store]
	case r.Fault != nil:
		return r.Fault
	case r.Condition != "":
		return stanza.Error{
			Type: stanza.ErrorType(r.Type), Condition: stanza.Condition(r.Condition), Text: r.Text,
		}
	}
	return errors.New("another server: " + r.Failure)
}

func (a answer) encode() []byte {
	b, err := json.Marshal(a)
	if err != nil { // only texts and numbers are in it
		panic(err)
	}
	return b
}

// Join says that there are other nodes. It is called before the service is used.
func (s *Service) Join(o Others) { s.others = o }

// hereKey marks the context of an order: its room has to be here.
type hereKey struct{}

func isOrder(ctx context.Context) bool { return ctx.Value(hereKey{}) != nil }

// Order does what another node wants of a room, and gives the answer when the room has done it. It returns when the
// room has the order: the next one for the room comes after it.
func (s *Service) Order(ctx context.Context, room string, b []byte, give func([]byte, error)) {
	o, err := decodeOrder(b)
	if err != nil {
		give(nil, err)
		return
	}
	ctx = context.WithValue(ctx, hereKey{}, true)
	switch o.kind {
	case orderPlaces:
		give(s.places.encode(room), nil)
		return
	case orderTake:
		_, err := s.takeOver(ctx, room, o.body)
		give(s.answerOf(room, nil, err).encode(), nil)
		return
	case orderStanza, orderSpeak, orderCall, orderHere:
	default:
		give(nil, errOrder)
		return
	}
	r, err := s.ordered(ctx, room, o)
	switch {
	case err == nil && r != nil && o.epoch != 0 && r.epochNow.Load() != o.epoch:
		give(answer{Moved: true}.encode(), nil)
	case err != nil && !errors.Is(err, store.ErrNotFound):
		give(s.answerOf(room, nil, err).encode(), nil)
	default:
		s.do(ctx, room, o, func(a answer) { give(a.encode(), nil) })
	}
}

// ordered gives the room of an order if it is here, or can be; store.ErrNotFound if it does not exist.
func (s *Service) ordered(ctx context.Context, room string, o order) (*Room, error) {
	if r := s.Loaded(room); r != nil {
		return r, nil
	}
	if o.epoch != 0 { // whoever sends it believes that the room is in memory here
		return nil, errNotHere{s.others.Self().Node}
	}
	if err := s.load(ctx, room); err != nil {
		return nil, err
	}
	return s.Loaded(room), nil
}

// answerOf makes the answer to an order that failed, or was done.
func (s *Service) answerOf(room string, result json.RawMessage, err error) answer {
	var owned *store.OwnedError
	var away errNotHere
	switch {
	case errors.As(err, &owned):
		return answer{Node: owned.Owner.Node}
	case errors.As(err, &away):
		return answer{Node: away.node}
	}
	a := answer{Result: result, Refusal: refusalOf(err)}
	if r := s.Loaded(room); r != nil {
		a.Epoch = r.epochNow.Load()
	}
	return a
}

// do gives an order to a room that is here.
func (s *Service) do(ctx context.Context, room string, o order, give func(answer)) {
	switch o.kind {
	case orderStanza, orderSpeak:
		st, err := wire.ParseStanza(o.body, wire.Limits{Stanza: len(o.body)})
		if err != nil {
			give(s.answerOf(room, nil, err))
			return
		}
		st.At = time.Now()
		if o.kind == orderSpeak {
			s.doSpeak(ctx, room, o, st, give)
			return
		}
		s.doStanza(ctx, room, o, st, give)
	case orderCall:
		s.doCall(ctx, room, o, give)
	case orderHere:
		err := s.post(ctx, room, work{
			do:   func(ctx context.Context, r *Room) { r.takePlaces(ctx, o.body); give(s.answerOf(room, nil, nil)) },
			lost: func(err error) { give(s.answerOf(room, nil, err)) },
		})
		if err != nil {
			give(s.answerOf(room, nil, err))
		}
	}
}

// doStanza does what a stanza wants. Refusals go to its sender, from here.
func (s *Service) doStanza(ctx context.Context, room string, o order, st *wire.Stanza, give func(answer)) {
	var failed error
	st.Follow(func() {
		err := s.receiveHere(ctx, st, o)
		if errors.As(err, new(errNotHere)) || errors.As(err, new(*store.OwnedError)) {
			failed = err
			return
		}
		s.Fail(ctx, st, err)
	}, func() { give(s.answerOf(room, nil, failed)) })
}

// receiveHere is Receive for a stanza that another node has passed on.
func (s *Service) receiveHere(ctx context.Context, st *wire.Stanza, o order) error {
	if o.again && st.Kind == wire.Message {
		return s.post(ctx, st.To.Local(), work{st: st, again: o.since})
	}
	return s.receiveRoom(ctx, st)
}

// doSpeak is Speak for a session of another node.
func (s *Service) doSpeak(ctx context.Context, room string, o order, st *wire.Stanza, give func(answer)) {
	st.Follow(func() {
		w := work{
			st:    st,
			nicks: o.nicks,
			said: func(out spoken) {
				said := saidAway{ID: out.id}
				if out.shown != nil {
					said.Shown = out.shown.AppendXML(nil, jid.JID{}, wire.Client)
				}
				b, err := json.Marshal(said)
				give(s.answerOf(room, b, errors.Join(out.err, err)))
			},
			lost: func(err error) { give(s.answerOf(room, nil, err)) },
		}
		if o.again {
			w.again = o.since
		}
		if err := s.post(ctx, room, w); err != nil {
			give(s.answerOf(room, nil, err))
		}
	}, func() {})
}

// saidAway is what became of a message that a session of another node has said.
type saidAway struct {
	ID    store.ID
	Shown []byte // nil: nobody is shown it
}

func (x saidAway) spoken() spoken {
	out := spoken{id: x.ID}
	if x.Shown != nil {
		out.shown, out.err = wire.ParseStanza(x.Shown, wire.Limits{Stanza: len(x.Shown)})
	}
	return out
}

// clockTolerance is how far the clocks of two nodes may be apart.
const clockTolerance = 10 * time.Second

// wasDone says whether a message that may have been done before is in the archive, under its sender's id, and does what
// is due then. It is called on the room's goroutine.
func (r *Room) wasDone(ctx context.Context, w work) bool {
	if w.st.ID == "" {
		return false
	}
	r.Flush(ctx)
	p := store.Page{Start: w.again.Add(-clockTolerance), With: w.st.From.Bare().String(), Max: 500}
	for {
		es, complete, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name, p)
		if err != nil {
			if w.said != nil {
				w.said(spoken{err: err})
			} else {
				r.s.Fail(ctx, w.st, err)
			}
			return true
		}
		for _, e := range es {
			st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
			if err != nil || st.ID != w.st.ID {
				continue
			}
			if w.said != nil {
				w.said(spoken{id: e.ID, shown: st})
			}
			return true
		}
		if complete || len(es) == 0 {
			return false
		}
		p.After = es[len(es)-1].ID
	}
}
