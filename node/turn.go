package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"

	"parley/config"
	"parley/feature/extdisco"
	"parley/internal/door"
	"parley/store"
	"parley/turn"
	"parley/wire/jid"
)

// externalServices are what clients are told of (XEP-0215): those of the configuration, and the relay that is built in.
func (n *Node) externalServices() []extdisco.Service {
	var out []extdisco.Service
	for _, e := range n.Config.ExternalServices {
		out = append(out, extdisco.Service{Type: e.Type, Host: e.Host, Transport: e.Transport, Port: e.Port, Username: e.Username, Password: e.Password, Secret: e.Secret})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return append(out, n.relays...)
}

// listenTURN opens the relay for calls.
func (n *Node) listenTURN(ctx context.Context, g *errgroup.Group) (err error) {
	c := n.Config.TURN
	if !c.Enabled {
		return nil
	}
	kept, err := n.secret(ctx, "turn")
	if err != nil {
		return err
	}
	secret, host := hex.EncodeToString(kept), c.Host
	if host == "" {
		host = n.Config.Hosts[0].Domain
	}
	reached := host // what clients are told, where no certificate has to be for it
	if c.Host == "" {
		reached = c.PublicAddress
	}
	var udp []net.PacketConn
	var tcp []turn.Listener
	defer func() {
		for _, p := range udp {
			err = errors.Join(err, closed(err, p))
		}
		for _, l := range tcp {
			err = errors.Join(err, closed(err, l.Door))
		}
	}()
	over := door.Config{Name: "turn_tcp", Limits: door.Limits{All: c.Connections, PerAddress: c.ConnectionsPerAddress}, SignIn: n.Config.Limits.AuthTimeout, Write: n.Config.Limits.WriteTimeout,
		Proxies: door.Trust(config.Networks(c.TrustedProxies)), Header: n.Config.Limits.HandshakeTimeout}
	opened := func(a net.Addr, services ...extdisco.Service) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, s := range services {
			if s.Port = portOf(a); s.Host == "" {
				s.Host = reached
			}
			n.relays = append(n.relays, s)
			if key := s.Type + "_" + s.Transport; n.addrs[key] == nil {
				n.addrs[key] = a
			}
		}
		n.Log.Info("listening", "door", "turn", "address", a.String())
	}
	for _, a := range c.Addresses {
		p, err := net.ListenPacket("udp", a)
		if err != nil {
			return fmt.Errorf("listen for turn on %s: %w", a, err)
		}
		udp = append(udp, p)
		opened(p.LocalAddr(), extdisco.Service{Type: "stun", Transport: "udp"}, extdisco.Service{Type: "turn", Transport: "udp", Secret: secret})
		l, err := n.doors.Listen(a, over)
		if err != nil {
			return err
		}
		tcp = append(tcp, turn.Listener{Door: l})
		opened(l.Addr(), extdisco.Service{Type: "turn", Transport: "tcp", Secret: secret})
	}
	for _, a := range c.TLSAddresses {
		over.Name = "turns_tcp"
		l, err := n.doors.Listen(a, over)
		if err != nil {
			return err
		}
		tcp = append(tcp, turn.Listener{Door: l, TLS: n.tlsConfig()})
		opened(l.Addr(), extdisco.Service{Type: "turns", Host: host, Transport: "tcp", Secret: secret})
	}
	public, err := netip.ParseAddr(c.PublicAddress)
	if err != nil {
		return fmt.Errorf("turn.public_address: %w", err)
	}
	cfg := turn.Config{Realm: host, Secret: secret, Public: public, MinPort: uint16(c.MinPort), MaxPort: uint16(c.MaxPort), Allow: config.Networks(c.AllowNetworks),
		PerUser: c.PerUser, Total: c.Total, Rate: int(c.BytesPerSecond), Log: n.Log, Metrics: n.Registry, Allowed: func(account string) bool { return n.mayRelay(ctx, account) }}
	if c.LocalAddress != "" {
		if cfg.Local, err = netip.ParseAddr(c.LocalAddress); err != nil {
			return fmt.Errorf("turn.local_address: %w", err)
		}
	}
	s, err := turn.Serve(cfg, udp, tcp)
	if err != nil {
		return fmt.Errorf("turn: %w", err)
	}
	n.stop = append(n.stop, func(context.Context) {
		if err := s.Close(); err != nil {
			n.Log.Debug("turn: close", "err", err)
		}
	})
	return nil
}

// mayRelay says whether an account is there and not disabled. Where the store does not answer, calls go on.
func (n *Node) mayRelay(ctx context.Context, account string) bool {
	j, err := jid.Parse(account)
	if err != nil || n.Host(j.Domain()) == nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	u, err := n.Store.User(ctx, j.Domain(), j.Local())
	if errors.Is(err, store.ErrNotFound) {
		return false
	}
	return err != nil || !u.Disabled
}

// closed closes what was opened before something failed.
func closed(failed error, c interface{ Close() error }) error {
	if failed == nil {
		return nil
	}
	return c.Close()
}

func portOf(a net.Addr) int {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.Port
	case *net.TCPAddr:
		return a.Port
	}
	return 0
}
