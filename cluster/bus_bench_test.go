//go:build unix

package cluster

import (
	"context"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// What a stanza between two nodes costs, both of them in this process: cpu-ns/op is the time of processors.

// BenchmarkAsk asks over a link, some at once.
func BenchmarkAsk(b *testing.B) {
	for _, window := range []int{1, 16, 256} {
		b.Run(strconv.Itoa(window), func(b *testing.B) {
			ask, _ := benchmarkLink(b)
			payload := make([]byte, 400)
			defer processors(b)()
			var wg sync.WaitGroup
			for w := range min(window, b.N) {
				wg.Go(func() {
					for i := w; i < b.N; i += window {
						ask(uint32(w), payload)
					}
				})
			}
			wg.Wait()
		})
	}
}

// BenchmarkTell tells over a link, and asks now and then so that not too much is under way.
func BenchmarkTell(b *testing.B) {
	ask, tell := benchmarkLink(b)
	payload := make([]byte, 400)
	defer processors(b)()
	for i := range b.N {
		tell(1, payload)
		if i%256 == 255 {
			ask(1, nil)
		}
	}
	ask(1, nil)
}

// benchmarkLink links two nodes, and gives what the one does to the other.
func benchmarkLink(b *testing.B) (ask, tell func(queue uint32, payload []byte)) {
	all := newTestNodes(b, 2)
	all[1].Handle(topic, func(context.Context, Peer, []byte) ([]byte, error) { return nil, nil })
	meet(all)
	other := all[1].node.ID
	ask = func(queue uint32, payload []byte) {
		if _, err := all[0].Ask(b.Context(), other, topic, queue, payload); err != nil {
			b.Error(err)
		}
	}
	tell = func(queue uint32, payload []byte) {
		if err := all[0].Tell(other, topic, queue, payload); err != nil {
			b.Error(err)
		}
	}
	for {
		if _, err := all[0].Ask(b.Context(), other, topic, 1, nil); err == nil {
			return ask, tell
		}
	}
}

// processors measures from now on until what it returns is called.
func processors(b *testing.B) func() {
	used := func() int64 {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return u.Utime.Nano() + u.Stime.Nano()
	}
	b.ReportAllocs()
	b.ResetTimer()
	began := used()
	return func() { b.ReportMetric(float64(used()-began)/float64(b.N), "cpu-ns/op") }
}
