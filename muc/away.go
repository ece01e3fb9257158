package muc

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// away is a room of another node, as this one knows it: the way there. What its clients want of the room is sent one
// after the other, without waiting for answers. While it is not known where the room is, one order is sent and the
// others wait: so they are done in their order.
type away struct {
	s    *Service
	name string

	mu    sync.Mutex
	node  string // which has the room, as far as is known; "": nothing is known
	epoch int64  // of the room there; 0: not known
	sent  []*parcel
	waits []*parcel     // behind those that were sent
	finds bool          // a goroutine looks for the room
	quiet chan struct{} // closed when nothing is under way; nil: nobody waits for that
	used  time.Time
}

// parcel is an order on its way.
type parcel struct {
	w     work
	order order
	since time.Time // of the process
	sent  time.Time // by the host's clock
	back  bool      // it was not done, or nobody knows: it is sent again
	late  bool      // it was refused because its node was not heard
}

// pauses of a node that looks for a room.
const (
	firstLook = 20 * time.Millisecond
	mostLook  = 500 * time.Millisecond
)

// lateAnswer is how long a request waits for a node that is not heard.
const lateAnswer = 3 * time.Second

// errUnheard refuses what a room should do whose node is not heard.
var errUnheard = server.WithText(ErrClosing, "the server that has the room cannot be reached: try again")

// errElsewhere is the error of work that cannot be passed on.
var errElsewhere = errors.New("muc: the room is at another node, which cannot do this")

// awayRoom gives the way to a room of another node. node says where it is, if that is known.
func (s *Service) awayRoom(name, node string) *away {
	s.awayMu.Lock()
	defer s.awayMu.Unlock()
	a := s.aways[name]
	if a == nil {
		a = &away{s: s, name: name, node: node}
		s.aways[name] = a
	}
	return a
}

// parcelOf makes an order of work.
func (s *Service) parcelOf(w work) (*parcel, error) {
	p := &parcel{w: w, since: time.Now(), sent: s.host.Clock.Now()}
	switch {
	case w.call != nil:
		p.order = order{kind: orderCall, name: w.call.name, body: w.call.args}
	case w.here != nil:
		p.order = order{kind: orderHere, body: w.here}
	case w.do != nil || w.st == nil:
		return nil, errElsewhere
	case w.said != nil:
		p.order = order{kind: orderSpeak, nicks: w.nicks}
	default:
		p.order = order{kind: orderStanza}
	}
	if w.st != nil {
		p.order.body = w.st.AppendXML(make([]byte, 0, len(w.st.Payload)+200), w.st.To, wire.Client)
	}
	return p, nil
}

// post sends work on its way. It returns an error if too much waits, or if the work cannot be passed on.
func (a *away) post(w work) error {
	p, err := a.s.parcelOf(w)
	if err != nil {
		return err
	}
	if p.mayRefuse() && !a.heard() {
		return errUnheard
	}
	if w.st != nil {
		w.st.Hold()
		a.s.places.sends(w.st)
	}
	if err := a.add(p); err != nil {
		w.settle()
		return err
	}
	return nil
}

// mayRefuse says whether an order is refused while nobody hears the node that has the room. Other orders wait: who
// leaves a room leaves it later.
func (p *parcel) mayRefuse() bool {
	return p.w.here == nil && (p.w.st == nil || p.w.st.Kind != wire.Presence || p.w.st.Type == "")
}

// answers says whether somebody waits for what an order answers.
func (p *parcel) answers() bool { return p.w.call != nil || p.w.st != nil && p.w.st.Kind == wire.IQ }

// repeats says whether an order may be done twice, if nobody knows whether it was done: a message is found in the
// archive then.
func (p *parcel) repeats() bool { return !p.answers() || p.w.st != nil && p.w.st.Type == "get" }

