// Package federation communicates with other servers: it finds and dials them, checks certificates, does dialback and
// SASL EXTERNAL, queues stanzas and returns what it cannot deliver (RFC 6120, XEP-0220, XEP-0178, XEP-0368).
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
	"parley/internal/clock"
	"parley/internal/door"
	"parley/server"
	"parley/wire"
)

// XEPs lists what this package implements, for docs/xeps.md.
var XEPs = []server.XEP{
	{Title: "RFC 6120: Core", Notes: "client to server, server to server"},
	{
		Title:   "RFC 7712: Domain Name Associations in XMPP",
		Notes:   "DANE, where the resolver checks DNSSEC; no POSH",
		Partial: true,
	},
	{
		Number:  178,
		Title:   "Best Practices for Use of SASL EXTERNAL with Certificates",
		Version: "1.2",
		Notes:   "between servers",
	},
	{Number: 185, Title: "Dialback Key Generation and Validation", Version: "1.0"},
	{Number: 220, Title: "Server Dialback", Version: "1.1.1", Notes: "only inside TLS, unless configured otherwise"},
	{Number: 288, Title: "Bidirectional Server-to-Server Connections", Version: "1.0.1"},
	{
		Number:  368,
		Title:   "SRV records for XMPP over TLS",
		Version: "1.1.0",
		Notes:   "direct TLS, ALPN xmpp-client and xmpp-server",
	},
}

