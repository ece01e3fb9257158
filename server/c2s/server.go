// Package c2s serves clients: over TCP with STARTTLS, direct TLS, WebSocket and BOSH, with authentication, binding and
// stream management (RFC 6120, RFC 7395, XEP-0124, XEP-0198, XEP-0368).
package c2s

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/auth"
	"parley/internal/background"
	"parley/internal/door"
	"parley/server"
	"parley/wire"
)

// Config holds the settings of a Server. A zero duration or limit means no limit, unless the field says otherwise.
type Config struct {
	Router    *server.Router
	Store     Store
	StartTLS  *tls.Config // see Certs.TLS
	DirectTLS *tls.Config // with ALPN xmpp-client
	Log       *slog.Logger
	Registry  prometheus.Registerer

	Mechanisms      []string // in order of preference
	Secrets         Secrets  // nil: an account has only its own password
	Iterations      int      // pretended for accounts that do not exist, so that they look like others
	Secret          []byte   // for the salts of those accounts, clients' resources and tokens; must never change
	Throttle        *auth.Throttle
	Failures        *auth.Failures // records failed sign-ins; nil: nobody does
	DowngradeHash   bool           // XEP-0474
	TokenLifetime   time.Duration  // XEP-0484; 0: no tokens
	AuthAttempts    int            // failed ones before the stream is closed
	Conflict        server.Conflict
	SM              SMConfig
	Unauthenticated wire.Limits
	Authenticated   wire.Limits

	HandshakeTimeout time.Duration // from accepting to the end of the TLS handshake
	AuthTimeout      time.Duration // from accepting to binding
	WriteTimeout     time.Duration // for one write to a client
	MaxQueue         int           // bytes that may wait for a client
	BytesPerSecond   int           // from one client, on average
	Burst            int           // bytes from one client at once
	StanzasPerSecond int           // from one session, on average
	StanzasBurst     int
	MaxConnections   int
	MaxPerAddress    int // an IPv6 /64 counts as one address
	// how long a stream over HTTP may stay silent; 0: 40 s. Proxies cut silent connections
	Quiet            time.Duration
	MaxPending       int                       // connections before sign-in
	KeepAlive        time.Duration             // TCP keep-alive
	Register         Register                  // creates accounts for strangers; nil: they may not
	OpenRegistration bool                      // anyone may create an account, also without an invitation
	Invited          Invited                   // checks strangers' invitations; nil: there are none
	Invites          func(h *server.Host) bool // reports whether a host accepts invitations now; nil: always
	RegisterPerHour  int                       // from one address; 0: no limit
	PlainStreams     bool                      // TCP streams may do without TLS, but PLAIN is never offered then
}

// SMConfig holds the settings of stream management (XEP-0198).
type SMConfig struct {
	ResumeTimeout time.Duration // 0: streams cannot be resumed
	MaxStanzas    int           // unacknowledged stanzas per session
	MaxBytes      int
	AckEvery      int           // stanzas that cause an <r/> at once
	Sweep         time.Duration // how often smaller numbers are asked for
	MaxMisses     int           // sweeps without an answer before the connection is cut
}

// Server accepts clients. Make it with New, pass listeners to Serve, stop it with Shutdown. It is safe from any
// goroutine.
type Server struct {
	cfg   Config
	log   *slog.Logger
	faker *auth.Faker
	sweep sweep

	registrations *auth.Throttle
	resume        resumables
	gate          *door.Gate // limits streams over all transports

	ctx    context.Context // for work on behalf of clients; ends after Shutdown
	cancel context.CancelFunc

	mu        sync.Mutex
	streams   map[*stream]struct{}
	listeners []net.Listener
	stopping  bool
	wg        sync.WaitGroup
	ends      background.Group // of sessions and connections that something else ends

	connections prometheus.Gauge
	refused     *prometheus.CounterVec
}

// New returns a server without listeners.
func New(cfg Config) *Server {
	if cfg.Quiet <= 0 {
		cfg.Quiet = quietTime
	}
	s := &Server{
		cfg:           cfg,
		log:           cfg.Log.With("door", "c2s"),
		faker:         auth.NewFaker(cfg.Secret, cfg.Iterations),
		registrations: registrationThrottle(cfg.RegisterPerHour),
		streams:       make(map[*stream]struct{}),
		gate: door.NewGate(door.Limits{
			All:        cfg.MaxConnections,
			PerAddress: cfg.MaxPerAddress,
			Pending:    cfg.MaxPending,
		}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.connections = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "parley_c2s_connections",
		Help: "Client connections.",
	})
	s.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_c2s_refused_total",
		Help: "Client connections and authentications refused.",
	}, []string{"why"})
	cfg.Registry.MustRegister(s.connections, s.refused)
	s.wg.Go(func() { s.sweep.run(s.ctx, cfg.SM.Sweep) })
	s.wg.Go(func() { s.resume.run(s.ctx, time.Minute) })
	return s
}

// Serve accepts connections until Shutdown closes the listener; then it returns nil. direct says that connections begin
// with TLS (XEP-0368).
func (s *Server) Serve(l net.Listener, direct bool) error {
	s.mu.Lock()
	if s.stopping {
		s.mu.Unlock()
		return l.Close()
	}
	s.listeners = append(s.listeners, l)
	s.mu.Unlock()
	return door.Serve(l, s.log, func(nc net.Conn) {
		st := s.newStream(nc)
		if st == nil {
			nc.Close()
			return
		}
		s.wg.Go(func() { st.serveTCP(direct) })
	})
}

func (s *Server) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// admit counts a connection. It returns the reason to refuse it, or "".
func (s *Server) admit(st *stream) (why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return "stopping"
	}
	if st.pass, why = s.gate.Enter(st.addr, door.Shared(st.raw.Conn)); why != "" {
		return why
	}
	s.streams[st] = struct{}{}
	s.connections.Inc()
	return ""
}

func (s *Server) leave(st *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.streams, st)
	st.pass.Leave()
	s.connections.Dec()
}

// Shutdown stops accepting and ends every stream with system-shutdown. It returns when all streams have ended; when ctx
// ends, it cuts those that are left. Unacknowledged messages are kept for later.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	listeners, all := s.listeners, make([]*stream, 0, len(s.streams))
	for st := range s.streams {
		all = append(all, st)
	}
	s.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	bye := &wire.StreamError{Condition: "system-shutdown"}
	for _, b := range s.resume.all() {
		b.end(bye)
	}
	for _, st := range all {
		st.goodbye(bye)
	}
	if !background.Wait(ctx, s.waitStreams) {
		for _, st := range all {
			st.raw.Close()
		}
		s.waitStreams()
	}
	s.ends.Close()
	s.cancel()
	s.wg.Wait()
}

// endLater ends a session on a goroutine of its own: that takes locks which the caller may hold, and may run SQL. It
// does nothing once the server has stopped, which ends all sessions.
func (s *Server) endLater(b *bound, why *wire.StreamError) { s.ends.Go(func() { b.end(why) }) }

// waitStreams returns when no stream is left. No new stream begins during shutdown.
func (s *Server) waitStreams() {
	for {
		s.mu.Lock()
		var one *stream
		for st := range s.streams {
			one = st
			break
		}
		s.mu.Unlock()
		if one == nil {
			return
		}
		<-one.done
	}
}