// heard says whether the node that has the room, as far as is known, was heard of late.
func (a *away) heard() bool {
	a.mu.Lock()
	node := a.node
	a.mu.Unlock()
	return node == "" || node == a.s.others.Self().Node || !a.s.others.Is(node) || a.s.others.Heard(node)
}

func (a *away) add(p *parcel) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.sent)+len(a.waits) >= inbox {
		return errFull
	}
	a.used = time.Now()
	if a.finds || a.epoch == 0 {
		a.waits = append(a.waits, p)
		a.find()
		return nil
	}
	a.send(p)
	return nil
}

// find has a goroutine look for the room, with a.mu held.
func (a *away) find() {
	if a.finds {
		return
	}
	a.finds = a.s.Background(a.look)
	if !a.finds {
		for _, p := range a.takeAll() {
			p.fail(context.Background(), a.s, ErrClosing)
		}
	}
}

// send sends an order to the node that has the room, with a.mu held.
func (a *away) send(p *parcel) {
	p.order.epoch = a.epoch
	a.sent = append(a.sent, p)
	err := a.s.others.Ask(a.node, a.name, p.order.encode(), func(b []byte, err error) { a.answered(p, b, err) })
	if err != nil { // the link has ended: answers to what was sent before come as errors
		p.back = true
		a.epoch = 0
		a.find()
	}
}

// answered takes the answer to an order. It is called on the goroutine of a link, and does not wait.
func (a *away) answered(p *parcel, b []byte, err error) {
	a.mu.Lock()
	done, lost := a.judge(p, b, err)
	again := p.back
	if p.late { // it was refused meanwhile: it is not done later
		p.back = false
	}
	if !p.back {
		a.drop(p)
	}
	if again {
		a.epoch = 0
		a.find()
	}
	if a.quiet != nil && a.settled() {
		close(a.quiet)
		a.quiet = nil
	}
	late := p.late
	a.mu.Unlock()
	switch {
	case late:
	case lost != nil:
		s := a.s
		if !s.Background(func(ctx context.Context) { p.fail(ctx, s, lost) }) {
			p.fail(context.Background(), s, lost)
		}
	case done != nil:
		p.done(done)
	}
}

// drop takes an order out of those that were sent, with a.mu held. Mostly it is the first one.
func (a *away) drop(p *parcel) {
	if len(a.sent) > 0 && a.sent[0] == p {
		a.sent[0] = nil
		a.sent = a.sent[1:]
		return
	}
	a.sent = slices.DeleteFunc(a.sent, func(x *parcel) bool { return x == p })
}

// judge says what an answer means, with a.mu held: the order was done, or is lost with an error; or its parcel is
// marked to be sent again.
func (a *away) judge(p *parcel, b []byte, err error) (done *answer, lost error) {
	switch {
	case errors.Is(err, ErrUnanswered):
		if !p.repeats() {
			return nil, ErrClosing
		}
		p.back, p.order.again, p.order.since = true, true, p.sent
		return nil, nil
	case err != nil:
		return nil, err
	}
	done = new(answer)
	if err := json.Unmarshal(b, done); err != nil {
		return nil, err
	}
	if done.Moved || done.Node != "" {
		a.node, p.back = done.Node, true
		return nil, nil
	}
	if done.Epoch != 0 && a.epoch == 0 && !slices.ContainsFunc(a.sent, func(x *parcel) bool { return x.back }) {
		a.epoch = done.Epoch
	}
	return done, nil
}

// settled says whether nothing is under way: what is still in sent is to be sent again. a.mu is held.
func (a *away) settled() bool {
	return !slices.ContainsFunc(a.sent, func(x *parcel) bool { return !x.back })
}

// takeAll takes everything that was not done.
func (a *away) takeAll() []*parcel {
	all := append(a.sent, a.waits...)
	a.sent, a.waits = nil, nil
	return all
}

