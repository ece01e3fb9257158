package node

import (
	"context"
	"errors"
	"strings"

	"parley/feature/serverinfo"
	"parley/server"
)

// infoAddress gives the URI where the host publishes its server information; "" if it does not.
func (n *Node) infoAddress(h *server.Host) string {
	if !n.Config.Federation.Publish {
		return ""
	}
	return serverinfo.Address("pubsub." + h.Domain)
}

func (n *Node) serverInfo(h *server.Host) serverinfo.Config {
	c := serverinfo.Config{
		Publish: n.Config.Federation.Publish,
		Service: "pubsub." + h.Domain,
		Version: Version(),
		Status:  n.Config.OutageStatus,
	}
	c.Keep = func(ctx context.Context, payload []byte) error {
		for _, own := range n.hosts {
			if own.Host == h {
				return own.nodes.Keep(ctx, serverinfo.Node, "What this server is",
					server.PEPItem{ID: serverinfo.Item, Payload: payload})
			}
		}
		return errors.New("no such host")
	}
	c.Peers = func() []serverinfo.Peer {
		domains, err := n.others.Domains() // of all nodes: each publishes the same
		if err != nil {
			return nil // federation is off
		}
		var out []serverinfo.Peer
		for _, d := range domains {
			for _, s := range d.Streams {
				ours, theirs, typ := s.From, s.To, "outgoing"
				if s.Incoming {
					ours, theirs, typ = s.To, s.From, "incoming"
				}
				if s.How != "" && (ours == h.Domain || strings.HasSuffix(ours, "."+h.Domain)) {
					out = append(out, serverinfo.Peer{Domain: theirs, Type: typ})
				}
			}
		}
		return out
	}
	return c
}
