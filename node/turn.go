package node

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sync/errgroup"

	"parley/feature/extdisco"
	"parley/turn"
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
	var udp []net.PacketConn
	var tcp []net.Listener
	defer func() {
		for _, p := range udp {
			err = errors.Join(err, closed(err, p))
		}
		for _, l := range tcp {
			err = errors.Join(err, closed(err, l))
		}
	}()
	opened := func(a net.Addr, services ...extdisco.Service) {
		n.mu.Lock()
		defer n.mu.Unlock()
		for _, s := range services {
			s.Host, s.Port = host, portOf(a)
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
		l, err := net.Listen("tcp", a)
		if err != nil {
			return fmt.Errorf("listen for turn on %s: %w", a, err)
		}
		tcp = append(tcp, l)
		opened(l.Addr(), extdisco.Service{Type: "turn", Transport: "tcp", Secret: secret})
	}
	for _, a := range c.TLSAddresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			return fmt.Errorf("listen for turns on %s: %w", a, err)
		}
		tcp = append(tcp, tls.NewListener(l, n.tlsConfig()))
		opened(l.Addr(), extdisco.Service{Type: "turns", Transport: "tcp", Secret: secret})
	}
	public, err := netip.ParseAddr(c.PublicAddress)
	if err != nil {
		return fmt.Errorf("turn.public_address: %w", err)
	}
	cfg := turn.Config{Realm: host, Secret: secret, Public: public, MinPort: uint16(c.MinPort), MaxPort: uint16(c.MaxPort), Allow: c.Networks(),
		PerUser: c.PerUser, Total: c.Total, Rate: int(c.BytesPerSecond), Log: n.Log, Metrics: n.Registry}
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
