package c2s

import (
	"crypto/tls"
	"net"
	"time"

	"golang.org/x/time/rate"
)

// rawConn is an accepted connection. It limits its peer's rate and remembers which certificate the server used.
type rawConn struct {
	net.Conn
	pace *rate.Limiter    // nil: no limit
	cert *tls.Certificate // set in the handshake, for tls-server-end-point
}

// Read waits when the peer has sent more than its rate allows; TCP then makes the peer wait, too.
func (c *rawConn) Read(p []byte) (int, error) {
	if c.pace != nil && len(p) > c.pace.Burst() {
		p = p[:c.pace.Burst()]
	}
	n, err := c.Conn.Read(p)
	if c.pace != nil && n > 0 {
		if d := c.pace.ReserveN(time.Now(), n).Delay(); d > 0 {
			time.Sleep(d)
		}
	}
	return n, err
}