// Config holds the settings of a Server. Zero values mean the defaults, unless the field says otherwise.
type Config struct {
	Router   *server.Router
	Clock    clock.Clock
	Log      *slog.Logger
	Registry prometheus.Registerer // nil: no metrics

	Resolver   Resolver      // nil: the system's
	DNSTimeout time.Duration // time for one DNS query; default 5 s
	// a DNS server such as "127.0.0.1:53" that Probe asks why Resolver finds nothing; "": none
	DNSServer string
	Secure    Secure // nil: no DANE
	Secret    []byte // of the deployment; dialback keys are made from it
	// our certificate for a domain; nil, or another domain's, if it has none
	Cert func(string) *tls.Certificate
	// AllowNetworks lists the networks besides the public internet that the server may connect to.
	AllowNetworks []netip.Prefix
	Roots         *x509.CertPool // authorities to trust; nil: the system's
	MinTLS        uint16         // the authorities to trust; nil: the system's
	AllowPlain    bool           // allow streams without TLS, by dialback: for old servers in a closed network
	Policy        Policy
	NoBidi        bool // use one stream for each direction, also where XEP-0288 would need only one

	Limits           wire.Limits   // of stanzas
	MaxQueue         int           // bytes that wait for one pair of domains; default 1 MiB
	MaxQueued        int           // stanzas that wait for one pair of domains; default 1000
	MaxPairs         int           // outgoing streams; default 10,000
	MaxIncoming      int           // incoming streams; default 10,000
	MaxPerAddress    int           // incoming streams from one address (an IPv6 /64 counts as one); default 200
	MaxUnproven      int           // incoming streams that have not proven a domain; default 1000
	MaxUnprovenFrom  int           // those that claim the same domain or come from one address; default 50
	StanzasPerSecond int           // from one remote domain over all its streams; default 200
	StanzasBurst     int           // at once; default 2000
	HandshakeTimeout time.Duration // for TCP and TLS with one target; default 10 s
	AuthTimeout      time.Duration // from connecting to a proven domain; default 30 s
	WriteTimeout     time.Duration // time for one write; default 30 s
	IdleTimeout      time.Duration // a stream without stanzas is closed after it; default 10 min
	BackoffMin       time.Duration // after the first failure with a domain, doubled with each further one; default 2 s
	BackoffMax       time.Duration // the longest such time; default 5 min
	KeepAlive        time.Duration // of TCP; default 1 min
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
	}{
		{&c.MaxQueue, 1 << 20}, {&c.MaxQueued, 1000}, {&c.MaxPairs, 10000},
		{&c.MaxIncoming, 10000}, {&c.MaxPerAddress, 200}, {&c.MaxUnproven, 1000}, {&c.MaxUnprovenFrom, 50},
		{&c.StanzasPerSecond, 200}, {&c.StanzasBurst, 2000},
	} {
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

// Server communicates with other servers. Make it with New, pass it to Router.SetRemote and listeners to Serve, stop it
// with Shutdown. It is safe from any goroutine.
type Server struct {
	cfg   Config
	log   *slog.Logger
	keys  keys
	rates rates
	backs backoffs
	rules atomic.Pointer[rules]
	known states
	asks  chan struct{} // holds a token for each verification under way
	gate  *door.Gate    // limits incoming streams

	ctx    context.Context // for all work; ends with Shutdown
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu        sync.Mutex
	peers     map[pair]*peer
	back      map[pair]*incoming // streams of others that the pair may use (XEP-0288)
	streams   map[*incoming]struct{}
	claimed   map[string]int // number of streams that have not proven the domain that they claim
	listeners []net.Listener
	stopping  bool

	gauge   *prometheus.GaugeVec
	refused *prometheus.CounterVec
	bounced prometheus.Counter
}

// maxAsks is how many dialback verifications may be under way at once.
const maxAsks = 200

// New returns a server without listeners.
func New(cfg Config) *Server {
	cfg.defaults()
	s := &Server{
		cfg:     cfg,
		log:     cfg.Log.With("door", "s2s"),
		keys:    newKeys(cfg.Secret),
		peers:   make(map[pair]*peer),
		back:    make(map[pair]*incoming),
		streams: make(map[*incoming]struct{}),
		claimed: make(map[string]int),
		asks:    make(chan struct{}, maxAsks),
	}
	s.gate = door.NewGate(door.Limits{
		All:               cfg.MaxIncoming,
		PerAddress:        cfg.MaxPerAddress,
		Pending:           cfg.MaxUnproven,
		PendingPerAddress: cfg.MaxUnprovenFrom,
	})
	s.rates.init(cfg.StanzasPerSecond, cfg.StanzasBurst)
	s.backs.init(cfg.BackoffMin, cfg.BackoffMax)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.gauge = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "parley_s2s_streams",
		Help: "Streams with other servers.",
	}, []string{"direction"})
	s.refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_s2s_refused_total",
		Help: "Connections and claims of other servers refused.",
	}, []string{"why"})
	s.bounced = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_s2s_bounced_total",
		Help: "Stanzas that could not be sent to another server.",
	})
	if cfg.Registry != nil {
		cfg.Registry.MustRegister(s.gauge, s.refused, s.bounced)
	}
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
	return door.Serve(l, s.log, func(nc net.Conn) { s.accept(nc, direct) })
}

// closedLevel returns the level for logging the end of a stream. At shutdown a single line covers all streams.
func (s *Server) closedLevel() slog.Level {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// Shutdown stops accepting, ends every stream with system-shutdown, and waits until queued stanzas are sent or
// returned. When ctx ends, it cuts what is left.
func (s *Server) Shutdown(ctx context.Context) {
	s.mu.Lock()
	s.stopping = true
	listeners := s.listeners
	for in := range s.streams {
		s.wg.Go(func() { in.goodbye(&wire.StreamError{Condition: "system-shutdown"}) })
	}
	for _, p := range s.peers {
		p.stop()
	}
	s.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	background.Wait(ctx, s.wg.Wait)
	s.cancel() // closes the connections that are still open
	s.wg.Wait()
}

// Status describes one stream, for people who look at it.
type Status struct {
	From, To string // the pair; of an incoming stream, From is the other server's domain
	Incoming bool
	Since    time.Time
	How      string // "external" or "dialback"; "" during negotiation
	Queued   int    // number of waiting stanzas
}

// Streams returns the streams that exist now.
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
