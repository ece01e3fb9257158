package node

import (
	"context"
	"fmt"
	"time"
)

// behindAtMost is how far the clock may be behind the newest id without a warning: after a crash ids begin up to a
// second ahead.
const behindAtMost = 3 * time.Second

// beginIDs makes ids begin above the highest one in the store.
func (n *Node) beginIDs(ctx context.Context) error {
	id, err := n.Store.HighestID(ctx)
	if err != nil {
		return fmt.Errorf("read the highest id: %w", err)
	}
	n.IDs.Begin(id)
	if err := n.clockBehind(); err != nil {
		n.Log.Warn("the clock is behind the newest message: until it catches up, new messages get times after that one",
			"newest", id.Time(), "behind", n.IDs.Behind().Round(time.Second))
	}
	return nil
}

// clockBehind returns an error if the clock has been set back, or messages were stored by a clock that was ahead.
func (n *Node) clockBehind() error {
	d := n.IDs.Behind()
	if d <= behindAtMost {
		return nil
	}
	return fmt.Errorf("the clock is %v behind the newest message: until it catches up, new ones are dated "+
		"after that one", d.Round(time.Second))
}