// look finds the room, and sends it what waits.
func (a *away) look(ctx context.Context) {
	pause := firstLook
	for {
		a.await()
		p, node := a.first()
		if p == nil {
			return
		}
		if node == a.s.others.Self().Node {
			if a.home(ctx) {
				return
			}
		} else if over, done := a.probe(p, node); over {
			return
		} else if done {
			pause = firstLook
			continue
		}
		a.expire(ctx)
		if !a.s.rest(pause) {
			a.end(ctx)
			return
		}
		pause = min(2*pause, mostLook)
	}
}

// rest waits for a while. It returns false if the service ends.
func (s *Service) rest(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ending:
		return false
	}
}

// end refuses everything that waits, because the service ends.
func (a *away) end(ctx context.Context) {
	a.mu.Lock()
	all := a.takeAll()
	a.finds = false
	a.mu.Unlock()
	for _, p := range all {
		p.fail(ctx, a.s, ErrClosing)
	}
}

// await waits until nothing is under way. Every order is answered, or unanswered, once its link has ended.
func (a *away) await() {
	for {
		a.mu.Lock()
		if a.settled() {
			a.waits = append(a.sent, a.waits...)
			for _, p := range a.waits {
				p.back = false
			}
			a.sent = nil
			a.mu.Unlock()
			return
		}
		if a.quiet == nil {
			a.quiet = make(chan struct{})
		}
		quiet := a.quiet
		a.mu.Unlock()
		<-quiet
	}
}

// first gives the order that is sent first, and the node to which it goes. With nothing to send the goroutine ends.
func (a *away) first() (*parcel, string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waits) == 0 {
		a.finds = false
		return nil, ""
	}
	if a.node == "" || a.node != a.s.others.Self().Node && !a.s.others.Is(a.node) {
		a.node = a.s.others.Place(a.name)
	}
	return a.waits[0], a.node
}

// probe sends one order, and the others when it is known that the room is there. With over the goroutine is not needed
// any more; done says that the order was answered.
func (a *away) probe(p *parcel, node string) (over, done bool) {
	asked := make(chan struct{})
	a.mu.Lock()
	a.waits = a.waits[1:]
	a.sent = append(a.sent, p)
	a.node, p.order.epoch = node, 0
	err := a.s.others.Ask(node, a.name, p.order.encode(), func(b []byte, err error) {
		a.answered(p, b, err)
		close(asked)
	})
	if err != nil {
		p.back = true
	}
	a.mu.Unlock()
	if err != nil {
		return false, false
	}
	<-asked
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.epoch == 0 {
		if !p.back { // it was done, or refused, without a room: the next one asks again
			a.node = ""
		}
		if len(a.waits)+len(a.sent) == 0 {
			a.finds = false
			return true, true
		}
		return false, !p.back
	}
	a.finds = false
	all := a.waits
	a.waits = nil
	for i, x := range all {
		if a.epoch == 0 { // the link has ended
			a.waits = append(a.waits, all[i:]...)
			break
		}
		a.send(x)
	}
	return true, true
}

// home gives everything to the room if it can be here. It returns false if another node has it.
func (a *away) home(ctx context.Context) bool {
	err := a.s.load(ctx, a.name)
	var owned *store.OwnedError
	a.mu.Lock()
	if errors.As(err, &owned) {
		a.node = owned.Owner.Node
		a.mu.Unlock()
		return false
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		a.node = ""
		a.mu.Unlock()
		a.s.Lost("a room cannot be loaded", err, "room", a.name)
		return false
	}
	all := a.takeAll()
	a.finds = false
	a.s.awayMu.Lock()
	delete(a.s.aways, a.name)
	a.s.awayMu.Unlock()
	a.mu.Unlock()
	for _, p := range all {
		p.here(ctx, a.s)
	}
	return true
}

// expire refuses what has waited for too long.
func (a *away) expire(ctx context.Context) {
	a.mu.Lock()
	var late []*parcel
	a.waits = slices.DeleteFunc(a.waits, func(p *parcel) bool {
		if time.Since(p.since) < Patience {
			return false
		}
		late = append(late, p)
		return true
	})
	a.mu.Unlock()
	for _, p := range late {
		p.fail(ctx, a.s, ErrTaken)
	}
}

