package node

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"

	"golang.org/x/sync/errgroup"

	"parley/server"
	"parley/server/component"
	"parley/wire"
	"parley/wire/jid"
)

// buildComponents adds the domains of external components to the router and, if they are below a host, to its
// disco#items.
func (n *Node) buildComponents() error {
	if len(n.Config.Components) == 0 {
		return nil
	}
	l := n.Config.Limits
	id := "" // a node that nobody else knows needs none
	if n.seat != nil {
		id = n.seat.Node().ID
	}
	n.components = component.New(component.Config{
		Everywhere:   n.all.All(),
		Node:         id,
		Router:       n.Router,
		Log:          n.Log,
		Failures:     n.failures,
		WriteTimeout: l.WriteTimeout,
		KeepAlive:    l.KeepAlive,
		Limits:       wire.Limits{Stanza: int(l.StanzaSize), Depth: l.Depth, Attrs: l.Attributes},
	})
	for _, c := range n.Config.Components {
		secret := c.Secret
		if c.SecretFile != "" {
			b, err := os.ReadFile(c.SecretFile)
			if err != nil {
				return fmt.Errorf("secret of component %s: %w", c.Domain, err)
			}
			secret = strings.TrimSpace(string(b))
		}
		if err := n.components.Add(c.Domain, secret); err != nil {
			return err
		}
		for _, h := range n.hosts {
			if j, err := jid.New("", c.Domain, ""); err == nil && strings.HasSuffix(c.Domain, "."+h.Domain) {
				h.AddItem(server.Item{JID: j, While: func() bool { return n.components.Connected(c.Domain) }})
			}
		}
	}
	return nil
}

func (n *Node) listenComponents(g *errgroup.Group) error {
	if n.components == nil {
		return nil
	}
	n.stop = append(n.stop, func(ctx context.Context) { n.components.Shutdown(ctx) })
	for _, a := range n.Config.Listeners.Component.Addresses {
		if err := n.serve(g, "component", a, n.Config.Listeners.Component.TrustedProxies, func(l net.Listener) error {
			return n.components.Serve(l)
		}); err != nil {
			return err
		}
	}
	return nil
}
