package node

import (
	"context"

	"golang.org/x/sync/errgroup"

	"parley/feature/proxy65"
	"parley/server"
)

// buildProxy65 gives a host the proxy for file transfers, if it is enabled. All hosts share one relay.
func (n *Node) buildProxy65(h *server.Host) error {
	c := n.Config.Proxy65
	if len(n.Config.Listeners.Proxy65.Addresses) == 0 {
		return nil
	}
	if n.proxy == nil {
		n.proxy = proxy65.NewRelay(proxy65.Config{
			PerAddress: c.PerAddress,
			Pending:    c.Pending,
			Total:      c.Total,
			Rate:       int(c.BytesPerSecond),
			Log:        n.Log,
		})
	}
	_, err := proxy65.New(h, "proxy."+h.Domain, n.proxy, func() (string, int) {
		a := n.Addr("proxy65")
		if c.Address != "" {
			return c.Address, portOf(a)
		}
		return h.Domain, portOf(a)
	})
	return err
}

func (n *Node) listenProxy65(g *errgroup.Group) error {
	for _, a := range n.Config.Listeners.Proxy65.Addresses {
		if err := n.serve(g, "proxy65", a, n.Config.Listeners.Proxy65.TrustedProxies, n.proxy.Serve); err != nil {
			return err
		}
	}
	if n.proxy != nil {
		n.stop = append(n.stop, func(context.Context) { n.proxy.Close() })
	}
	return nil
}
