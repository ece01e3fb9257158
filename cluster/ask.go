package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"parley/store"
)

// askTime is how long a node may take to answer that it is alive.
const askTime = 2 * time.Second

// outcome is the result of asking a node.
type outcome int

const (
	silent  outcome = iota // no answer came, or the node cannot be asked from here
	refused                // nothing listens there any more
	alive
)

// hello is the line that a node sends to every connection.
func hello(id string, incarnation int64) string {
	return fmt.Sprintf("parley %s %d\n", id, incarnation)
}

// ask connects to a node at its recorded address.
func (s *Seat) ask(ctx context.Context, n store.ClusterNode) outcome {
	if onLoopback(n.Address) && (n.Scope == "" || n.Scope != scope()) {
		return silent // it is the loopback address of another machine
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	dial := s.cfg.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	c, err := dial(ctx, "tcp", n.Address)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return refused
	}
	if err != nil {
		return silent
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(askTime))
	line, err := bufio.NewReader(io.LimitReader(c, 200)).ReadString('\n')
	switch {
	case err == nil && line == hello(n.ID, n.Incarnation):
		return alive
	case err == nil && strings.HasPrefix(line, "parley "):
		return refused // another program has its address by now
	}
	return silent
}

func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
