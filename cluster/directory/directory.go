// Package directory has each node of a cluster know the sessions of all: it tells the others of those here, and makes
// sessions of theirs that the rest of the server uses like its own.
package directory

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/cluster"
	"parley/internal/background"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// Topics of frames. They are between programs of two versions: a number is never used again for something else.
const (
	topicState    cluster.Topic = 1 + iota // a session as it is now
	topicEnded                             // a session is no more
	topicDirected                          // directed presence of a session
	topicSnapshot                          // all sessions follow, or have followed
	topicSum                               // which sessions there are, in short
	topicStanza                            // a stanza for a session's client
	topicEnd                               // end a session
	topicKick                              // end an account's sessions
	topicAnswer                            // an answer to a request of a host
	topicWaiting                           // a message waits for an account
	topicEvent                             // an event for browsers
	topicChange                            // a change of the database
	topicDo                                // something to be done, by its name
	topicGap                               // the node has missed something
	topicOrder                             // what clients want of a room
	topicMissed                            // clients may have missed what rooms have said
	topicFanout                            // a stanza for several sessions
)

// Times of a directory.
const (
	sumEvery    = 5 * time.Second
	unheardMost = 2 * time.Second       // a node that was not heard for so long is not waited for
	askPause    = 20 * time.Millisecond // before a node is told again that has not answered
	stanzaTime  = 3 * time.Second       // for a message to be in the queue of another node
	quietMost   = 1 * time.Second       // a node that was not heard for so long holds up nobody who writes to it
	resumable   = 60 * time.Second      // how long sessions of a dead node may be resumed
	leftTime    = 5 * time.Second       // for the node that withdraws a dead one's sessions to have done so
	pieceOf     = 500                   // sessions in a piece of a snapshot
	mostStray   = 6                     // times sumEvery until a node that is none counts as dead
)

// states is the queue of all frames about sessions: they are handled in the order in which they were told.
const states = 0

// Config holds the settings of New.
type Config struct {
	Bus    *cluster.Bus
	Router *server.Router
	Log    *slog.Logger
	// Missed is called when this node may have missed what another one told it: it forgets what it remembers of others'
	// doing. nil: nothing.
	Missed     func()
	Metrics    prometheus.Registerer // nil: nobody wants to see them
	ResumeTime time.Duration         // how long the sessions of a node that has died may be resumed; 0: 60 s
}

// Directory implements server.Others. It is safe from any goroutine.
type Directory struct {
	cfg  Config
	bus  *cluster.Bus
	ctx  context.Context
	stop context.CancelFunc
	work background.Group

	mu    sync.Mutex // held while a frame about sessions is queued: their order is that of the changes
	local map[*server.Session]*told
	sum   uint64 // of all sessions here

	theirs  nodes
	crossed atomic.Int64 // see Crossed

	rooms  map[string]*Rooms // by domain; set before there are links
	ghosts ghosts
}

// Crossed returns how many stanzas of clients this node has given to another one for a client there.
func (d *Directory) Crossed() int64 { return d.crossed.Load() }

// told is what others were told of a session of this node.
type told struct {
	rev uint64 // rises with each telling
}

// New makes a directory. Others are told of the sessions that are bound afterwards.
func New(cfg Config) *Directory {
	if cfg.ResumeTime == 0 {
		cfg.ResumeTime = resumable
	}
	d := &Directory{cfg: cfg, bus: cfg.Bus, local: make(map[*server.Session]*told)}
	d.theirs.of, d.theirs.web = make(map[cluster.Peer]*node), make(map[string]int)
	d.ctx, d.stop = context.WithCancel(context.Background())
	for t, h := range map[cluster.Topic]cluster.Handler{
		topicState:    d.takeState,
		topicEnded:    d.takeEnded,
		topicDirected: d.takeDirected,
		topicSnapshot: d.takeSnapshot,
		topicSum:      d.takeSum,
		topicStanza:   d.takeStanza,
		topicEnd:      d.takeEnd,
		topicKick:     d.takeKick,
		topicAnswer:   d.takeAnswer,
		topicWaiting:  d.takeWaiting,
		topicFanout:   d.takeFanout,
	} {
		d.bus.Handle(t, h)
	}
	if cfg.Metrics != nil {
		cfg.Metrics.MustRegister(d)
	}
	d.bus.Watch(cluster.Watcher{Up: d.up, Gone: d.gone})
	return d
}

var _ server.Others = (*Directory)(nil)

// Run compares with the other nodes now and then, until ctx ends.
func (d *Directory) Run(ctx context.Context) error {
	defer d.work.Close()
	defer d.stop()
	t := time.NewTicker(sumEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
			d.compare()
			d.findStrays()
		}
	}
}

// stateFrame is a session as it is told to others.
type stateFrame struct {
	server.SessionState
	Host string
	Rev  uint64
}

// namedFrame names a session, and says what happens to it.
type namedFrame struct {
	JID   string
	Stamp int64
	Rev   uint64 `json:",omitempty"`
	// Node is whose session it was, if that is not the node that says so.
	Node *cluster.Peer `json:",omitempty"`

	// By is the node that withdraws an ended session, which its own could not do.
	By string `json:",omitempty"`

	To        string `json:",omitempty"` // of directed presence
	Available bool   `json:",omitempty"`

	Some bool    `json:",omitempty"` // of an account's sessions only those are meant that have these stamps
	Only []int64 `json:",omitempty"`

	Condition string `json:",omitempty"` // of a stream error
	Text      string `json:",omitempty"`
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil { // only texts and numbers are encoded
		panic(err)
	}
	return b
}

