package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/config"
	"parley/server"
	"parley/server/c2s"
	"parley/wire"
)

// listen opens every door that is configured.
func (n *Node) listen(ctx context.Context, g *errgroup.Group) error {
	l := n.Config.Listeners
	if !l.C2S.RequireTLS {
		n.Log.Warn("clients may do without TLS: what they say can be read on the way", "key", "listeners.c2s.require_tls")
	}
	for _, a := range l.C2S.Addresses {
		if err := n.serve(g, "c2s", a, func(nl net.Listener) error { return n.door.Serve(nl, false) }); err != nil {
			return err
		}
	}
	for _, a := range l.C2STLS.Addresses {
		if err := n.serve(g, "c2s_tls", a, func(nl net.Listener) error { return n.door.Serve(nl, true) }); err != nil {
			return err
		}
	}
	for _, a := range l.WebSocket.Addresses {
		if err := n.serveHTTP(g, "websocket", a, n.webHandler(false), n.webTLS(), n.Config.Limits.ConnectionsPerAddress); err != nil {
			return err
		}
	}
	for _, a := range l.WebSocket.PlainAddresses {
		if err := n.serveHTTP(g, "websocket_plain", a, n.webHandler(true), nil, 0); err != nil {
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

func (n *Node) serve(g *errgroup.Group, door, addr string, f func(net.Listener) error) error {
	nl, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for %s on %s: %w", door, addr, err)
	}
	n.mu.Lock()
	if n.addrs[door] == nil {
		n.addrs[door] = nl.Addr()
	}
	n.mu.Unlock()
	n.Log.Info("listening", "door", door, "address", nl.Addr().String())
	g.Go(func() error { return f(nl) })
	return nil
}

// serveHTTP serves h until the node stops. perAddress is how many connections an address may have; 0: no limit, as behind a
// proxy, whose address is everybody's.
func (n *Node) serveHTTP(g *errgroup.Group, door, addr string, h http.Handler, cfg *tls.Config, perAddress int) error {
	if n.acme != nil {
		h = n.acme.HTTP(h) // HTTP-01
	}
	s := &http.Server{Handler: h, TLSConfig: cfg, ReadHeaderTimeout: n.Config.Limits.HandshakeTimeout, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(n.Log.Handler(), slog.LevelDebug)}
	n.stop = append(n.stop, func(ctx context.Context) {
		if s.Shutdown(ctx) != nil {
			s.Close()
		}
	})
	return n.serve(g, door, addr, func(nl net.Listener) error {
		nl = limit(nl, n.Config.Limits.Connections, perAddress)
		if cfg != nil {
			nl = tls.NewListener(nl, cfg)
		}
		if err := s.Serve(nl); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
}

func (n *Node) webHandler(proxied bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(n.Config.Listeners.WebSocket.Path, n.door.WebSocket(n.Config.Listeners.WebSocket.Origins, proxied))
	if p := n.Config.Listeners.WebSocket.BOSHPath; p != "" {
		mux.Handle(p, n.door.BOSH(proxied))
	}
	n.handleHostMeta(mux)
	n.handleUploads(mux)
	n.handleWeb(mux, proxied)
	n.handleWebhooks(mux)
	n.handleSpaces(mux)
	return mux
}

// webTLS also answers an authority that looks for a proof (TLS-ALPN-01).
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

// certFiles gives each host's certificate, the default one first.
func certFiles(cfg *config.Config) []c2s.CertFile {
	var files []c2s.CertFile
	byName := make(map[string]int)
	add := func(cert, key string, hosts ...string) {
		if cert == "" {
			return
		}
		i, ok := byName[cert]
		if !ok {
			i = len(files)
			byName[cert] = i
			files = append(files, c2s.CertFile{Cert: cert, Key: key})
		}
		files[i].Hosts = append(files[i].Hosts, hosts...)
	}
	add(cfg.TLS.Certificate, cfg.TLS.Key)
	for _, h := range cfg.Hosts {
		if h.Certificate != "" {
			add(h.Certificate, h.Key, h.Domain)
		} else {
			add(cfg.TLS.Certificate, cfg.TLS.Key, h.Domain)
		}
	}
	return files
}

// doorConfig translates the configuration for the client door.
func doorConfig(n *Node, secret []byte) c2s.Config {
	l, sm, a := n.Config.Limits, n.Config.StreamManagement, n.Config.Auth
	conflict := map[string]server.Conflict{"replace": server.Replace, "refuse": server.Refuse, "generate": server.Generate}[a.ResourceConflict]
	return c2s.Config{
		Router: n.Router, Log: n.Log, Registry: n.Registry,
		StartTLS: n.tlsConfig(), DirectTLS: n.tlsConfig("xmpp-client"),
		Secrets: secrets{n}, Mechanisms: a.Mechanisms, Iterations: a.ScramIterations, Secret: secret, DowngradeHash: a.DowngradeProtection,
		TokenLifetime: a.TokenLifetime,
		Throttle:      n.throttle,
		AuthAttempts:  a.AttemptsPerStream, Conflict: conflict,
		SM: c2s.SMConfig{ResumeTimeout: sm.ResumeTimeout, MaxStanzas: sm.MaxStanzas, MaxBytes: int(sm.MaxBytes), AckEvery: sm.AckEvery,
			Sweep: sm.AckInterval, MaxMisses: sm.MaxMisses},
		Unauthenticated:  wire.Limits{Stanza: int(l.StanzaSizeUnauthenticated), Depth: 16, Attrs: l.Attributes},
		Authenticated:    wire.Limits{Stanza: int(l.StanzaSize), Depth: l.Depth, Attrs: l.Attributes},
		HandshakeTimeout: l.HandshakeTimeout, AuthTimeout: l.AuthTimeout, WriteTimeout: l.WriteTimeout, MaxQueue: int(l.SendQueue),
		BytesPerSecond: int(l.BytesPerSecond), Burst: int(l.BytesBurst), StanzasPerSecond: l.StanzasPerSecond, StanzasBurst: l.StanzasBurst,
		Register: n.register(), Invited: n.invited(), Invites: n.invites, OpenRegistration: n.Config.Registration.Enabled, RegisterPerHour: n.Config.Registration.PerHour,
		PlainStreams: !n.Config.Listeners.C2S.RequireTLS, MaxConnections: l.Connections, MaxPerAddress: l.ConnectionsPerAddress, KeepAlive: l.KeepAlive,
	}
}
