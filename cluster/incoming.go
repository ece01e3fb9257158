package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// incoming is a connection that another node has made to this one.
type incoming struct {
	bus    *Bus
	conn   net.Conn
	r      *bufio.Reader
	peer   Peer
	flow   uint64        // goes on over this connection
	come   uint64        // answers of the flow that the node has
	before *incoming     // the one whose place it takes
	over   chan struct{} // closed when nothing is read from it any more
}

// inflow is what comes from another node over connections that follow each other, and the answers.
type inflow struct {
	bus    *Bus
	peer   Peer
	number uint64
	taken  atomic.Uint64 // frames that have come
	lost   atomic.Bool   // an answer could not be kept
	out    *outbox
	queues *queues
}

// accept does for the other side what link.connect does. The newest connection of a node stands for the others.
func (b *Bus) accept(c net.Conn) (*incoming, error) {
	ctx, cancel := context.WithTimeout(b.ctx, dialTime)
	defer cancel()
	if err := c.SetDeadline(time.Now().Add(dialTime)); err != nil {
		return nil, err
	}
	t := tls.Server(c, b.authority.server())
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	in := &incoming{
		bus:  b,
		conn: t,
		r:    bufio.NewReaderSize(t, 64<<10),
		over: make(chan struct{}),
	}
	f, err := readFrame(in.r)
	if err != nil {
		return nil, err
	}
	if f.kind != frameTell || f.topic != 0 || len(f.payload) < 24 {
		return nil, fmt.Errorf("%w: the first one says nothing of its node", errFrame)
	}
	in.peer = Peer{
		ID:          t.ConnectionState().PeerCertificates[0].Subject.CommonName,
		Incarnation: int64(binary.BigEndian.Uint64(f.payload)),
	}
	in.flow, in.come = binary.BigEndian.Uint64(f.payload[8:]), binary.BigEndian.Uint64(f.payload[16:])
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ctx.Err() != nil {
		return nil, net.ErrClosed
	}
	if in.peer.Incarnation <= b.over[in.peer.ID] {
		return nil, fmt.Errorf("%v is no node any more", in.peer)
	}
	if old := b.incoming[in.peer.ID]; old != nil {
		if old.peer.Incarnation > in.peer.Incarnation {
			return nil, fmt.Errorf("%v is no node any more: there is %v", in.peer, old.peer)
		}
		in.before = old
		_ = old.conn.Close()
	}
	b.incoming[in.peer.ID] = in
	if l := b.links[in.peer.ID]; b.met != nil && (l == nil || l.peer() != in.peer) {
		b.met()
	}
	return in, nil
}

// run takes frames until the connection ends. It never waits for what is done with them.
func (in *incoming) run() {
	b := in.bus
	defer close(in.over)
	if in.before != nil {
		<-in.before.over
		in.before = nil
	}
	if fl, err := in.resume(); err == nil {
		stopped, written := make(chan struct{}), make(chan struct{})
		b.work.Go(func() {
			defer close(written)
			if err := fl.out.write(in.conn, stopped); err != nil {
				_ = in.conn.Close()
			}
		})
		err = in.read(fl)
		if b.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
			b.cfg.Log.Debug("the link of another server has ended", "server", in.peer.String(), "err", err)
		}
		_ = in.conn.Close()
		close(stopped)
		<-written
	}
	_ = in.conn.Close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.incoming[in.peer.ID] == in {
		delete(b.incoming, in.peer.ID)
	}
}

// noFlow is the answer to a node whose flow cannot go on.
const noFlow = ^uint64(0)

// resume gives what goes on over the connection, and says to the node how much of it has come. Frames of an earlier
// flow are handled before a new one begins.
func (in *incoming) resume() (*inflow, error) {
	b := in.bus
	b.mu.Lock()
	fl := b.flows[in.peer.ID]
	b.mu.Unlock()
	if fl == nil || fl.peer != in.peer || fl.number != in.flow {
		if fl != nil {
			fl.queues.wait()
		}
		fl = &inflow{bus: b, peer: in.peer, number: in.flow, out: newOutbox(b.metrics)}
		fl.queues = newQueues(fl.handle)
		b.mu.Lock()
		b.flows[in.peer.ID] = fl
		b.mu.Unlock()
	}
	taken := fl.taken.Load()
	if fl.lost.Load() || !fl.out.resume(in.come) {
		taken = noFlow
	}
	b8 := binary.BigEndian.AppendUint64(nil, taken)
	if _, err := in.conn.Write(appendFrame(nil, frame{kind: frameResume, payload: b8})); err != nil {
		return nil, err
	}
	if taken == noFlow {
		return nil, errLost
	}
	return fl, in.conn.SetDeadline(time.Time{})
}