// Announce is server.Others.
func (d *Directory) Announce(s *server.Session, wait bool) {
	d.mu.Lock()
	is := d.local[s]
	if is == nil {
		is = &told{}
		d.local[s] = is
		d.sum += hash(s)
	}
	is.rev++
	b := encode(stateFrame{s.State(is.rev == 1), s.Host.Domain, is.rev})
	nodes := d.bus.Nodes()
	asked := d.tell(nodes, topicState, b, wait)
	d.mu.Unlock()
	if wait {
		d.settle(nodes, asked, topicState, b)
	}
}

// Ended is server.Others.
func (d *Directory) Ended(s *server.Session, withdrawn bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.local[s] == nil {
		return
	}
	delete(d.local, s)
	d.sum -= hash(s)
	f, nodes := namedFrame{JID: s.JID.String(), Stamp: s.Stamp()}, d.bus.Nodes()
	if !withdrawn && len(nodes) > 0 {
		f.By = nodes[0].ID
	}
	d.tell(nodes, topicEnded, encode(f), false)
}

// Directed is server.Others.
func (d *Directory) Directed(s *server.Session, to jid.JID, available bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tell(d.bus.Nodes(), topicDirected, encode(namedFrame{
		JID: s.JID.String(), Stamp: s.Stamp(), To: to.String(), Available: available,
	}), false)
}

// tell queues a frame about sessions for each node, with mu held. With ask it returns the questions by node.
func (d *Directory) tell(nodes []cluster.Peer, t cluster.Topic, b []byte, ask bool) map[string]*cluster.Question {
	var asked map[string]*cluster.Question
	for _, n := range nodes {
		if !ask {
			_ = d.bus.Tell(n.ID, t, states, b) // a node without a link gets all sessions when it has one
			continue
		}
		if q, err := d.bus.Question(n.ID, t, states, b); err == nil {
			if asked == nil {
				asked = make(map[string]*cluster.Question, len(nodes))
			}
			asked[n.ID] = q
		}
	}
	return asked
}

// settle waits for each node until it has answered, has ended, or was not heard for a while, and returns the nodes that
// were not heard. It tells a node again that has not answered: a frame that comes twice, or too late, changes nothing.
func (d *Directory) settle(nodes []cluster.Peer, asked map[string]*cluster.Question, t cluster.Topic,
	b []byte) (unheard []cluster.Peer) {
	for _, n := range nodes {
		if d.until(n, asked[n.ID], t, states, b) == nil {
			unheard = append(unheard, n)
		}
	}
	return unheard
}

// until asks a node until it has answered, and gives the question that it has answered: nil if it is none any more, or
// was not heard for a while. q is what it was asked already; nil: nothing.
func (d *Directory) until(
	n cluster.Peer, q *cluster.Question, t cluster.Topic, queue uint32, b []byte,
) (answered *cluster.Question) {
	for !d.answers(q) {
		if !d.awaited(n) {
			return nil
		}
		select {
		case <-time.After(askPause):
		case <-d.ctx.Done():
			return nil
		}
		var err error
		if q, err = d.bus.Question(n.ID, t, queue, b); err != nil {
			q = nil
		}
	}
	return q
}

// answers waits for an answer, and says whether it came.
func (d *Directory) answers(q *cluster.Question) bool {
	if q == nil {
		return false
	}
	var r cluster.Refusal
	ctx, cancel := context.WithTimeout(d.ctx, unheardMost)
	defer cancel()
	_, err := q.Wait(ctx)
	return err == nil || errors.As(err, &r)
}

// awaited says whether somebody waits for a node that has not answered: it is one, and was heard of late.
func (d *Directory) awaited(n cluster.Peer) bool {
	return d.ctx.Err() == nil && d.bus.Lives(n, unheardMost)
}

func (d *Directory) missed() {
	if d.cfg.Missed != nil {
		d.cfg.Missed()
	}
}

// host gives the host of an address.
func (d *Directory) host(address string) (*server.Host, jid.JID, error) {
	j, err := jid.Parse(address)
	if err != nil {
		return nil, j, err
	}
	h := d.cfg.Router.Host(j.Domain())
	if h == nil {
		return nil, j, errNoHost
	}
	return h, j, nil
}

var errNoHost = errors.New("this server does not serve the domain")

// errNoSession is no fault: a session ends while something is on its way to it.
const errNoSession = cluster.Refusal("this server has no such session")

// here gives a session of this node.
func (d *Directory) here(f namedFrame) (*server.Session, error) {
	h, j, err := d.host(f.JID)
	if err != nil {
		return nil, err
	}
	s := h.Account(j.Local()).Session(j.Resource())
	if s == nil || s.Stamp() != f.Stamp || s.Node() != "" {
		return nil, errNoSession
	}
	return s, nil
}

// streamError gives the error that a frame has; nil if it has none.
func (f namedFrame) streamError() *wire.StreamError {
	if f.Condition == "" {
		return nil
	}
	return &wire.StreamError{Condition: f.Condition, Text: f.Text}
}

func (f *namedFrame) setError(err *wire.StreamError) {
	if err != nil {
		f.Condition, f.Text = err.Condition, err.Text
	}
}

// hash is a session's part of the sum.
func hash(s *server.Session) uint64 { return hashOf(s.JID.String(), s.Stamp()) }

func hashOf(address string, stamp int64) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(address) {
		h = (h ^ uint64(address[i])) * 1099511628211
	}
	return (h ^ uint64(stamp)) * 1099511628211
}
