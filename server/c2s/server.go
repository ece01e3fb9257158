// Package c2s is the client door: TCP with STARTTLS, direct TLS and WebSocket; authentication, binding, stream
// management (RFC 6120, RFC 7395, XEP-0198, XEP-0368).
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

// Config is all that the door needs to know. Durations and limits of zero mean none, unless said otherwise.
type Config struct {
	Router    *server.Router
	Store     Store
	StartTLS  *tls.Config // see Certs.TLS
	DirectTLS *tls.Config // with ALPN xmpp-client
	Log       *slog.Logger
	Registry  prometheus.Registerer

	Mechanisms      []string // in order of preference
	Secrets         Secrets  // nil: an account has its own password and no other
	Iterations      int      // of accounts that do not exist, so that they look like others
	Secret          []byte   // for the salts of those accounts, clients' resources, tokens; kept for ever
	Throttle        *auth.Throttle
	Failures        *auth.Failures // nil: failed sign-ins are not noted
	DowngradeHash   bool           // XEP-0474
	TokenLifetime   time.Duration  // XEP-0484; 0: no tokens
	AuthAttempts    int            // failed ones on a stream before it is closed
	Conflict        server.Conflict
	SM              SMConfig
	Unauthenticated wire.Limits
	Authenticated   wire.Limits

	HandshakeTimeout time.Duration // from accepting to the end of TLS
	AuthTimeout      time.Duration // from accepting to binding
	WriteTimeout     time.Duration // for one write to a client
	MaxQueue         int           // bytes that may wait for a client
	BytesPerSecond   int           // from one client, on average
	Burst            int           // bytes from one client at once
	StanzasPerSecond int           // from one session, on average
	StanzasBurst     int
	MaxConnections   int
	MaxPerAddress    int                       // an IPv6 /64 counts as one address
	Quiet            time.Duration             // how long nothing goes out on a stream over HTTP, default 40 s: proxies cut what is quiet
	MaxPending       int                       // connections that have not signed in
	KeepAlive        time.Duration             // TCP keep-alive
	Register         Register                  // makes accounts for strangers; nil: they may not
	OpenRegistration bool                      // anyone may make an account, with or without an invitation
	Invited          Invited                   // looks at invitations of strangers; nil: there are none
	Invites          func(h *server.Host) bool // whether those of a host are looked at now; nil: always
	RegisterPerHour  int                       // from one address; 0: no limit
	PlainStreams     bool                      // streams over TCP may do without TLS; never with the mechanism PLAIN
}

// SMConfig is for XEP-0198.
type SMConfig struct {
	ResumeTimeout time.Duration // 0: streams cannot be resumed
	MaxStanzas    int           // unacknowledged ones of one session
	MaxBytes      int
	AckEvery      int           // stanzas after which an <r/> is sent at once
	Sweep         time.Duration // how often fewer than that are asked for
	MaxMisses     int           // sweeps without an answer before the connection is cut
}

// Server accepts clients. Make it with New, give it listeners with Serve, stop it with Shutdown.
type Server struct {
	cfg   Config
	log   *slog.Logger
	faker *auth.Faker
	sweep sweep

	registrations *auth.Throttle
	resume        resumables
	gate          *door.Gate // of streams over all transports

	ctx    context.Context // of the work done for clients; ends after Shutdown
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

// New makes a door that is closed.
func New(cfg Config) *Server {
	if cfg.Quiet <= 0 {
		cfg.Quiet = quietTime
	}
	s := &Server{cfg: cfg, log: cfg.Log.With("door", "c2s"), faker: auth.NewFaker(cfg.Secret, cfg.Iterations),
		registrations: registrationThrottle(cfg.RegisterPerHour), streams: make(map[*stream]struct{}),
		gate: door.NewGate(door.Limits{All: cfg.MaxConnections, PerAddress: cfg.MaxPerAddress, Pending: cfg.MaxPending})}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.connections = prometheus.NewGauge(prometheus.GaugeOpts{Name: "parley_c2s_connections", Help: "Client connections."})
	s.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_c2s_refused_total", Help: "Client connections and authentications refused."}, []string{"why"})
	cfg.Registry.MustRegister(s.connections, s.refused)
	s.wg.Go(func() { s.sweep.run(s.ctx, cfg.SM.Sweep) })
	s.wg.Go(func() { s.resume.run(s.ctx, time.Minute) })
	return s
}

// Serve accepts connections until the listener is closed by Shutdown. direct: TLS from the first byte (XEP-0368).
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

// admit counts a connection; why it may not come in, "" if it may.
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

// Shutdown stops accepting, says goodbye to every client (system-shutdown), keeps what they have not acknowledged, and
// returns when all streams have ended, or cuts them when ctx ends.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	for _, l := range s.listeners {
		l.Close()
	}
	var all []*stream
	for st := range s.streams {
		all = append(all, st)
	}
	s.mu.Unlock()
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

// endLater ends a session on a goroutine of its own: that takes locks which the caller may hold, and may run SQL. It does
// nothing once the server has stopped, which ends all sessions.
func (s *Server) endLater(b *bound, why *wire.StreamError) { s.ends.Go(func() { b.end(why) }) }

// waitStreams returns when no stream is left; nothing new comes in while stopping.
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
