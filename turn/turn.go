// Package turn is a relay for calls (STUN, RFC 8489; TURN, RFC 8656): clients that cannot reach each other send through
// it. Only who has credentials that were given out over XMPP can (XEP-0215), and only to addresses of the internet.
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
	"parley/internal/door"
)

// Config of the relay.
type Config struct {
	Realm   string
	Secret  string     // what credentials are made of
	Public  netip.Addr // this machine's address as others see it
	Local   netip.Addr // where relays are opened, if that is another; zero: Public
	MinPort uint16     // of relays; 0: any
	MaxPort uint16
	Allow   []netip.Prefix // networks that are relayed to although they are private
	PerUser int            // relays of one person at the same time; 0: no limit
	Total   int            // relays of all; 0: no limit
	Rate    int            // bytes per second of one person's relays, both ways together; 0: no limit
	// Allowed says whether an account may have relays now; nil: all may. It is asked when a client shows its credentials, and
	// every Check (default 30 s) of those that have relays.
	Allowed func(account string) bool
	Check   time.Duration
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Listener is a door for TURN over TCP. Its connections are closed by Door's SignIn where they have no relay.
type Listener struct {
	Door *door.Listener
	TLS  *tls.Config // nil: without TLS
}

// Server is a running relay.
type Server struct {
	cfg     Config
	pion    *pion.Server
	tcp     []Listener
	mine    map[netip.Addr]bool // addresses of this machine
	gauge   prometheus.Gauge
	dropped prometheus.Counter
	stop    context.CancelFunc
	wg      sync.WaitGroup

	mu     sync.Mutex // guards what follows
	users  map[string]int
	total  int
	people map[string]*user
	open   map[uint16]int // ports of relays
}

// Serve relays for who comes to these sockets, which are the server's from now on, until Close.
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
	s := &Server{cfg: cfg, tcp: tcp, mine: machine(), users: make(map[string]int), people: make(map[string]*user), open: make(map[uint16]int),
		gauge:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "parley_turn_relays", Help: "Relays that are open for calls."}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_turn_dropped_total", Help: "Datagrams that were not relayed because somebody's were too many."})}
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
		pc.PacketConnConfigs = append(pc.PacketConnConfigs, pion.PacketConnConfig{PacketConn: c, RelayAddressGenerator: ports{s}, PermissionHandler: may})
	}
	for _, l := range tcp {
		var nl net.Listener = l.Door
		if l.TLS != nil {
			nl = tls.NewListener(nl, l.TLS)
		}
		pc.ListenerConfigs = append(pc.ListenerConfigs, pion.ListenerConfig{Listener: nl, RelayAddressGenerator: ports{s}, PermissionHandler: may})
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

// settle says that the connection from an address has a relay now, or has none any more: those with one stay, the others are
// closed after a while. The library takes a connection for as long as its client likes.
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

// auth takes credentials until their time is over; a relay that is open then is not refreshed.
func (s *Server) auth(r *pion.RequestAttributes) (string, []byte, bool) {
	stamp, who, ok := strings.Cut(r.Username, ":")
	until, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil || who == "" || time.Now().Unix() > until || !s.cfg.Allowed(who) {
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

// ports opens relays, for UDP only: a relay of connections (RFC 6062) would be a proxy for anything.
type ports struct{ s *Server }

var errNoTCP = errors.New("turn: only UDP is relayed")

func (p ports) Validate() error {
	if !p.s.cfg.Public.IsValid() || p.s.cfg.MinPort > p.s.cfg.MaxPort {
		return errors.New("turn: no address, or no ports")
	}
	return nil
}

// tries is how often a random port is tried before a client is told that there is none.
const tries = 20

func (p ports) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	low, high := int(p.s.cfg.MinPort), int(p.s.cfg.MaxPort)
	if c.RequestedPort != 0 && (c.RequestedPort < low || c.RequestedPort > high) {
		return nil, nil, errors.New("turn: not one of the ports")
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
			return p.s.relayOf(c.UserID, pc), &net.UDPAddr{IP: p.s.cfg.Public.AsSlice(), Port: pc.LocalAddr().(*net.UDPAddr).Port}, nil
		}
	}
	return nil, nil, err
}

func (ports) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

func (ports) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// debug takes what the library says: strangers cause most of it.
type debug struct{ log *slog.Logger }

func (d debug) Write(b []byte) (int, error) {
	d.log.Debug("turn", "said", strings.TrimSpace(string(b)))
	return len(b), nil
}
