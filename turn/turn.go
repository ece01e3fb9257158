// Package turn is a relay for calls (STUN, RFC 8489; TURN, RFC 8656): clients that cannot reach each other send through
// it. Clients need credentials from the XMPP server (XEP-0215), and reach only addresses on the internet.
package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/logging"
	pion "github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"

	"parley/auth"
	"parley/internal/clock"
	"parley/internal/door"
)

// Config holds the settings of the relay.
type Config struct {
	Realm   string
	Secret  string     // credentials are made from it
	Public  netip.Addr // this machine's address as others see it
	Local   netip.Addr // where relays are opened, if that differs; zero: Public
	MinPort uint16     // of relays; 0: any
	MaxPort uint16
	Allow   []netip.Prefix // private networks that may be relayed to
	PerUser int            // relays per person at the same time; 0: no limit
	Total   int            // relays in all; 0: no limit
	Rate    int            // bytes per second of one person's relays in both directions together; 0: no limit
	// Allowed reports whether an account may have relays now; nil allows all. It is called when a client presents its
	// credentials, and every Check (default 30 s) for each account with relays.
	Allowed func(account string) bool
	Check   time.Duration
	Clock   clock.Clock // for the expiry of credentials
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Listener accepts TURN over TCP. Door's SignIn limits how long a connection may stay without a relay.
type Listener struct {
	Door *door.Listener
	TLS  *tls.Config // nil: without TLS
}

// Server is a running relay.
type Server struct {
	cfg     Config
	pion    *pion.Server
	tcp     []Listener
	mine    map[netip.Addr]bool // the addresses of this machine
	gauge   prometheus.Gauge
	dropped prometheus.Counter
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	users  map[string]int
	total  int
	people map[string]*user
	open   map[uint16]int // the ports of relays
}

// Serve runs a relay on these sockets until Close. The sockets belong to the Server from now on.
func Serve(cfg Config, udp []net.PacketConn, tcp []Listener) (*Server, error) {
	if !cfg.Local.IsValid() {
		cfg.Local = cfg.Public
	}
	if cfg.Allowed == nil {
		cfg.Allowed = func(string) bool { return true }
	}
	if cfg.Check <= 0 {
		cfg.Check = 30 * time.Second
	}
	s := &Server{
		cfg:    cfg,
		tcp:    tcp,
		mine:   machine(),
		users:  make(map[string]int),
		people: make(map[string]*user),
		open:   make(map[uint16]int),
		gauge: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parley_turn_relays",
			Help: "Relays that are open for calls.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_turn_dropped_total",
			Help: "Datagrams that were not relayed because somebody's were too many.",
		}),
	}
	cfg.Metrics.MustRegister(s.gauge, s.dropped)
	pc := pion.ServerConfig{Realm: cfg.Realm, AuthHandler: s.auth, QuotaHandler: s.quota,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: debug{cfg.Log}, DefaultLogLevel: logging.LogLevelWarn},
		EventHandler: pion.EventHandler{
			OnAllocationCreated: func(from, _ net.Addr, _, user, _ string, _ net.Addr, _ int) {
				s.count(user, 1)
				s.settle(from, true)
			},
			OnAllocationDeleted: func(from, _ net.Addr, _, user, _ string) {
				s.count(user, -1)
				s.settle(from, false)
			},
		}}
	may := func(_ net.Addr, peer net.IP) bool { return s.may(peer) }
	for _, c := range udp {
		pc.PacketConnConfigs = append(pc.PacketConnConfigs,
			pion.PacketConnConfig{PacketConn: c, RelayAddressGenerator: ports{s}, PermissionHandler: may})
	}
	for _, l := range tcp {
		var nl net.Listener = l.Door
		if l.TLS != nil {
			nl = tls.NewListener(nl, l.TLS)
		}
		pc.ListenerConfigs = append(pc.ListenerConfigs,
			pion.ListenerConfig{Listener: nl, RelayAddressGenerator: ports{s}, PermissionHandler: may})
	}
	var err error
	if s.pion, err = pion.NewServer(pc); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.wg.Go(func() { s.watch(ctx) })
	return s, nil
}

// Close ends all relays.
func (s *Server) Close() error {
	s.stop()
	s.wg.Wait()
	s.cfg.Metrics.Unregister(s.gauge)
	s.cfg.Metrics.Unregister(s.dropped)
	err := s.pion.Close()
	for _, l := range s.tcp {
		err = errors.Join(err, l.Door.Cut()) // the library leaves connections open
	}
	return err
}

// settle notes whether the connection from an address has a relay. A connection without a relay is closed after a
// while; the library itself would keep it as long as the client likes.
func (s *Server) settle(from net.Addr, relay bool) {
	for _, l := range s.tcp {
		switch c := l.Door.From(from); {
		case c == nil:
		case relay:
			door.SignedIn(c)
		default:
			door.SignedOut(c)
		}
	}
}

// auth checks credentials and their expiry. A relay is not refreshed with expired ones.
func (s *Server) auth(r *pion.RequestAttributes) (string, []byte, bool) {
	stamp, who, ok := strings.Cut(r.Username, ":")
	until, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil || who == "" || s.cfg.Clock.Now().Unix() > until || !s.cfg.Allowed(who) {
		return "", nil, false
	}
	_, password := auth.RelayCredentials(s.cfg.Secret, who, time.Unix(until, 0))
	return who, pion.GenerateAuthKey(r.Username, r.Realm, password), true
}

func (s *Server) quota(user, _ string, _ net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return (s.cfg.PerUser <= 0 || s.users[user] < s.cfg.PerUser) && (s.cfg.Total <= 0 || s.total < s.cfg.Total)
}

func (s *Server) count(user string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gauge.Add(float64(n))
	s.total += n
	if s.users[user] += n; s.users[user] <= 0 {
		delete(s.users, user)
	}
}

// ports opens relays, for UDP only: a relay of TCP connections (RFC 6062) would be an open proxy.
type ports struct{ s *Server }

var errNoTCP = errors.New("turn: only UDP is relayed")

// Validate checks the addresses and ports.
func (p ports) Validate() error {
	if !p.s.cfg.Public.IsValid() || p.s.cfg.MinPort > p.s.cfg.MaxPort {
		return errors.New("turn: the address or the ports are missing")
	}
	return nil
}

// tries is how many random ports are tried before the client gets an error.
const tries = 20

// AllocatePacketConn opens a socket for a relay, on the requested port or a random one.
func (p ports) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	low, high := int(p.s.cfg.MinPort), int(p.s.cfg.MaxPort)
	if c.RequestedPort != 0 && (c.RequestedPort < low || c.RequestedPort > high) {
		return nil, nil, errors.New("turn: the port is outside of the configured range")
	}
	var err error
	for range tries {
		port := c.RequestedPort
		if port == 0 && high > 0 {
			port = low + rand.IntN(high-low+1)
		}
		var pc *net.UDPConn
		pc, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.s.cfg.Local, uint16(port))))
		if err == nil {
			return p.s.relayOf(c.UserID, pc),
				&net.UDPAddr{IP: p.s.cfg.Public.AsSlice(), Port: pc.LocalAddr().(*net.UDPAddr).Port}, nil
		}
	}
	return nil, nil, err
}

// AllocateListener fails: only UDP is relayed.
func (ports) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn fails: only UDP is relayed.
func (ports) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// debug logs the library's messages at debug level, since strangers cause most of them.
type debug struct{ log *slog.Logger }

// Write logs one message.
func (d debug) Write(b []byte) (int, error) {
	d.log.Debug("turn", "said", strings.TrimSpace(string(b)))
	return len(b), nil
}
