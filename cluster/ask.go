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

// askTime is how long a node may take to answer whether it lives.
const askTime = 2 * time.Second

// word is what came of asking.
type word int

const (
	silent  word = iota // nothing came, or it cannot be asked from here
	refused             // nobody is there any more
	alive
)

// hello is what a node says to who connects.
func hello(id string, incarnation int64) string {
	return fmt.Sprintf("parley %s %d\n", id, incarnation)
}

// ask asks where a node is recorded to answer.
func ask(ctx context.Context, n store.ClusterNode) word {
	if onLoopback(n.Address) && (n.Scope == "" || n.Scope != scope()) {
		return silent // that is another machine's loopback
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", n.Address)
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
		return refused // another has its address by now
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
