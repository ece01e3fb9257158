package node

import (
	"context"

	"parley/internal/disk"
	"parley/node/plan"
)

// buildDisks finds the disks; the directories exist by then.
func (n *Node) buildDisks() {
	n.disks = &disk.Watch{
		Disks: plan.Disks(n.Config),
		Log:   n.Log,
		Allow: func(bytes int64) {
			for _, h := range n.hosts {
				h.Allow(bytes)
			}
		},
		Count: func(ctx context.Context) {
			for _, h := range n.hosts {
				h.CountWritten(ctx, n.Store, n.Config.Rooms.Label+"."+h.Domain, n.began)
			}
		},
	}
	n.disks.Register(n.Registry)
}
