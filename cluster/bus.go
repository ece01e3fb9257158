package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/clock"
	"parley/store"
)

// Peer is a node of the cluster, in one of its incarnations. It may have ended.
type Peer struct {
	ID          string
	Incarnation int64
}

// Handler takes a frame of a topic. Its result answers a question (Ask): an error is a refusal with the error's text.
// What was told (Tell) has no answer. Frames of one queue of one peer come one after the other.
type Handler func(ctx context.Context, from Peer, payload []byte) ([]byte, error)

// LaterHandler is a Handler that answers later: it returns soon, and has answer called once, on any goroutine. The next
// frame of the queue is handled when it has returned.
type LaterHandler func(ctx context.Context, from Peer, payload []byte, answer func([]byte, error))

// BusConfig holds the settings of NewBus.
type BusConfig struct {
	Self   store.ClusterNode
	Secret []byte // of the database: nodes know each other by it
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	Clock  clock.Clock // for certificates
	Log    *slog.Logger
}

// Bus connects the nodes of a cluster. Between two nodes there is a connection in each direction: over its own one
// a node tells and asks, and gets answers. What is told to one node on one queue is handled there in that order,
// once. A connection that ends loses nothing as long as both nodes live: the next one goes on where it ended. It is
// safe from any goroutine.
type Bus struct {
	cfg       BusConfig
	authority *authority
	began     time.Time
	ctx       context.Context
	stop      context.CancelFunc
	work      sync.WaitGroup

	metrics  *metrics
	handlers [256]LaterHandler
	watchers []Watcher
	met      func() // called when a node that is not known has made a link; nil: nobody wants to know

	mu       sync.Mutex
	links    map[string]*link
	incoming map[string]*incoming
	flows    map[string]*inflow
	over     map[string]int64 // the last incarnation of a node that is none any more: nothing is taken from it

	flowed counter // names flows
}

// Watcher hears of links to other nodes. Its functions are called one after the other for each node, and do not wait.
type Watcher struct {
	// Up is called when a link to a node was made, or has begun anew. The node has missed what was told before.
	Up func(Peer)
	// Down is called when that is over: what was told is lost unless it was answered.
	Down func(Peer)
	// Gone is called when a node is none any more, or has started again: what it has said is over.
	Gone func(Peer)
}

// ErrNoLink says that there is no link to a node.
var ErrNoLink = errors.New("cluster: there is no link to the node")

// ErrUnanswered says that a link was given up before the answer came: the node may or may not have done it.
var ErrUnanswered = errors.New("cluster: the node did not answer")

// Refusal is an error that another node has answered.
type Refusal string

func (r Refusal) Error() string { return string(r) }

