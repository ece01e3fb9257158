// Package federation is the door to other servers: finding and dialling them, certificates, dialback, SASL EXTERNAL,
// queues and bounces (RFC 6120, XEP-0220, XEP-0178, XEP-0368).
package federation

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parley/internal/background"
	"parley/internal/door"
	"parley/server"
	"parley/wire"
)

// XEPs is what the door implements, for docs/xeps.md.
var XEPs = []server.XEP{
	{Title: "RFC 6120: Core", Notes: "client to server, server to server"},
	{Title: "RFC 7712: Domain Name Associations in XMPP", Notes: "DANE, where the resolver checks DNSSEC; no POSH", Partial: true},
	{Number: 178, Title: "Best Practices for Use of SASL EXTERNAL with Certificates", Version: "1.2", Notes: "between servers"},
	{Number: 185, Title: "Dialback Key Generation and Validation", Version: "1.0"},
	{Number: 220, Title: "Server Dialback", Version: "1.1.1", Notes: "only inside TLS, unless configured otherwise"},
	{Number: 288, Title: "Bidirectional Server-to-Server Connections", Version: "1.0.1"},
	{Number: 368, Title: "SRV records for XMPP over TLS", Version: "1.1.0", Notes: "direct TLS, ALPN xmpp-client and xmpp-server"},
}

// Config of the door; zero values mean the defaults, unless said otherwise.
type Config struct {
	Router   *server.Router
	Log      *slog.Logger
	Registry prometheus.Registerer // nil: no metrics

	Resolver   Resolver                      // nil: the system's
	DNSTimeout time.Duration                 // for one query, default 5 s
	DNSServer  string                        // "127.0.0.1:53", which Probe asks why Resolver finds nothing; "": nobody
	Secure     Secure                        // nil: no DANE
	Secret     []byte                        // of the deployment, for dialback keys
	Cert       func(string) *tls.Certificate // ours for a domain; nil or another's where there is none
	// AllowNetworks are networks besides the public internet that may be connected to.
	AllowNetworks []netip.Prefix
	Roots         *x509.CertPool // authorities to trust; nil: the system's
	MinTLS        uint16         // default TLS 1.2
	AllowPlain    bool           // streams without TLS, with dialback alone: for old servers in a closed network
	Policy        Policy
	NoBidi        bool // one stream for each direction, though XEP-0288 could do with one

	Limits           wire.Limits   // of stanzas
	MaxQueue         int           // bytes that wait for one pair of domains, default 1 MiB
	MaxQueued        int           // stanzas that do, default 1000
	MaxPairs         int           // outgoing streams, default 10,000
	MaxIncoming      int           // incoming streams, default 10,000
	MaxPerAddress    int           // of those, from one address (an IPv6 /64 counts as one), default 200
	MaxUnproven      int           // of those, that have not proven a domain, default 1000
	MaxUnprovenFrom  int           // of those, that claim the same domain or come from one address, default 50
	StanzasPerSecond int           // from one remote domain over all its streams, default 200
	StanzasBurst     int           // at once, default 2000
	HandshakeTimeout time.Duration // for TCP and TLS with one target, default 10 s
	AuthTimeout      time.Duration // from connecting to a proven domain, default 30 s
	WriteTimeout     time.Duration // for one write, default 30 s
	IdleTimeout      time.Duration // after which a stream without stanzas is closed, default 10 min
	BackoffMin       time.Duration // after the first failure with a domain; doubled with each further one, default 2 s
	BackoffMax       time.Duration // default 5 min
	KeepAlive        time.Duration // of TCP, default 1 min
}

