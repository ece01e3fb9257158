package node

import (
	"context"
	"net"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"parley/config"
	"parley/federation"
	"parley/node/plan"
	"parley/wire"
)

// buildFederation builds the connections to other servers.
func (n *Node) buildFederation(ctx context.Context) error {
	f, l := n.Config.Federation, n.Config.Limits
	if !f.Enabled {
		return nil
	}
	secret, err := n.secret(ctx, "dialback")
	if err != nil {
		return err
	}
	roots, err := plan.Authorities(n.Config.TLS.CAFiles)
	if err != nil {
		return err
	}
	var secure federation.Secure
	if n.Config.DNS.DNSSEC {
		secure = federation.Validating{Addr: n.Config.DNS.Resolver, Timeout: n.Config.DNS.Timeout}
	}
	n.federation = federation.New(federation.Config{
		Clock:         n.clock,
		Router:        n.Router,
		Log:           n.Log,
		Registry:      n.Registry,
		Secret:        secret,
		Cert:          n.certs.For,
		Roots:         roots,
		AllowNetworks: config.Networks(f.AllowNetworks),
		MinTLS:        n.tlsConfig().MinVersion,
		Resolver:      plan.Resolver(n.Config.DNS.Resolver),
		DNSTimeout:    n.Config.DNS.Timeout,
		DNSServer:     dnsServer(n.Config.DNS.Resolver),
		Secure:        secure,
		AllowPlain:    !f.RequireTLS,
		NoBidi:        !f.Bidi,
		Policy: federation.Policy{
			RequireCertificate: f.RequireCertificate,
			RefuseDialback:     !f.AllowDialback,
			Block:              f.Block,
			Allow:              f.Allow,
		},
		Limits:           wire.Limits{Stanza: int(f.StanzaSize), Depth: l.Depth, Attrs: l.Attributes},
		MaxQueue:         int(f.SendQueue),
		MaxIncoming:      f.Connections,
		MaxUnproven:      f.Unproven,
		StanzasPerSecond: f.StanzasPerSecond,
		StanzasBurst:     f.StanzasBurst,
		HandshakeTimeout: f.HandshakeTimeout,
		AuthTimeout:      f.AuthTimeout,
		IdleTimeout:      f.IdleTimeout,
		WriteTimeout:     l.WriteTimeout,
		KeepAlive:        l.KeepAlive,
	})
	n.Router.SetRemote(n.federation)
	n.others.Server = n.federation
	return n.others.Load(ctx)
}

// newOthers makes the administrators' interface to other servers. It reads their rules when federation is built.
func (n *Node) newOthers() *federation.Admin {
	a := &federation.Admin{
		Everywhere: n.all.All(),
		Store:      n.Store,
		Acts:       n.acts,
		Clock:      n.clock,
		Log:        n.Log,
		Hosts:      n.domains(),
		Served: func(domain string) bool {
			return n.Router.Host(domain) != nil || n.Router.Local(domain)
		},
	}
	a.Follow(n.told)
	return a
}

// watchRules follows rules that something other than a node has set, until ctx ends.
func (n *Node) watchRules(ctx context.Context, g *errgroup.Group) {
	if n.federation == nil {
		return
	}
	g.Go(func() error {
		n.others.Watch(ctx)
		return nil
	})
}

// dnsServer gives the address of the server that plan.Resolver asks; "" if the system does not say.
func dnsServer(addr string) string {
	if addr != "" {
		return addr
	}
	c, err := dns.ClientConfigFromFile("/etc/resolv.conf")
	if err != nil || len(c.Servers) == 0 {
		return ""
	}
	return net.JoinHostPort(c.Servers[0], c.Port)
}

func (n *Node) listenFederation(g *errgroup.Group) error {
	if n.federation == nil {
		return nil
	}
	n.stop = append(n.stop, n.federation.Shutdown)
	for _, d := range []struct {
		door      string
		addresses []string
		direct    bool
	}{{"s2s", n.Config.Federation.Addresses, false}, {"s2s_tls", n.Config.Federation.TLSAddresses, true}} {
		for _, a := range d.addresses {
			if err := n.serve(g, d.door, a, n.Config.Federation.TrustedProxies, func(l net.Listener) error {
				return n.federation.Serve(l, d.direct)
			}); err != nil {
				return err
			}
		}
	}
	return nil
}
