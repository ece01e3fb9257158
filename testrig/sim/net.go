package sim

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// network is the network of a node. What crosses it waits until the world delivers it.
type network struct {
	node *Node

	mu        sync.Mutex
	dead      bool
	listeners map[string]*listener
}

// Listen is of node.Network. Every address is the node's own.
func (n *network) Listen(_, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l := &listener{name: address, in: make(chan net.Conn, backlog), stop: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

// DialContext is of node.Network. The answer comes when the world lets the connection be made.
func (n *network) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	d := &dial{from: n.node, address: address, answer: make(chan *pipe, 1)}
	n.node.world.wires.ask(d)
	defer n.node.world.wires.withdraw(d)
	select {
	case p := <-d.answer:
		if p != nil {
			return p, nil
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: ctx.Err()}
	}
}

// kill has nobody find the node any more.
func (n *network) kill() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.dead = true
}

// connect makes a connection to an address, and gives the node's end; nil if nobody listens.
func (n *network) connect(address string) *pipe {
	n.mu.Lock()
	l := n.listeners[address]
	dead := n.dead
	n.mu.Unlock()
	if l == nil || dead {
		return nil
	}
	p := newPipe()
	select {
	case <-l.stop:
		return nil
	case l.in <- p:
		return p
	default: // a node that starts listens before it accepts
		return nil
	}
}

// backlog is how many connections may wait to be accepted.
const backlog = 128

type listener struct {
	name string
	in   chan net.Conn
	once sync.Once
	stop chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.stop:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.stop) })
	return nil
}

func (l *listener) Addr() net.Addr { return addr(l.name) }

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

// pipe is a node's end of a connection, of a client or of another node. Bytes that a client has sent are up until the
// world delivers them; bytes that the node has written are down until the world delivers them.
type pipe struct {
	mu     sync.Mutex
	up     []byte // sent by the client, not delivered
	in     []byte // delivered, not read
	down   []byte // written by the server, not delivered
	closed bool   // by the server
	cut    bool   // by the network
	change chan struct{}

	read, write deadline
}

func newPipe() *pipe { return &pipe{change: make(chan struct{})} }

// window is how much may be on the way to a client before the server's writes wait.
const window = 64 << 10

func (p *pipe) changed() {
	close(p.change)
	p.change = make(chan struct{})
}

func (p *pipe) Read(b []byte) (int, error) {
	for {
		p.mu.Lock()
		n := copy(b, p.in)
		p.in = p.in[n:]
		cut, closed, change := p.cut, p.closed, p.change
		p.mu.Unlock()
		switch {
		case closed:
			return 0, net.ErrClosed
		case n > 0 || len(b) == 0:
			return n, nil
		case cut:
			return 0, io.EOF
		}
		select {
		case <-change:
		case <-p.read.wait():
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (p *pipe) Write(b []byte) (int, error) {
	for {
		p.mu.Lock()
		cut, closed, change, full := p.cut, p.closed, p.change, len(p.down) > window
		if !cut && !closed && !full {
			p.down = append(p.down, b...)
		}
		p.mu.Unlock()
		switch {
		case closed:
			return 0, net.ErrClosed
		case cut:
			return 0, syscall.ECONNRESET
		case !full:
			return len(b), nil
		}
		select {
		case <-change:
		case <-p.write.wait():
			return 0, os.ErrDeadlineExceeded
		}
	}
}

func (p *pipe) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.changed()
	}
	return nil
}

func (p *pipe) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5222} }
func (p *pipe) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 40000} }

func (p *pipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *pipe) SetReadDeadline(t time.Time) error  { p.read.set(t); return nil }
func (p *pipe) SetWriteDeadline(t time.Time) error { p.write.set(t); return nil }

// send is the client's: bytes begin their way to the server.
func (p *pipe) send(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up = append(p.up, s...)
}

// deliverUp brings what the client has sent to the server.
func (p *pipe) deliverUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = append(p.in, p.up...)
	p.up = nil
	p.changed()
}

// deliverDown gives the client what the server has written, and says whether the server has closed the connection.
func (p *pipe) deliverDown() (b []byte, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, p.down = p.down, nil
	p.changed()
	return b, p.closed
}

// bring brings what the other end has written, and says that nothing will follow if it has ended.
func (p *pipe) bring(b []byte, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.in = append(p.in, b...)
	p.cut = p.cut || ended
	p.changed()
}

// waits says what is on the way.
func (p *pipe) waits() (up, down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.up) > 0 && !p.cut && !p.closed, !p.cut && (len(p.down) > 0 || p.closed)
}

// sever ends the connection at once; what is on the way is lost, but what has been delivered can be read.
func (p *pipe) sever() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cut {
		p.cut, p.up, p.down = true, nil, nil
		p.changed()
	}
}

// deadline is a moment after which its channel is closed. The zero value is none.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{}
}

// wait gives the channel that is closed when the moment has come, also if the moment is changed meanwhile.
func (d *deadline) wait() chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over == nil {
		d.over = make(chan struct{})
	}
	return d.over
}

func (d *deadline) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if d.over == nil {
		d.over = make(chan struct{})
	}
	past := false
	select {
	case <-d.over:
		past = true
	default:
	}
	left := time.Until(t)
	if !t.IsZero() && left <= 0 {
		if !past {
			close(d.over)
		}
		return
	}
	if past {
		d.over = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	over := d.over
	d.timer = time.AfterFunc(left, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		select {
		case <-over:
		default:
			if d.over == over && !time.Now().Before(t) {
				close(over)
			}
		}
	})
}
