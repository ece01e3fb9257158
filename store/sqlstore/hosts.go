package sqlstore

import (
	"context"
	"database/sql/driver"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// avoidFor is how long a database node that did not answer is tried last.
const avoidFor = 30 * time.Second

// hosts are the database nodes of a DSN. Connections are spread over them. When a node has not answered a commit in
// time, its connections are not used again, and new ones go to the others first.
//
// It is pgx's tracer, which is told the connection of each query.
type hosts struct {
	groups [][]pgconn.FallbackConfig // the addresses to try for one node, with TLS and without, in the order of the DSN

	mu     sync.Mutex
	next   int                  // in groups: where the next connection begins
	ips    map[string][]string  // of a name, as they were last looked up
	silent map[string]time.Time // by IP and port: when it has last not answered in time
}

func newHosts(c *pgx.ConnConfig) *hosts {
	h := &hosts{ips: make(map[string][]string), silent: make(map[string]time.Time)}
	lookup := c.LookupFunc
	c.LookupFunc = func(ctx context.Context, name string) ([]string, error) {
		ips, err := lookup(ctx, name)
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ips[name] = ips
		return ips, err
	}
	all := []pgconn.FallbackConfig{{Host: c.Host, Port: c.Port, TLSConfig: c.TLSConfig}}
	for _, f := range c.Fallbacks {
		all = append(all, *f)
	}
	last := ""
	for _, f := range all {
		if at := address(f.Host, f.Port); at == last {
			g := &h.groups[len(h.groups)-1]
			*g = append(*g, f)
		} else {
			h.groups = append(h.groups, []pgconn.FallbackConfig{f})
			last = at
		}
	}
	return h
}

func address(host string, port uint16) string {
	return net.JoinHostPort(host, strconv.Itoa(int(port)))
}

// order sets the order in which a new connection tries the nodes: silent ones last.
func (h *hosts) order(_ context.Context, c *pgx.ConnConfig) error {
	if len(h.groups) < 2 {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	var good, bad []*pgconn.FallbackConfig
	for i := range h.groups {
		g := h.groups[(h.next+i)%len(h.groups)]
		to := &good
		if h.avoid(g[0].Host, g[0].Port) {
			to = &bad
		}
		for i := range g {
			*to = append(*to, &g[i])
		}
	}
	h.next = (h.next + 1) % len(h.groups)
	good = append(good, bad...)
	c.Host, c.Port, c.TLSConfig, c.Fallbacks = good[0].Host, good[0].Port, good[0].TLSConfig, good[1:]
	return nil
}

// avoid is called with mu held.
func (h *hosts) avoid(name string, port uint16) bool {
	for _, ip := range append(h.ips[name], name) {
		if at, ok := h.silent[address(ip, port)]; ok && time.Since(at) < avoidFor {
			return true
		}
	}
	return false
}

// attemptKey marks the context of an attempt to commit: if its deadline passes, the node is silent.
type attemptKey struct{}

func (h *hosts) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (h *hosts) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	h.ended(ctx, c, d.Err)
}

func (h *hosts) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}

func (h *hosts) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

func (h *hosts) TraceBatchEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchEndData) {
	h.ended(ctx, c, d.Err)
}

// ended notes that a node is silent if a query, or several that were sent together, ended with an attempt's time.
func (h *hosts) ended(ctx context.Context, c *pgx.Conn, err error) {
	if err == nil || ctx.Err() == nil || ctx.Value(attemptKey{}) == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.silent[hostOf(c)] = time.Now()
}

func (h *hosts) TraceConnectStart(ctx context.Context, _ pgx.TraceConnectStartData) context.Context {
	return ctx
}

// TraceConnectEnd notes when a connection was made, and to which node.
func (h *hosts) TraceConnectEnd(_ context.Context, d pgx.TraceConnectEndData) {
	if d.Err == nil && d.Conn != nil {
		d.Conn.PgConn().CustomData()[madeAt] = time.Now()
	}
}

const madeAt = "parley.made"

func hostOf(c *pgx.Conn) string {
	if a := c.PgConn().Conn().RemoteAddr(); a != nil {
		return a.String()
	}
	return ""
}

// stale says whether a connection was made before its node was silent for too long.
func (h *hosts) stale(c *pgx.Conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.silent) == 0 {
		return false
	}
	at, ok := h.silent[hostOf(c)]
	since, _ := c.PgConn().CustomData()[madeAt].(time.Time)
	return ok && since.Before(at)
}

func (h *hosts) reset(_ context.Context, c *pgx.Conn) error {
	if h.stale(c) {
		return driver.ErrBadConn
	}
	return nil
}

// shouldPing is pgx's own rule, except for a node that would not answer.
func (h *hosts) shouldPing(_ context.Context, p stdlib.ShouldPingParams) bool {
	return p.IdleDuration > time.Second && !h.stale(p.Conn)
}