// tidy refuses requests whose node is not heard any more, and says whether nobody has used the way for long. Messages
// wait: they come when the node is heard again, or to another one when it is dead.
func (a *away) tidy(ctx context.Context, idle time.Duration) (unused bool) {
	heard := a.heard()
	a.mu.Lock()
	var late []*parcel
	for _, p := range a.sent {
		if !heard && !p.late && p.answers() && time.Since(p.since) > lateAnswer {
			p.late = true // its answer is dropped
			late = append(late, p)
		}
	}
	unused = len(a.sent)+len(a.waits) == 0 && !a.finds && time.Since(a.used) > idle
	a.mu.Unlock()
	for _, p := range late {
		p.fail(ctx, a.s, errUnheard)
	}
	return unused
}

// tidyAways does so for all rooms of other nodes.
func (s *Service) tidyAways(ctx context.Context) {
	s.awayMu.Lock()
	all := slices.Collect(maps.Values(s.aways))
	s.awayMu.Unlock()
	slices.SortFunc(all, func(a, b *away) int { return strings.Compare(a.name, b.name) })
	for _, a := range all {
		if !a.tidy(ctx, s.cfg.Idle) {
			continue
		}
		s.awayMu.Lock()
		if s.aways[a.name] == a {
			delete(s.aways, a.name)
		}
		s.awayMu.Unlock()
	}
}

// here does an order in a room of this node.
func (p *parcel) here(ctx context.Context, s *Service) {
	w := p.w
	if w.here != nil {
		return // whoever loaded the room has asked all nodes
	}
	if p.order.again {
		w.again = p.sent
	}
	var err error
	if w.st != nil && w.said == nil && w.call == nil && w.again.IsZero() {
		err = s.receiveRoom(ctx, w.st)
		s.Fail(ctx, w.st, err)
		w.settle()
		return
	}
	if err = s.post(ctx, p.name(), w); err != nil {
		p.fail(ctx, s, err)
		return
	}
	w.settle() // the room holds it itself
}

func (p *parcel) name() string {
	if p.w.st != nil {
		return p.w.st.To.Local()
	}
	return p.w.call.room
}

// fail says that an order was not done.
func (p *parcel) fail(ctx context.Context, s *Service, err error) {
	switch w := p.w; {
	case w.said != nil:
		w.said(spoken{err: err})
	case w.call != nil:
		w.call.answered(nil, err)
	case w.st != nil:
		s.Fail(ctx, w.st, err)
	}
	p.w.settle()
}

// done takes the answer to an order that was done.
func (p *parcel) done(a *answer) {
	err := a.Refusal.err()
	switch w := p.w; {
	case w.said != nil:
		out := spoken{err: err}
		if err == nil {
			var x saidAway
			if out.err = json.Unmarshal(a.Result, &x); out.err == nil {
				out = x.spoken()
			}
		}
		w.said(out)
	case w.call != nil:
		w.call.answered(a.Result, err)
	}
	p.w.settle()
}

// elsewhere gives the way to a room of another node; nil if the room is here, or should be.
func (s *Service) elsewhere(ctx context.Context, name string) *away {
	if s.others == nil || isOrder(ctx) {
		return nil
	}
	s.awayMu.Lock()
	a := s.aways[name]
	s.awayMu.Unlock()
	if a != nil {
		return a
	}
	if node := s.others.Place(name); node != s.others.Self().Node {
		return s.awayRoom(name, node)
	}
	return nil
}

// remote says whether a stanza goes to a room of another node, and sends it there.
func (s *Service) remote(ctx context.Context, st *wire.Stanza) (bool, error) {
	if s.Loaded(st.To.Local()) != nil {
		return false, nil
	}
	a := s.elsewhere(ctx, st.To.Local())
	if a == nil {
		return false, nil
	}
	return true, a.post(work{st: st})
}
