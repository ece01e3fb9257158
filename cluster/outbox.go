package cluster

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"sync"
)

// ErrBusy says that too much waits for a peer, or at it.
var ErrBusy = errors.New("cluster: the other node is busy")

// maxOut is how many bytes may wait for a peer: to be written, and to be acknowledged. Answers have a bound of their
// own, so that two nodes with full outboxes towards each other go on.
const maxOut = 32 << 20

// pieceSize is how many bytes are written at once where more waits.
const pieceSize = 64 << 10

// outbox holds what is to be written to a peer, and what was written and is not acknowledged: a connection that
// ends loses nothing, the next one goes on. Frames that stand for one connection only (pings, pongs) are apart. One
// goroutine writes: everything that came while it wrote goes out with the next write, so a link that is used much
// costs few of them. It is safe from any goroutine.
type outbox struct {
	metrics *metrics

	mu     sync.Mutex
	pieces []*piece // from the first that is not acknowledged whole
	next   int      // the piece that is written next
	acked  uint64   // frames before those in pieces
	added  uint64   // all frames
	bytes  int      // in pieces
	loose  []byte
	spare  []byte        // the memory of an acknowledged piece
	more   chan struct{} // has a value if there may be something to write
}

// piece is some frames that are written together.
type piece struct {
	data   []byte
	frames int
}

func newOutbox(m *metrics) *outbox { return &outbox{metrics: m, more: make(chan struct{}, 1)} }

// isLoose says whether a frame stands for one connection only.
func isLoose(k frameType) bool { return k == framePing || k == framePong || k == frameResume }

// add queues a frame. It returns ErrBusy if too much waits.
func (o *outbox) add(f frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if isLoose(f.kind) {
		if len(o.loose) > maxOut {
			return ErrBusy
		}
		o.metrics.sent(f)
		o.loose = appendFrame(o.loose, f)
		o.wake()
		return nil
	}
	if o.bytes+len(f.payload) > maxOut {
		o.metrics.busyHere.Inc()
		return ErrBusy
	}
	o.metrics.sent(f)
	last := len(o.pieces) - 1
	if last < o.next || len(o.pieces[last].data) >= pieceSize { // it is written, or long enough
		o.pieces = append(o.pieces, &piece{data: o.spare[:0]})
		o.spare = nil
		last++
	}
	p := o.pieces[last]
	was := len(p.data)
	p.data = appendFrame(p.data, f)
	p.frames++
	o.added++
	o.bytes += len(p.data) - was
	o.wake()
	return nil
}

func (o *outbox) wake() {
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// ack forgets the first n frames of all, which the peer has. It returns false if the peer cannot have said so.
func (o *outbox) ack(n uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n > o.added {
		return false
	}
	for len(o.pieces) > 0 && o.next > 0 && o.acked+uint64(o.pieces[0].frames) <= n {
		p := o.pieces[0]
		o.pieces[0] = nil
		o.pieces, o.next = o.pieces[1:], o.next-1
		o.acked += uint64(p.frames)
		o.bytes -= len(p.data)
		if cap(p.data) <= 2*pieceSize {
			o.spare = p.data
		}
	}
	return true
}

// resume has everything written again but the first n frames of all, which the peer has. It returns false if some of
// the others are not there any more.
func (o *outbox) resume(n uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n < o.acked || n > o.added {
		return false
	}
	o.loose, o.next = nil, 0
	for len(o.pieces) > 0 && o.acked < n {
		p := o.pieces[0]
		skip := 0
		for ; o.acked < n && p.frames > 0; o.acked++ {
			skip += 4 + int(binary.BigEndian.Uint32(p.data[skip:]))
			p.frames--
		}
		o.bytes -= skip
		if p.data = p.data[skip:]; p.frames == 0 {
			o.pieces = o.pieces[1:]
		}
	}
	o.wake()
	return true
}

// take gives what is written next; nothing if nothing waits. It stays as it is until it is acknowledged.
func (o *outbox) take() (loose, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	loose, o.loose = o.loose, nil
	if o.next < len(o.pieces) {
		data = o.pieces[o.next].data
		o.next++
	}
	return loose, data
}

// write writes what is added to w until w fails, or stopped is closed.
func (o *outbox) write(w io.Writer, stopped <-chan struct{}) error {
	for {
		loose, data := o.take()
		for _, b := range [][]byte{loose, data} {
			if len(b) == 0 {
				continue
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		if len(loose)+len(data) > 0 {
			continue
		}
		select {
		case <-stopped:
			return nil
		case <-o.more:
			runtime.Gosched() // who is about to add something does so: one write costs more than all else of a frame
		}
	}
}
