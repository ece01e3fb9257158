package node

import (
	"context"
	"fmt"
	"time"
)

// beginIDs makes ids begin above the highest one in the store.
func (n *Node) beginIDs(ctx context.Context) error {
	id, err := n.Store.HighestID(ctx)
	if err != nil {
		return fmt.Errorf("read the highest id: %w", err)
	}
	n.IDs.Begin(id)
	if err := n.IDs.CheckClock(); err != nil {
		n.Log.Warn("the clock is behind the newest message: until it catches up, new messages get times after that one",
			"newest", id.Time(), "behind", n.IDs.Behind().Round(time.Second))
	}
	return nil
}
