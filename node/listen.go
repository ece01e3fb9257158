package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/config"
	"parley/feature/register"
	"parley/internal/door"
	"parley/server"
	"parley/server/c2s"
	"parley/wire"
)

// listen opens every door that is configured.
func (n *Node) listen(ctx context.Context, g *errgroup.Group) error {
	l := n.Config.Listeners
	if !l.C2S.RequireTLS {
		n.Log.Warn("clients may connect without TLS: others can read what they send", "key",
			"listeners.c2s.require_tls")
	}
	if fit := n.doors.Connections(); fit > 0 && fit < n.Config.Limits.Connections {
		n.Log.Warn("the process may open fewer files than the allowed connections: further connections are refused",
			"connections", fit, "key", "limits.connections")
	}
	for _, a := range l.C2S.Addresses {
		if err := n.serve(g, "c2s", a,
			l.C2S.TrustedProxies, func(nl net.Listener) error { return n.door.Serve(nl, false) }); err != nil {
			return err
		}
	}
	for _, a := range l.C2STLS.Addresses {
		if err := n.serve(g, "c2s_tls", a,
			l.C2STLS.TrustedProxies, func(nl net.Listener) error { return n.door.Serve(nl, true) }); err != nil {
			return err
		}
	}
	proxies := door.Trust(config.Networks(l.WebSocket.TrustedProxies))
	for _, a := range l.WebSocket.Addresses {
		if err := n.serveHTTP(g, "websocket", a, n.webHandler(false), n.webTLS(), proxies); err != nil {
			return err
		}
	}
	if !proxies.Any() {
		proxies = door.TrustNear()
	}
	for _, a := range l.WebSocket.PlainAddresses {
		if err := n.serveHTTP(g, "websocket_plain", a, n.webHandler(true), nil, proxies); err != nil {
			return err
		}
	}
	if err := n.listenComponents(g); err != nil {
		return err
	}
	if err := n.listenFederation(g); err != nil {
		return err
	}
	if err := n.listenTURN(ctx, g); err != nil {
		return err
	}
	if err := n.listenProxy65(g); err != nil {
		return err
	}
	return n.listenAdmin(ctx, g)
}

// serve opens a listener for f, which counts connections itself. proxies are the networks that may forward clients'
// addresses.
func (n *Node) serve(g *errgroup.Group, name, addr string, proxies []string, f func(net.Listener) error) error {
	nl, err := n.open(addr, door.Config{
		Name:    name,
		Proxies: door.Trust(config.Networks(proxies)),
		Header:  n.Config.Limits.HandshakeTimeout,
	})
	if err != nil {
		return err
	}
	g.Go(func() error { return f(nl) })
	return nil
}

// open opens a listener and notes its address.
func (n *Node) open(addr string, cfg door.Config) (*door.Listener, error) {
	nl, err := n.doors.Listen(addr, cfg)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	if n.addrs[cfg.Name] == nil {
		n.addrs[cfg.Name] = nl.Addr()
	}
	n.mu.Unlock()
	n.Log.Info("listening", "door", cfg.Name, "address", nl.Addr().String())
	return nl, nil
}

// serveHTTP serves h until the node stops.
func (n *Node) serveHTTP(g *errgroup.Group, name, addr string, h http.Handler, cfg *tls.Config,
	proxies door.Proxies) error {
	if n.acme != nil {
		h = n.acme.HTTP(h) // HTTP-01
	}
	h = proxies.Handler(n.doors.Requests(h), n.Log)
	l := n.Config.Limits
	open, err := n.open(addr, door.Config{
		Name:    name,
		Proxies: proxies,
		Header:  l.HandshakeTimeout,
		Write:   l.WriteTimeout,
		Limits:  door.Limits{All: l.Connections, PerAddress: l.ConnectionsPerAddress},
	})
	if err != nil {
		return err
	}
	var nl net.Listener = open
	if cfg != nil {
		nl = tls.NewListener(nl, cfg)
	}
	s := &http.Server{
		Handler:           h,
		TLSConfig:         cfg,
		ReadHeaderTimeout: n.Config.Limits.HandshakeTimeout,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(n.Log.Handler(), slog.LevelDebug),
	}
	n.stop = append(n.stop, func(ctx context.Context) {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	})
	g.Go(func() error {
		if err := s.Serve(nl); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			return fmt.Errorf("serve %s: %w", name, err)
		}
		return nil
	})
	return nil
}

