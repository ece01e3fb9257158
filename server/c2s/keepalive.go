package c2s

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// quietTime is how long a stream over HTTP may stay silent, unless Config.Quiet sets another time. Proxies cut silent
// connections: nginx after 60 s by default, haproxy after 50 s in common configurations.
const quietTime = 40 * time.Second

// keepAlive pings the client of a silent WebSocket.
type keepAlive struct {
	ctx   context.Context // of pings
	end   context.CancelFunc
	c     *websocket.Conn
	quiet time.Duration
	last  atomic.Int64 // when something was last sent, in nanoseconds

	mu    sync.Mutex // guards what follows
	timer *time.Timer
	over  bool

	pings sync.WaitGroup
}

func newKeepAlive(ctx context.Context, c *websocket.Conn, quiet time.Duration) *keepAlive {
	k := &keepAlive{c: c, quiet: quiet}
	k.ctx, k.end = context.WithCancel(ctx)
	k.said()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.timer = time.AfterFunc(quiet, k.look)
	return k
}

// said notes that the server has sent something.
func (k *keepAlive) said() { k.last.Store(time.Now().UnixNano()) }

func (k *keepAlive) look() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return
	}
	quiet := time.Since(time.Unix(0, k.last.Load()))
	if quiet >= k.quiet {
		k.said()
		quiet = 0
		k.pings.Go(k.ping)
	}
	k.timer.Reset(k.quiet - quiet)
}

// ping sends a ping, which the client's WebSocket library answers. Nothing depends on the answer: stream management
// detects lost clients.
func (k *keepAlive) ping() {
	ctx, cancel := context.WithTimeout(k.ctx, k.quiet)
	defer cancel()
	_ = k.c.Ping(ctx)
}

func (k *keepAlive) stop() {
	k.mu.Lock()
	k.over = true
	k.timer.Stop()
	k.mu.Unlock()
	k.end()
	k.pings.Wait()
}
