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

// externalServices gives the services that clients are told of (XEP-0215): the configured ones and the built-in relay.
func (n *Node) externalServices() []extdisco.Service {
	var out []extdisco.Service
	for _, e := range n.Config.ExternalServices {
		out = append(out, extdisco.Service{
			Type:      e.Type,
			Host:      e.Host,
			Transport: e.Transport,
			Port:      e.Port,
			Username:  e.Username,
			Password:  e.Password,
			Secret:    e.Secret,
		})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return append(out, n.relays...)
}

// listenTURN opens the relay for calls, if the configuration enables it.
func (n *Node) listenTURN(ctx context.Context, g *errgroup.Group) (err error) {
	if !n.Config.TURN.Enabled {
		return nil
	}
	o, err := n.openTURN(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, o.close())
		}
	}()
	if err != nil {
		return err
	}
	cfg, err := n.turnConfig(ctx, o)
	if err != nil {
		return err
	}
	s, err := turn.Serve(cfg, o.udp, o.tcp)
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

// openedTURN holds the relay's open listeners.
type openedTURN struct {
	n       *Node
	host    string // The name in the relay's certificate, and its realm.
	reached string // Where clients reach the doors that need no certificate.
	secret  string
	udp     []net.PacketConn
	tcp     []turn.Listener
}

// openTURN opens the relay's doors. The caller has to close those that are open, also after an error.
func (n *Node) openTURN(ctx context.Context) (*openedTURN, error) {
	c := n.Config.TURN
	o := &openedTURN{n: n, host: c.Host, reached: c.Host}
	kept, err := n.secret(ctx, "turn")
	if err != nil {
		return o, err
	}
	o.secret = hex.EncodeToString(kept)
	if c.Host == "" {
		o.host, o.reached = n.Config.Hosts[0].Domain, c.PublicAddress
	}
	over := door.Config{
		Name:    "turn_tcp",
		Limits:  door.Limits{All: c.Connections, PerAddress: c.ConnectionsPerAddress},
		SignIn:  n.Config.Limits.AuthTimeout,
		Write:   n.Config.Limits.WriteTimeout,
		Proxies: door.Trust(config.Networks(c.TrustedProxies)),
		Header:  n.Config.Limits.HandshakeTimeout,
	}
	for _, a := range c.Addresses {
		p, err := net.ListenPacket("udp", a)
		if err != nil {
			return o, fmt.Errorf("listen for turn on %s: %w", a, err)
		}
		o.udp = append(o.udp, p)
		o.announce(p.LocalAddr(), extdisco.Service{Type: "stun", Transport: "udp"},
			extdisco.Service{Type: "turn", Transport: "udp", Secret: o.secret})
		l, err := n.doors.Listen(a, over)
		if err != nil {
			return o, err
		}
		o.tcp = append(o.tcp, turn.Listener{Door: l})
		o.announce(l.Addr(), extdisco.Service{Type: "turn", Transport: "tcp", Secret: o.secret})
	}
	over.Name = "turns_tcp"
	for _, a := range c.TLSAddresses {
		l, err := n.doors.Listen(a, over)
		if err != nil {
			return o, err
		}
		o.tcp = append(o.tcp, turn.Listener{Door: l, TLS: n.tlsConfig()})
		o.announce(l.Addr(), extdisco.Service{Type: "turns", Host: o.host, Transport: "tcp", Secret: o.secret})
	}
	return o, nil
}

// announce adds the services at a listening address to those that clients can ask for.
func (o *openedTURN) announce(a net.Addr, services ...extdisco.Service) {
	n := o.n
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, s := range services {
		if s.Port = portOf(a); s.Host == "" {
			s.Host = o.reached
		}
		n.relays = append(n.relays, s)
		if key := s.Type + "_" + s.Transport; n.addrs[key] == nil {
			n.addrs[key] = a
		}
	}
	n.Log.Info("listening", "door", "turn", "address", a.String())
}

// close closes everything that openTURN has opened.
func (o *openedTURN) close() (err error) {
	for _, p := range o.udp {
		err = errors.Join(err, p.Close())
	}
	for _, l := range o.tcp {
		err = errors.Join(err, l.Door.Close())
	}
	return err
}

func (n *Node) turnConfig(ctx context.Context, o *openedTURN) (turn.Config, error) {
	c := n.Config.TURN
	public, err := netip.ParseAddr(c.PublicAddress)
	if err != nil {
		return turn.Config{}, fmt.Errorf("turn.public_address: %w", err)
	}
	var local netip.Addr
	if c.LocalAddress != "" {
		if local, err = netip.ParseAddr(c.LocalAddress); err != nil {
			return turn.Config{}, fmt.Errorf("turn.local_address: %w", err)
		}
	}
	return turn.Config{
		Clock:   n.clock,
		Realm:   o.host,
		Secret:  o.secret,
		Public:  public,
		Local:   local,
		MinPort: uint16(c.MinPort),
		MaxPort: uint16(c.MaxPort),
		Allow:   config.Networks(c.AllowNetworks),
		PerUser: c.PerUser,
		Total:   c.Total,
		Rate:    int(c.BytesPerSecond),
		Log:     n.Log,
		Metrics: n.Registry,
		Allowed: func(account string) bool { return n.mayRelay(ctx, account) },
	}, nil
}

// mayRelay says whether an account exists and is enabled. If the store does not answer, calls go on.
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

func portOf(a net.Addr) int {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.Port
	case *net.TCPAddr:
		return a.Port
	}
	return 0
}
