package work

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/target"
)

const (
	loginWorkers = 4
	loginUsers   = 16 // Of each worker.
)

// loginOnce does all of TCP, TLS, SCRAM, bind, roster and presence, waits for
// its own presence to come back, and closes the stream in order.
func (e *Env) loginOnce(ctx context.Context, i int) error {
	back := make(chan struct{}, 1)
	h := func(_ *load.Session, st []byte) {
		if load.Is(st, "presence") && !isError(st) {
			select {
			case back <- struct{}{}:
			default:
			}
		}
	}
	s, err := e.dial(i).Open(ctx, load.Options{
		User:     target.User(i),
		Resource: "bench",
		Roster:   true,
		Presence: true,
		Early:    h,
		Index:    i,
	})
	if err != nil {
		return err
	}
	s.Start(h)
	defer s.Close()
	select {
	case <-back:
		return nil
	case <-s.Done():
		return fmt.Errorf("session ended after login: %v", s.Err())
	case <-time.After(e.Deadline):
		return fmt.Errorf("%s did not get its own presence", s.JID)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// login is workers that log in and out, as fast as they can.
func login(ctx context.Context, e *Env) ([]Result, error) { return logins(ctx, e, "login") }

func logins(ctx context.Context, e *Env, row string) ([]Result, error) {
	// Once each, so that neither side derives keys while it is measured.
	err := parallel(ctx, loginWorkers*loginUsers, loginWorkers, func(ctx context.Context, i int) error {
		return e.loginOnce(ctx, i)
	})
	if err != nil {
		return nil, err
	}
	var count atomic.Int64
	hist := new(load.Histogram)
	g, err := e.gauge(&count)
	if err != nil {
		return nil, err
	}
	err = parallel(ctx, loginWorkers, loginWorkers, func(ctx context.Context, w int) error {
		for k := 0; time.Since(g.at) < e.Scale.Measure; k++ {
			began := time.Now()
			if err := e.loginOnce(ctx, w*loginUsers+k%loginUsers); err != nil {
				return err
			}
			hist.Add(time.Since(began))
			count.Add(1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	res, err := g.read(row)
	res.addLatency(hist)
	return []Result{res}, err
}
