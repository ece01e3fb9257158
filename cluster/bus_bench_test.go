package cluster

import (
	"context"
	"sync"
	"testing"
)

// BenchmarkAsk asks over a link, some at once: what a stanza between two nodes costs, both of them in this process.
func BenchmarkAsk(b *testing.B) {
	for _, window := range []int{1, 16, 256} {
		b.Run(map[int]string{1: "one", 16: "16", 256: "256"}[window], func(b *testing.B) {
			all := newTestNodes(b, 2)
			all[1].Handle(topic, func(_ context.Context, _ Peer, p []byte) ([]byte, error) { return nil, nil })
			meet(all)
			payload := make([]byte, 400)
			for {
				if _, err := all[0].Ask(b.Context(), all[1].node.ID, topic, 1, payload); err == nil {
					break
				}
			}
			b.ReportAllocs()
			var wg sync.WaitGroup
			each := b.N / window
			for w := range window {
				wg.Go(func() {
					for range max(each, 1) {
						if _, err := all[0].Ask(b.Context(), all[1].node.ID, topic, uint32(w), payload); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
		})
	}
}
