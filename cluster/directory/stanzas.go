package directory

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/fnv"
	"slices"
	"sync/atomic"
	"time"

	"parley/cluster"
	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

// outbound is the way to a session of another node.
type outbound struct {
	d       *Directory
	node    cluster.Peer
	address string
	stamp   int64
	kicked  atomic.Bool // the session is about to end: nothing more goes to it
}

// Send is server.Outbound. A message that waits for its recipient is asked, not told: it is in the queue of its session
// when Send returns. If the other node is not heard just now, the link holds the message, and Send fails all the same:
// what is only there is lost with this node, though its sender was told that it is kept. So it also goes the way of
// messages without a client, unless another client has it. It may be seen twice then, under one id.
func (o *outbound) Send(st *wire.Stanza, to jid.JID) error {
	if o.kicked.Load() {
		return server.ErrClosed
	}
	b := make([]byte, 0, len(o.address)+len(st.Payload)+160)
	b = binary.AppendUvarint(b, uint64(len(o.address)))
	b = append(b, o.address...)
	b = binary.BigEndian.AppendUint64(b, uint64(o.stamp))
	b = st.AppendXML(b, to, wire.Client)
	if !st.From.IsBare() && st.From != to {
		o.d.crossed.Add(1)
	}
	d := o.d
	if st.Kind != wire.Message || st.Type == "headline" || st.Type == "error" || st.Type == "groupchat" {
		return d.bus.Tell(o.node.ID, topicStanza, o.queueFor(st), b)
	}
	q, err := d.bus.Question(o.node.ID, topicStanza, o.queueFor(st), b)
	if err != nil {
		return err
	}
	if !d.bus.Lives(o.node, quietMost) {
		return errUnheard
	}
	st.Delivery.Held()
	ctx, cancel := context.WithTimeout(d.ctx, stanzaTime)
	defer cancel()
	if _, err := q.Await(ctx); err != nil {
		st.Delivery.Lost()
		return err
	}
	st.Delivery.Acknowledged() // from now on the other node sees to it that nobody loses it
	return nil
}

// errUnheard says that a session's node is not heard just now.
var errUnheard = errors.New("the node is not heard")

// queue is that of all stanzas to a session. Those about sessions have their own.
func (o *outbound) queue() uint32 { return queueOf(o.address) }

// queueFor is the queue of a stanza. What a room says to one comes in one order with what it says to all.
func (o *outbound) queueFor(st *wire.Stanza) uint32 {
	if o.d.rooms[st.From.Domain()] != nil {
		return queueOf(st.From.Bare().String())
	}
	return o.queue()
}

func queueOf(address string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(address))
	return max(changesQueue+1, h.Sum32())
}

// Close is server.Outbound. The other node is told until it has heard it, or is none any more.
func (o *outbound) Close(err *wire.StreamError) {
	f := namedFrame{JID: o.address, Stamp: o.stamp}
	f.setError(err)
	b, d := encode(f), o.d
	q, _ := d.bus.Question(o.node.ID, topicEnd, o.queue(), b)
	d.insist(o.node, q, topicEnd, o.queue(), b)
}

// insist tells a node until it has heard it, or is none any more. q is the first question, if there was a link.
func (d *Directory) insist(n cluster.Peer, q *cluster.Question, t cluster.Topic, queue uint32, b []byte) {
	if d.ctx.Err() != nil {
		return
	}
	d.work.Go(func() {
		for d.bus.Is(n) && d.ctx.Err() == nil {
			if q != nil {
				var r cluster.Refusal
				if _, err := q.Wait(d.ctx); err == nil || errors.As(err, &r) {
					return
				}
			}
			select {
			case <-time.After(askPause):
			case <-d.ctx.Done():
				return
			}
			q, _ = d.bus.Question(n.ID, t, queue, b) // there may be no link just now
		}
	})
}

// takeStanza takes a stanza for a session of this node.
func (d *Directory) takeStanza(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) || len(b)-used-int(n) < 8 {
		return nil, errFrame
	}
	b = b[used:]
	f := namedFrame{JID: string(b[:n]), Stamp: int64(binary.BigEndian.Uint64(b[n:]))}
	s, err := d.here(f)
	if err != nil {
		return nil, err
	}
	b = b[n+8:]
	st, err := wire.ParseStanza(b, wire.Limits{Stanza: len(b)})
	if err != nil {
		return nil, err
	}
	d.shown(s, st)
	err = s.Deliver(ctx, st)
	if errors.Is(err, server.ErrClosed) {
		err = errNoSession // it has just ended
	}
	return nil, err
}

// Fanout is server.Others: one frame has the stanza and all sessions.
func (d *Directory) Fanout(st *wire.Stanza, node string, ss []*server.Session) error {
	xml := st.AppendXML(nil, jid.JID{}, wire.Client)
	b := make([]byte, 0, len(xml)+8+48*len(ss))
	b = binary.AppendUvarint(b, uint64(len(ss)))
	for _, s := range ss {
		address := s.JID.String()
		b = binary.AppendUvarint(b, uint64(len(address)))
		b = append(b, address...)
		b = binary.BigEndian.AppendUint64(b, uint64(s.Stamp()))
	}
	return d.bus.Tell(node, topicFanout, queueOf(st.From.Bare().String()), append(b, xml...))
}