// NewBus makes a bus without links. Handlers and watchers are set before the first one is made.
func NewBus(cfg BusConfig) (*Bus, error) {
	a, err := newAuthority(cfg.Secret, cfg.Self.ID, cfg.Clock.Now())
	if err != nil {
		return nil, err
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	b := &Bus{
		cfg:       cfg,
		authority: a,
		began:     time.Now(),
		metrics:   newMetrics(),
		links:     make(map[string]*link),
		incoming:  make(map[string]*incoming),
		flows:     make(map[string]*inflow),
		over:      make(map[string]int64),
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	return b, nil
}

// Handle sets the handler of a topic.
func (b *Bus) Handle(t Topic, h Handler) {
	b.handlers[t] = func(ctx context.Context, from Peer, payload []byte, answer func([]byte, error)) {
		answer(h(ctx, from, payload))
	}
}

// HandleLater sets a handler of a topic that answers later.
func (b *Bus) HandleLater(t Topic, h LaterHandler) { b.handlers[t] = h }

// Watch adds a watcher.
func (b *Bus) Watch(w Watcher) { b.watchers = append(b.watchers, w) }

// Self gives this node.
func (b *Bus) Self() Peer { return Peer{b.cfg.Self.ID, b.cfg.Self.Incarnation} }

// SetNodes sets which nodes there are, besides this one. The bus makes links to the new ones. A node that is missing,
// or has another incarnation, is gone: the bus takes nothing more from it, as it may have been stopped for a while.
func (b *Bus) SetNodes(ns []store.ClusterNode) {
	b.mu.Lock()
	var gone []*link
	for _, id := range slices.Sorted(maps.Keys(b.links)) {
		l := b.links[id]
		same := func(n store.ClusterNode) bool { return n.ID == id && n.Incarnation == l.node.Incarnation }
		if !slices.ContainsFunc(ns, same) {
			gone = append(gone, l)
			delete(b.links, id)
			b.over[id] = max(b.over[id], l.node.Incarnation)
			if in := b.incoming[id]; in != nil && in.peer.Incarnation <= b.over[id] {
				_ = in.conn.Close()
			}
		}
	}
	var made []*link
	for _, n := range ns {
		if n.ID == b.cfg.Self.ID || b.links[n.ID] != nil || b.ctx.Err() != nil {
			continue
		}
		l := newLink(b, n)
		b.links[n.ID] = l
		made = append(made, l)
	}
	for _, l := range made {
		b.work.Go(l.run)
	}
	b.mu.Unlock()
	for _, l := range gone {
		l.end()
	}
}

// Nodes gives the other nodes there are.
func (b *Bus) Nodes() []Peer {
	b.mu.Lock()
	defer b.mu.Unlock()
	ps := make([]Peer, 0, len(b.links))
	for _, l := range b.links {
		ps = append(ps, l.peer())
	}
	slices.SortFunc(ps, func(a, c Peer) int { return compare(a.ID, c.ID) })
	return ps
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (b *Bus) link(id string) *link {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.links[id]
}

// Heard gives when something was heard of a node last; the zero time if never, or if it is none.
func (b *Bus) Heard(id string) time.Time {
	if l := b.link(id); l != nil {
		return b.began.Add(time.Duration(l.heard.Load()))
	}
	return time.Time{}
}

// Tell sends a node something, behind what was sent on the same queue before. It does not wait. It comes also if
// there is no connection just now. An error says that it will not come; without one it may be lost all the same if
// the link begins anew, and then Up tells that.
func (b *Bus) Tell(id string, t Topic, queue uint32, payload []byte) error {
	l := b.link(id)
	if l == nil {
		return ErrNoLink
	}
	return l.send(frame{kind: frameTell, topic: t, queue: queue, payload: payload})
}

// Ask is Tell with an answer, for which it waits. Errors: a Refusal of the other node, ErrBusy and ErrNoLink if
// nothing was done, ErrUnanswered and that of ctx if it is not known.
func (b *Bus) Ask(ctx context.Context, id string, t Topic, queue uint32, payload []byte) ([]byte, error) {
	q, err := b.Question(id, t, queue, payload)
	if err != nil {
		return nil, err
	}
	return q.Wait(ctx)
}

// Question is Ask that does not wait: Wait of the question does, and has to be called.
func (b *Bus) Question(id string, t Topic, queue uint32, payload []byte) (*Question, error) {
	l := b.link(id)
	if l == nil {
		return nil, ErrNoLink
	}
	q := &Question{link: l, asked: time.Now(), answer: make(chan struct{})}
	if err := l.ask(q, frame{kind: frameAsk, topic: t, queue: queue, payload: payload}); err != nil {
		return nil, err
	}
	return q, nil
}

// AskThen is Ask that does not wait: then is called once with the answer, or ErrUnanswered, unless AskThen returns an
// error. It must not wait. Answers come in the order in which the other node gives them.
func (b *Bus) AskThen(id string, t Topic, queue uint32, payload []byte, then func([]byte, error)) error {
	l := b.link(id)
	if l == nil {
		return ErrNoLink
	}
	return l.ask(&Question{link: l, then: then}, frame{kind: frameAsk, topic: t, queue: queue, payload: payload})
}

// Flush returns when every other node has handled what was told and asked before. It is for tests, and for a node that
// is about to end.
func (b *Bus) Flush(ctx context.Context) error {
	var asked []*Question
	b.mu.Lock()
	for _, l := range b.links {
		q := &Question{link: l, answer: make(chan struct{})}
		if l.ask(q, frame{kind: frameFlush}) == nil {
			asked = append(asked, q)
		}
	}
	b.mu.Unlock()
	var errs []error
	for _, q := range asked {
		_, err := q.Wait(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Is says whether a node is one of the cluster, in this incarnation.
func (b *Bus) Is(p Peer) bool {
	l := b.link(p.ID)
	return l != nil && l.peer() == p
}

// HeardFrom returns for how long nothing came over the link that a node makes to this one: what it tells comes there.
func (b *Bus) HeardFrom(p Peer) time.Duration {
	l := b.link(p.ID)
	if l == nil || l.peer() != p {
		return 0
	}
	return time.Since(b.began) - time.Duration(l.told.Load())
}

// Lives says whether a node is one of the cluster, in this incarnation, and was heard within a time.
func (b *Bus) Lives(p Peer, within time.Duration) bool {
	l := b.link(p.ID)
	return l != nil && l.peer() == p && l.silent() < within
}

// Serve takes a connection that another node has made, and returns when it has ended. The line with which nodes say
// that they are alive has been written to it.
func (b *Bus) Serve(c net.Conn) {
	in, err := b.accept(c)
	if err != nil {
		b.cfg.Log.Debug("a connection to the cluster's address was no link", "err", err)
		_ = c.Close()
		return
	}
	in.run()
}

// Close ends all links.
func (b *Bus) Close() {
	b.stop()
	b.mu.Lock()
	links, ins, flows := b.links, b.incoming, b.flows
	b.links, b.incoming = map[string]*link{}, map[string]*incoming{}
	b.flows = map[string]*inflow{}
	b.mu.Unlock()
	for _, l := range links {
		l.end()
	}
	for _, in := range ins {
		_ = in.conn.Close()
		<-in.over
	}
	for _, fl := range flows {
		fl.queues.wait()
	}
	b.work.Wait()
}

// Question is what was asked of another node.
type Question struct {
	link    *link
	number  uint64
	asked   time.Time     // the zero time if nobody wants to know how long it takes
	answer  chan struct{} // closed when payload or err is set; nil with then
	then    func([]byte, error)
	payload []byte
	err     error
}

// end says what the answer is.
func (q *Question) end(payload []byte, err error) {
	if q.then != nil {
		q.then(payload, err)
		return
	}
	q.payload, q.err = payload, err
	close(q.answer)
}

// Wait returns the answer. Errors are those of Ask.
func (q *Question) Wait(ctx context.Context) ([]byte, error) {
	select {
	case <-q.answer:
		return q.payload, q.err
	case <-ctx.Done():
		if q.link.forget(q.number) {
			q.link.bus.metrics.unanswered.Inc()
		}
		return nil, ctx.Err()
	}
}

// Await is Wait that may be called again when ctx has ended.
func (q *Question) Await(ctx context.Context) ([]byte, error) {
	select {
	case <-q.answer:
		return q.payload, q.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// counter gives numbers from 1 on.
type counter struct{ n atomic.Uint64 }

func (c *counter) next() uint64 { return c.n.Add(1) }

func (p Peer) String() string { return fmt.Sprintf("%s/%d", p.ID, p.Incarnation) }