func (c *Config) defaults() {
	for _, d := range []struct {
		at *time.Duration
		v  time.Duration
	}{{&c.DNSTimeout, 5 * time.Second}, {&c.HandshakeTimeout, 10 * time.Second}, {&c.AuthTimeout, 30 * time.Second},
		{&c.WriteTimeout, 30 * time.Second}, {&c.IdleTimeout, 10 * time.Minute}, {&c.BackoffMin, 2 * time.Second},
		{&c.BackoffMax, 5 * time.Minute}, {&c.KeepAlive, time.Minute}} {
		if *d.at <= 0 {
			*d.at = d.v
		}
	}
	for _, d := range []struct {
		at *int
		v  int
	}{{&c.MaxQueue, 1 << 20}, {&c.MaxQueued, 1000}, {&c.MaxPairs, 10000}, {&c.MaxIncoming, 10000}, {&c.MaxPerAddress, 200},
		{&c.MaxUnproven, 1000}, {&c.MaxUnprovenFrom, 50}, {&c.StanzasPerSecond, 200}, {&c.StanzasBurst, 2000}} {
		if *d.at <= 0 {
			*d.at = d.v
		}
	}
	if c.MinTLS == 0 {
		c.MinTLS = tls.VersionTLS12
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	if c.Cert == nil {
		c.Cert = func(string) *tls.Certificate { return nil }
	}
}

// Server is the door. Make it with New, give it to Router.SetRemote and listeners to Serve, stop it with Shutdown. Safe
// from any goroutine.
type Server struct {
	cfg   Config
	log   *slog.Logger
	keys  keys
	rates rates
	backs backoffs
	rules atomic.Pointer[rules]
	known states
	asks  chan struct{} // holds one token for each verification under way
	gate  *door.Gate    // of incoming streams

	ctx    context.Context // of all work; ends with Shutdown
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	peers     map[pair]*peer
	back      map[pair]*incoming // streams of others that may be used for the pair (XEP-0288)
	streams   map[*incoming]struct{}
	claimed   map[string]int // streams that have not proven the domain that they claim
	listeners []net.Listener
	stopping  bool

	gauge   *prometheus.GaugeVec
	refused *prometheus.CounterVec
	bounced prometheus.Counter
}

// maxAsks is how many dialback verifications may be under way.
const maxAsks = 200

// New makes a door that is closed.
func New(cfg Config) *Server {
	cfg.defaults()
	s := &Server{cfg: cfg, log: cfg.Log.With("door", "s2s"), keys: newKeys(cfg.Secret), peers: make(map[pair]*peer), back: make(map[pair]*incoming),
		streams: make(map[*incoming]struct{}), claimed: make(map[string]int), asks: make(chan struct{}, maxAsks)}
	s.gate = door.NewGate(door.Limits{All: cfg.MaxIncoming, PerAddress: cfg.MaxPerAddress, Pending: cfg.MaxUnproven, PendingPerAddress: cfg.MaxUnprovenFrom})
	s.rates.init(cfg.StanzasPerSecond, cfg.StanzasBurst)
	s.backs.init(cfg.BackoffMin, cfg.BackoffMax)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.gauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "parley_s2s_streams", Help: "Streams with other servers."}, []string{"direction"})
	s.refused = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_s2s_refused_total", Help: "Connections and claims of other servers refused."}, []string{"why"})
	s.bounced = prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_s2s_bounced_total", Help: "Stanzas that could not be sent to another server."})
	if cfg.Registry != nil {
		cfg.Registry.MustRegister(s.gauge, s.refused, s.bounced)
	}
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
	return door.Serve(l, s.log, func(nc net.Conn) { s.accept(nc, direct) })
}

// closedLevel is what the end of a stream is logged with: when the server stops, one line says that all of them end.
func (s *Server) closedLevel() slog.Level {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// Shutdown stops accepting, says goodbye on every stream (system-shutdown) and waits until what is queued has gone out
// or bounced; what is left when ctx ends is cut.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	for _, l := range s.listeners {
		l.Close()
	}
	for in := range s.streams {
		s.wg.Go(func() { in.goodbye(&wire.StreamError{Condition: "system-shutdown"}) })
	}
	for _, p := range s.peers {
		p.stop()
	}
	s.mu.Unlock()
	background.Wait(ctx, s.wg.Wait)
	s.cancel() // closes what is still open
	s.wg.Wait()
}

// Status is one stream, for people who look.
type Status struct {
	From, To string // the pair; for an incoming stream From is the other server's domain
	Incoming bool
	Since    time.Time
	How      string // "external", "dialback"; "" while it is being negotiated
	Queued   int    // stanzas that wait
}

// Streams gives what there is now.
func (s *Server) Streams() []Status {
	s.mu.Lock()
	var out []Status
	peers := make([]*peer, 0, len(s.peers))
	for _, p := range s.peers {
		peers = append(peers, p)
	}
	for in := range s.streams {
		if st := in.status.Load(); st != nil {
			out = append(out, *st)
		}
	}
	s.mu.Unlock()
	for _, p := range peers {
		out = append(out, p.status())
	}
	return out
}
