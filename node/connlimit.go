package node

import (
	"net"
	"net/netip"
	"sync"

	"parley/netaddr"
)

// limited is a listener that lets in so many connections at once, in all and from one address; those beyond are closed as
// they come. An HTTP server bounds how long a connection may say nothing, not how many there are.
type limited struct {
	net.Listener
	max, perAddress int // 0: no limit

	mu   sync.Mutex
	all  int
	from map[netip.Addr]int
}

func limit(l net.Listener, most, perAddress int) *limited {
	return &limited{Listener: l, max: most, perAddress: perAddress, from: make(map[netip.Addr]int)}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		var who netip.Addr
		if a, err := netip.ParseAddrPort(c.RemoteAddr().String()); err == nil {
			who = netaddr.Key(a.Addr())
		}
		if l.enter(who) {
			return &counted{Conn: c, leave: sync.OnceFunc(func() { l.leave(who) })}, nil
		}
		_ = c.Close()
	}
}

func (l *limited) enter(who netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.max > 0 && l.all >= l.max || l.perAddress > 0 && l.from[who] >= l.perAddress {
		return false
	}
	l.all++
	l.from[who]++
	return true
}

func (l *limited) leave(who netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.from[who]--; l.from[who] == 0 {
		delete(l.from, who)
	}
}

// counted is a connection that leaves when it is closed.
type counted struct {
	net.Conn
	leave func()
}

func (c *counted) Close() error {
	c.leave()
	return c.Conn.Close()
}
