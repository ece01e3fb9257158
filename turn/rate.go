package turn

import (
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
)

// minBurst is what may always go at once: the largest datagram.
const minBurst = 64 << 10

// limits is how fast each person's relays may be, all of them and both ways together. What is too much is dropped, as a
// network does that is full; the programs that make calls slow down by that.
type limits struct {
	rate    int // bytes per second; 0: no limit
	dropped prometheus.Counter

	mu    sync.Mutex // guards what follows
	users map[string]*user
}

type user struct {
	*rate.Limiter
	relays int
}

// limited is c within its person's limit, until it is closed.
func (l *limits) limited(name string, c net.PacketConn) net.PacketConn {
	if l.rate <= 0 || name == "" { // the library looks for a free port in nobody's name
		return c
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, u := range l.users { // who has closed all, and waited as long as one has to wait: a new relay is no new start
		if u.relays == 0 && u.Tokens() >= float64(u.Burst()) {
			delete(l.users, n)
		}
	}
	u := l.users[name]
	if u == nil {
		u = &user{Limiter: rate.NewLimiter(rate.Limit(l.rate), max(l.rate, minBurst))}
		l.users[name] = u
	}
	u.relays++
	return &limitedConn{PacketConn: c, user: u, limits: l}
}

type limitedConn struct {
	net.PacketConn
	user   *user
	limits *limits
	once   sync.Once
}

func (c *limitedConn) may(n int) bool {
	ok := c.user.AllowN(time.Now(), n)
	if !ok {
		c.limits.dropped.Inc()
	}
	return ok
}

func (c *limitedConn) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := c.PacketConn.ReadFrom(b)
		if err != nil || c.may(n) {
			return n, from, err
		}
	}
}

func (c *limitedConn) WriteTo(b []byte, to net.Addr) (int, error) {
	if !c.may(len(b)) {
		return len(b), nil
	}
	return c.PacketConn.WriteTo(b, to)
}

func (c *limitedConn) Close() error {
	c.once.Do(func() {
		c.limits.mu.Lock()
		defer c.limits.mu.Unlock()
		c.user.relays--
	})
	return c.PacketConn.Close()
}
