package server

import (
	"context"
	"sync"
)

// questions are those that the host asks clients by itself, each in a goroutine. They end when the host's work does.
type questions struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup

	ctx context.Context // of all of them
	end context.CancelFunc
}

// ask runs f beside its caller. The ctx of f has the values of ctx and ends with the host's work or by cancel, not with
// ctx. After the host's work nothing is asked any more.
func (q *questions) ask(ctx context.Context, f func(ctx context.Context)) (cancel context.CancelFunc) {
	ctx, cancel = context.WithCancel(context.WithoutCancel(ctx))
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.over {
		cancel()
		return cancel
	}
	if q.ctx == nil {
		q.ctx, q.end = context.WithCancel(context.Background())
	}
	stop := context.AfterFunc(q.ctx, cancel)
	q.wg.Go(func() {
		defer cancel()
		defer stop()
		f(ctx)
	})
	return cancel
}

// close ends what is being asked, and returns when all of it has ended.
func (q *questions) close() {
	q.mu.Lock()
	if q.over = true; q.end != nil {
		q.end()
	}
	q.mu.Unlock()
	q.wg.Wait()
}