func (in *incoming) read(fl *inflow) error {
	unacked := 0 // bytes
	for {
		f, err := readFrame(in.r)
		if err != nil {
			return err
		}
		if l := in.bus.link(in.peer.ID); l != nil && l.node.Incarnation == in.peer.Incarnation {
			l.note()
			l.told.Store(l.heard.Load())
		}
		in.bus.metrics.received(f)
		if f.kind == framePing {
			if len(f.payload) != 8 || !fl.out.ack(binary.BigEndian.Uint64(f.payload)) {
				return fmt.Errorf("%w: it acknowledges what was not answered", errFrame)
			}
			unacked = 0
			if err := fl.out.add(fl.pong()); err != nil {
				return err
			}
			continue
		}
		if err := fl.take(f); err != nil {
			return err
		}
		unacked += len(f.payload)
		if fl.taken.Add(1)%ackEvery == 0 || unacked > maxOut/32 {
			unacked = 0
			_ = fl.out.add(fl.pong()) // without it they are kept for a while longer
		}
	}
}

// pong says how many frames have come.
func (fl *inflow) pong() frame {
	return frame{kind: framePong, payload: binary.BigEndian.AppendUint64(nil, fl.taken.Load())}
}

// take has a frame handled. An error says that it has not come: it comes again over the next connection.
func (fl *inflow) take(f frame) error {
	switch f.kind {
	case frameFlush:
		fl.queues.after(func() { fl.answer(frame{kind: frameAnswer, number: f.number}) })
	case frameTell, frameAsk:
		if fl.queues.add(f) {
			return nil
		}
		fl.bus.metrics.busyHere.Inc()
		if f.kind == frameTell {
			return fmt.Errorf("%w here: %v has to tell it again", ErrBusy, fl.peer)
		}
		fl.answer(frame{kind: frameRefusal, number: f.number, payload: []byte(ErrBusy.Error())})
	default:
		return fmt.Errorf("%w: type %d", errFrame, f.kind)
	}
	return nil
}

// handle has a frame handled, and answers it.
func (fl *inflow) handle(f frame, done func()) {
	if fl.bus.ctx.Err() != nil {
		done() // this node ends
		return
	}
	answer := func(b []byte, err error) {
		fl.answerTo(f, b, err)
		done()
	}
	h := fl.bus.handlers[f.topic]
	if h == nil {
		answer(nil, Refusal("this server knows nothing of such frames"))
		return
	}
	h(fl.bus.ctx, fl.peer, f.payload, answer)
}

// answerTo answers a frame. What was told has no answer.
func (fl *inflow) answerTo(f frame, b []byte, err error) {
	if f.kind == frameTell {
		if refused := Refusal(""); errors.As(err, &refused) {
			fl.bus.cfg.Log.Debug("refused what another server tells",
				"server", fl.peer.String(), "topic", f.topic, "err", err)
		} else if err != nil {
			fl.bus.cfg.Log.Warn("cannot do what another server tells",
				"server", fl.peer.String(), "topic", f.topic, "err", err)
		}
		return
	}
	back := frame{kind: frameAnswer, number: f.number, payload: b}
	if err != nil {
		back = frame{kind: frameRefusal, number: f.number, payload: []byte(err.Error())}
	}
	fl.answer(back)
}

// answer queues an answer. If it cannot be kept, the node that asked begins anew.
func (fl *inflow) answer(f frame) {
	if fl.out.add(f) == nil {
		return
	}
	fl.lost.Store(true)
	b := fl.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if in := b.incoming[fl.peer.ID]; in != nil {
		_ = in.conn.Close()
	}
}
