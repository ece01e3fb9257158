package server

import (
	"context"
	"sync"
)

// questions holds the host's own questions to clients, one goroutine each. They end with the host's work.
type questions struct {
	mu   sync.Mutex
	over bool
	wg   sync.WaitGroup

	ctx context.Context // the parent of all questions
	end context.CancelFunc
}

// ask runs f in a goroutine. The context of f has the values of ctx; it ends with the host's work or by cancel, but not
// with ctx. After the host's work has ended, ask does nothing.
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

// close cancels the open questions and returns when all have ended.
func (q *questions) close() {
	q.mu.Lock()
	if q.over = true; q.end != nil {
		q.end()
	}
	q.mu.Unlock()
	q.wg.Wait()
}
