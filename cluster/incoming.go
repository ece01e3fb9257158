package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// incoming is the connection that another node has made to this one.
type incoming struct {
	bus    *Bus
	conn   net.Conn
	r      *bufio.Reader
	peer   Peer
	out    *outbox
	queues *queues
	before *incoming     // the one whose place it takes: what that has read is handled first
	over   chan struct{} // closed when nothing of it is handled any more
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
		out:  newOutbox(b.metrics),
		over: make(chan struct{}),
	}
	f, err := readFrame(in.r)
	if err != nil {
		return nil, err
	}
	if f.kind != frameTell || f.topic != 0 || len(f.payload) < 8 {
		return nil, fmt.Errorf("%w: the first one says nothing of its node", errFrame)
	}
	in.peer = Peer{
		ID:          t.ConnectionState().PeerCertificates[0].Subject.CommonName,
		Incarnation: int64(binary.BigEndian.Uint64(f.payload)),
	}
	if err := c.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	in.queues = newQueues(in.handle)
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
	written := make(chan struct{})
	b.work.Go(func() {
		defer close(written)
		if err := in.out.write(in.conn); err != nil {
			_ = in.conn.Close()
		}
	})
	err := in.read()
	if b.ctx.Err() == nil && !errors.Is(err, net.ErrClosed) {
		b.cfg.Log.Debug("the link of another server has ended", "server", in.peer.String(), "err", err)
	}
	_ = in.conn.Close()
	in.queues.wait()
	in.out.close()
	<-written
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.incoming[in.peer.ID] == in {
		delete(b.incoming, in.peer.ID)
	}
}

func (in *incoming) read() error {
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
		switch f.kind {
		case framePing:
			err = in.out.add(frame{kind: framePong})
		case frameFlush:
			in.queues.after(func() { _ = in.out.add(frame{kind: frameAnswer, number: f.number}) })
		case frameTell, frameAsk:
			if in.queues.add(f) {
				continue
			}
			in.bus.metrics.busyHere.Inc()
			if f.kind == frameTell {
				return fmt.Errorf("%w here: what %v tells is lost", ErrBusy, in.peer)
			}
			err = in.out.add(frame{kind: frameRefusal, number: f.number, payload: []byte(ErrBusy.Error())})
		default:
			err = fmt.Errorf("%w: type %d", errFrame, f.kind)
		}
		if err != nil {
			return err
		}
	}
}

// handle has a frame handled, and answers it.
func (in *incoming) handle(f frame) {
	answer, err := []byte(nil), error(Refusal("this server knows nothing of such frames"))
	if h := in.bus.handlers[f.topic]; h != nil {
		answer, err = h(in.bus.ctx, in.peer, f.payload)
	}
	if f.kind == frameTell {
		if refused := Refusal(""); errors.As(err, &refused) {
			in.bus.cfg.Log.Debug("refused what another server tells",
				"server", in.peer.String(), "topic", f.topic, "err", err)
		} else if err != nil {
			in.bus.cfg.Log.Warn("cannot do what another server tells",
				"server", in.peer.String(), "topic", f.topic, "err", err)
		}
		return
	}
	back := frame{kind: frameAnswer, number: f.number, payload: answer}
	if err != nil {
		back = frame{kind: frameRefusal, number: f.number, payload: []byte(err.Error())}
	}
	if in.out.add(back) != nil {
		_ = in.conn.Close() // whoever asked learns that there is no answer
	}
}