func (d *Directory) takeFanout(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)) {
		return nil, errFrame
	}
	b = b[used:]
	all := make([]*server.Session, 0, n)
	for range n {
		address, rest, ok := text(b)
		if !ok || len(rest) < 8 {
			return nil, errFrame
		}
		s, err := d.here(namedFrame{JID: address, Stamp: int64(binary.BigEndian.Uint64(rest))})
		if err == nil { // else it has ended, and its room hears of that
			all = append(all, s)
		}
		b = rest[8:]
	}
	st, err := wire.ParseStanza(b, wire.Limits{Stanza: len(b)})
	if err != nil {
		return nil, err
	}
	st.Render()
	for _, s := range all {
		d.shown(s, st)
		if err := s.SendTo(st, s.JID); err != nil {
			d.cfg.Log.Debug("a session does not take what a room says", "session", s.JID.String(), "err", err)
		}
	}
	return nil, nil
}

var errFrame = errors.New("a stanza's frame that is none")

// End is server.Others.
func (d *Directory) End(ctx context.Context, s *server.Session, streamError *wire.StreamError) {
	f := namedFrame{JID: s.JID.String(), Stamp: s.Stamp()}
	f.setError(streamError)
	ctx, cancel := context.WithTimeout(ctx, unheardMost)
	defer cancel()
	if _, err := d.bus.Ask(ctx, s.Node(), topicEnd, queueOf(f.JID), encode(f)); err != nil {
		d.cfg.Log.Debug("another server has not ended a session", "server", s.Node(), "err", err)
		s.Close(streamError)
	}
}

func (d *Directory) takeEnd(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
	var f namedFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	s, err := d.here(f)
	if err != nil {
		return nil, nil // it has ended already
	}
	s.Host.EndHere(ctx, s, f.streamError())
	return nil, nil
}

// Kick is server.Others.
func (d *Directory) Kick(h *server.Host, name string, only []int64, err *wire.StreamError) {
	f := namedFrame{JID: name + "@" + h.Domain, Some: only != nil, Only: only}
	f.setError(err)
	b := encode(f)
	d.kicked(h, name, only)
	d.mu.Lock()
	nodes := d.bus.Nodes()
	asked := d.tell(nodes, topicKick, b, true)
	d.mu.Unlock()
	for _, n := range d.settle(nodes, asked, topicKick, b) {
		d.insist(n, nil, topicKick, states, b)
	}
}

func (d *Directory) takeKick(_ context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
	var f namedFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	h, j, err := d.host(f.JID)
	if err != nil {
		return nil, err
	}
	if f.Only == nil && f.Some {
		f.Only = []int64{}
	}
	d.kicked(h, j.Local(), f.Only)
	h.KickHere(j.Local(), f.Only, f.streamError())
	return nil, nil
}

// kicked gives nothing more to an account's sessions of other nodes, or to those of them with some stamps: one of these
// nodes may not hear just now that it has to end them.
func (d *Directory) kicked(h *server.Host, name string, only []int64) {
	d.theirs.mu.Lock()
	defer d.theirs.mu.Unlock()
	for _, s := range h.Account(name).Sessions() {
		if only != nil && !slices.Contains(only, s.Stamp()) {
			continue
		}
		for _, n := range d.theirs.of {
			if x := n.sessions[s.JID.String()]; x != nil && x.session == s {
				x.out.kicked.Store(true)
			}
		}
	}
}

// Answered is server.Others.
func (d *Directory) Answered(h *server.Host, st *wire.Stanza) {
	b := st.AppendXML(nil, st.To, wire.Client)
	for _, n := range d.bus.Nodes() {
		_ = d.bus.Tell(n.ID, topicAnswer, queueOf(h.Domain), b) // without it the question gets no answer in time
	}
}

func (d *Directory) takeAnswer(_ context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
	st, err := wire.ParseStanza(b, wire.Limits{Stanza: len(b)})
	if err != nil {
		return nil, err
	}
	if h := d.cfg.Router.Host(st.To.Domain()); h != nil {
		h.AnsweredHere(st)
	}
	return nil, nil
}

// Waiting is server.Others.
func (d *Directory) Waiting(s *server.Session) bool {
	f := namedFrame{JID: s.JID.String(), Stamp: s.Stamp()}
	return d.bus.Tell(s.Node(), topicWaiting, queueOf(f.JID), encode(f)) == nil
}

func (d *Directory) takeWaiting(ctx context.Context, _ cluster.Peer, b []byte) ([]byte, error) {
	var f namedFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, err
	}
	s, err := d.here(f)
	if err != nil {
		return nil, nil // it has ended
	}
	s.Host.WaitingHere(ctx, s)
	return nil, nil
}