func (n *Node) webHandler(proxied bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(n.Config.Listeners.WebSocket.Path, n.door.WebSocket(n.Config.Listeners.WebSocket.Origins, proxied))
	if p := n.Config.Listeners.WebSocket.BOSHPath; p != "" {
		mux.Handle(p, n.door.BOSH(proxied))
	}
	c2s.HandleHostMeta(mux, n.hostMeta)
	n.handleUploads(mux)
	n.handleWeb(mux, proxied)
	n.handleWebhooks(mux)
	n.handleSpaces(mux)
	return mux
}

// hostMeta gives the URLs of a host as clients reach them.
func (n *Node) hostMeta(domain string) (m c2s.HostMeta, ok bool) {
	if n.Host(domain) == nil {
		return m, false
	}
	at, w := n.publicURL(domain), n.Config.Listeners.WebSocket
	m.WebSocket = "ws" + strings.TrimPrefix(at, "http") + w.Path
	if w.BOSHPath != "" {
		m.BOSH = at + w.BOSHPath
	}
	return m, true
}

// webTLS gives a TLS configuration that also answers the ACME authority's checks (TLS-ALPN-01).
func (n *Node) webTLS() *tls.Config {
	c := n.tlsConfig("http/1.1")
	if n.acme != nil {
		c = n.acme.TLS(c)
	}
	return c
}

func (n *Node) tlsConfig(alpn ...string) *tls.Config {
	c := n.certs.TLS(alpn...)
	if n.Config.TLS.MinVersion == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	return c
}

// doorConfig makes the configuration of the client door.
func doorConfig(n *Node, secret []byte) c2s.Config {
	l, sm, a := n.Config.Limits, n.Config.StreamManagement, n.Config.Auth
	conflict := map[string]server.Conflict{
		"replace":  server.Replace,
		"refuse":   server.Refuse,
		"generate": server.Generate,
	}[a.ResourceConflict]
	return c2s.Config{
		Router:        n.Router,
		Store:         n.Store,
		Log:           n.Log,
		Registry:      n.Registry,
		StartTLS:      n.tlsConfig(),
		DirectTLS:     n.tlsConfig("xmpp-client"),
		Secrets:       secrets{n},
		Mechanisms:    a.Mechanisms,
		Iterations:    a.ScramIterations,
		Secret:        secret,
		DowngradeHash: a.DowngradeProtection,
		TokenLifetime: a.TokenLifetime,
		Throttle:      n.throttle,
		Failures:      n.failures,
		AuthAttempts:  a.AttemptsPerStream,
		Conflict:      conflict,
		SM: c2s.SMConfig{
			ResumeTimeout: sm.ResumeTimeout,
			MaxStanzas:    sm.MaxStanzas,
			MaxBytes:      int(sm.MaxBytes),
			AckEvery:      sm.AckEvery,
			Sweep:         sm.AckInterval,
			MaxMisses:     sm.MaxMisses,
		},
		Unauthenticated:  wire.Limits{Stanza: int(l.StanzaSizeUnauthenticated), Depth: 16, Attrs: l.Attributes},
		Authenticated:    wire.Limits{Stanza: int(l.StanzaSize), Depth: l.Depth, Attrs: l.Attributes},
		HandshakeTimeout: l.HandshakeTimeout,
		AuthTimeout:      l.AuthTimeout,
		WriteTimeout:     l.WriteTimeout,
		MaxQueue:         int(l.SendQueue),
		BytesPerSecond:   int(l.BytesPerSecond),
		Burst:            int(l.BytesBurst),
		StanzasPerSecond: l.StanzasPerSecond,
		StanzasBurst:     l.StanzasBurst,
		Register:         register.ByRules{People: n.people, Open: n.Config.Registration.Enabled}.Register,
		Invited:          n.invited(),
		Invites:          n.invites,
		OpenRegistration: n.Config.Registration.Enabled,
		RegisterPerHour:  n.Config.Registration.PerHour,
		PlainStreams:     !n.Config.Listeners.C2S.RequireTLS,
		MaxConnections:   l.Connections,
		MaxPerAddress:    l.ConnectionsPerAddress,
		MaxPending:       l.ConnectionsPending,
		KeepAlive:        l.KeepAlive,
	}
}
