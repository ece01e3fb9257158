package work

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/target"
)

// pingpong is pairs of users who answer each other, in lanes of one message
// each: number 0, 2, 4 … from the first of the pair, 1, 3, 5 … from the second.
type pingpong struct {
	tally
	window int
	next   []atomic.Int64 // By lane: the number that has to come.
	count  atomic.Int64   // Messages received.
	stop   atomic.Bool
	ended  atomic.Int64 // Lanes that have stopped.
}

func (p *pingpong) handle(s *load.Session, st []byte) {
	if !load.Is(st, "message") {
		return
	}
	if isError(st) {
		p.refuse(st)
		return
	}
	lane, seq, ok := seqOf(st, "body")
	if !ok || lane >= len(p.next) {
		return
	}
	pair := lane / p.window
	if s.Index != 2*pair+1-int(seq&1) {
		p.double("to "+s.JID+" who sent it", st)
		return
	}
	if !p.follows(seq, p.next[lane].Load(), st) {
		return
	}
	p.next[lane].Store(seq + 1)
	p.count.Add(1)
	if p.stop.Load() {
		p.ended.Add(1)
		return
	}
	s.Send(1, message("chat", target.JID(2*pair+int(seq&1)), lane, seq+1))
}

// chat is the closed loop: each message is sent when the one before has
// arrived.
func chat(row string) func(context.Context, *Env) ([]Result, error) {
	return func(ctx context.Context, e *Env) ([]Result, error) { return chatting(ctx, e, row, Pairs) }
}

func chatting(ctx context.Context, e *Env, row string, pairs int) ([]Result, error) {
	p := &pingpong{window: e.Window, next: make([]atomic.Int64, pairs*e.Window)}
	fl, err := e.open(ctx, 2*pairs, p.handle)
	if err != nil {
		return nil, err
	}
	defer fl.close()
	for lane := range p.next {
		pair := lane / e.Window
		if err := fl[2*pair].Send(1, message("chat", target.JID(2*pair+1), lane, 0)); err != nil {
			return nil, err
		}
	}
	res, err := e.over(ctx, row, &p.count)
	p.stop.Store(true)
	if err != nil {
		return nil, firstOf(p.err(p.count.Load()), fl.alive(), err)
	}
	missing, err := e.settle(ctx, fl, &p.ended, int64(len(p.next)))
	p.lost.Add(missing)
	if err := firstOf(err, p.err(p.count.Load()), fl.confirm(ctx)); err != nil {
		return nil, err
	}
	if e.Archive {
		if err := p.checkArchive(ctx, e); err != nil {
			return nil, err
		}
	}
	return []Result{res}, nil
}

// checkArchive reads the last page of some users' archives, where the last
// message of each of their lanes must be.
func (p *pingpong) checkArchive(ctx context.Context, e *Env) error {
	for i := range 4 {
		a, err := e.openArchive(ctx, i, "")
		if err != nil {
			return err
		}
		pg, err := a.page(ctx, "", "<before/>")
		a.close()
		if err != nil {
			return err
		}
		last := make(map[int]int64)
		for _, m := range pg.items {
			last[m.lane] = max(last[m.lane], m.seq)
		}
		for w := range p.window {
			lane := i/2*p.window + w
			if want := p.next[lane].Load() - 1; last[lane] != want {
				return fmt.Errorf("archive of %s ends with %d of lane %d, sent was %d",
					target.JID(i), last[lane], lane, want)
			}
		}
	}
	return nil
}

// openRate is the load of the open loop in messages per second.
const openRate = 500

// openLoop sends at a fixed rate, whatever arrives.
type openLoop struct {
	tally
	sent  []atomic.Int64 // By number: when, in ns since start.
	seen  []atomic.Bool
	start time.Time
	count atomic.Int64
	hist  atomic.Pointer[load.Histogram]
}

func (o *openLoop) handle(_ *load.Session, st []byte) {
	if !load.Is(st, "message") {
		return
	}
	if isError(st) {
		o.refuse(st)
		return
	}
	_, seq, ok := seqOf(st, "body")
	if !ok || seq >= int64(len(o.seen)) {
		return
	}
	if o.seen[seq].Swap(true) {
		o.double("again", st)
		return
	}
	o.hist.Load().Add(time.Since(o.start) - time.Duration(o.sent[seq].Load()))
	o.count.Add(1)
}

func (o *openLoop) send(ctx context.Context, fl fleet, total int) error {
	for k := range total {
		due := time.Duration(k) * time.Second / openRate
		if wait := due - time.Since(o.start); wait > 0 {
			if err := sleep(ctx, wait); err != nil {
				return err
			}
		}
		from := k % len(fl)
		o.sent[k].Store(int64(time.Since(o.start)))
		if err := fl[from].Send(1, message("chat", target.JID(from^1), 0, int64(k))); err != nil {
			return err
		}
	}
	return nil
}

// open is the open loop: 500 messages a second among the same pairs.
func open(ctx context.Context, e *Env) ([]Result, error) { return opened(ctx, e, "open") }

func opened(ctx context.Context, e *Env, row string) ([]Result, error) {
	total := int(openRate * (e.Scale.Warm + e.Scale.Measure).Seconds())
	o := &openLoop{sent: make([]atomic.Int64, total), seen: make([]atomic.Bool, total)}
	o.hist.Store(new(load.Histogram))
	fl, err := e.open(ctx, 2*Pairs, o.handle)
	if err != nil {
		return nil, err
	}
	defer fl.close()
	o.start = time.Now()
	sender := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { sender <- o.send(ctx, fl, total) }()
	if err := sleep(ctx, e.Scale.Warm); err != nil {
		return nil, err
	}
	o.hist.Store(new(load.Histogram))
	g, err := e.gauge(&o.count)
	if err != nil {
		return nil, err
	}
	if err := <-sender; err != nil {
		return nil, err
	}
	missing, err := e.settle(ctx, fl, &o.count, int64(total))
	o.lost.Add(missing)
	if err := firstOf(err, o.err(int64(total))); err != nil {
		return nil, err
	}
	res, err := g.read(row)
	if err != nil {
		return nil, err
	}
	res.addLatency(o.hist.Load())
	return []Result{res}, fl.confirm(ctx)
}

func (r *Result) addLatency(h *load.Histogram) {
	r.P50, r.P99, r.Max = h.Quantile(0.5), h.Quantile(0.99), h.Max()
}

// firstOf returns the first error that is one.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
