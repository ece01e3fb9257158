// Package work is the benchmark's workloads. Each drives one running server,
// counts what its clients receive, and fails if anything is lost or doubled.
package work

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"parley/bench/load"
	"parley/bench/target"
)

// Scale says how long and how large; Quick and Full are the two in use.
type Scale struct {
	Name      string
	Warm      time.Duration // Before a measurement.
	Measure   time.Duration // Of a closed or open loop.
	Latency   time.Duration // Of the latency row: few samples a second.
	Elsewhere int           // Sessions of another server.
	BigRoom   int           // Occupants of the largest room.
	Halls     [3]int        // Members of the groups for announcements.
	Idle      int           // Idle sessions.
	Browsers  int           // Open browsers.
	Settle    time.Duration // Before idle memory is read.
	IdleWatch time.Duration // How long idle CPU is watched.
	Pages     int           // Archive pages at most.
}

// Quick is for one row while working on it: a few seconds each.
var Quick = Scale{
	Name:      "quick",
	Warm:      500 * time.Millisecond,
	Measure:   3 * time.Second,
	Latency:   6 * time.Second,
	BigRoom:   150,
	Halls:     [3]int{100, 250, 1000},
	Idle:      500,
	Elsewhere: 2000,
	Browsers:  200,
	Settle:    3 * time.Second,
	IdleWatch: 3 * time.Second,
	Pages:     200,
}

// Full is the scale by which the targets are judged.
var Full = Scale{
	Name:      "full",
	Warm:      time.Second,
	Measure:   8 * time.Second,
	Latency:   30 * time.Second,
	BigRoom:   500,
	Halls:     [3]int{500, 1000, 5000},
	Idle:      5000,
	Elsewhere: 15000,
	Browsers:  1000,
	Settle:    10 * time.Second,
	IdleWatch: 10 * time.Second,
	Pages:     2000,
}

// Pairs is how many pairs chat in the one-to-one workloads.
const Pairs = 20

// Env is what a workload runs against.
type Env struct {
	In         *target.Instance
	Archive    bool // The server archives.
	Filled     bool // The archive was filled before the server started.
	Scale      Scale
	Window     int           // Messages in flight per pair or room in a closed loop.
	Scratch    *atomic.Int64 // Makes names of rooms unique on an instance.
	Befriended *atomic.Bool  // The contacts of the presence row exist on the instance.
	// Place says on which of several servers a session is, by its Index; nil: all are on the first.
	Place    func(i int) int
	Deadline time.Duration // How long to wait without progress before things count as lost.
}

// Result is one row for one target.
type Result struct {
	Row     string  `json:"row"`
	Units   int64   `json:"units"`    // How many were measured.
	PerUnit float64 `json:"per_unit"` // µs of server CPU, or KiB for memory.
	// Wall is how long the measurement took.
	Wall time.Duration `json:"wall_ns"`
	P50  time.Duration `json:"p50_ns,omitempty"`
	P99  time.Duration `json:"p99_ns,omitempty"`
	Max  time.Duration `json:"max_ns,omitempty"`
	// IdleCPU is the share of one core that idle sessions cost.
	IdleCPU float64 `json:"idle_cpu,omitempty"`
	Note    string  `json:"note,omitempty"`
}

// Row is a line of the table.
type Row struct {
	Name  string
	Title string
	Unit  string // The unit that PerUnit is divided by.
	KiB   bool   // PerUnit is memory, not CPU time.
	Must  []Goal
	Aim   []Goal
}

// Goal bounds PerUnit of the server under test (or P99, if Latency is set): at
// most Max times what Of has, where Of is a target, "better" for the better of
// the peers, or "row:NAME" for another row of its own; without Of, at most
// Max itself, in µs. If Later is set, it bounds P50: at most Max µs later than that of Of.
type Goal struct {
	Of      string
	Max     float64
	Latency bool
	Later   bool
	NoIdle  bool // IdleCPU next to nothing.
}

// Work runs one server through one or more rows.
type Work struct {
	Rows    []Row
	Users   func(Scale) int
	Archive bool            // Run with the archive on.
	Fresh   bool            // Needs a server that nothing else has used.
	Once    bool            // Long enough that one round is sufficient.
	Nodes   int             // Only where at least so many servers share a database; 0: not where several do.
	Groups  bool            // Only for servers that have groups.
	Place   func(i int) int // On which server a session is: see Env.
	Filled  int             // Messages that the archive of User(0) must hold.
	Run     func(context.Context, *Env) ([]Result, error)
}

// tally counts what went wrong. Its methods are safe from any goroutine.
type tally struct {
	lost, doubled, refused atomic.Int64

	mu    sync.Mutex
	first string // The first fault: what was expected, and the stanza as received.
}

func (t *tally) note(text string, st []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.first == "" {
		t.first = text + string(st)
	}
}

// refuse counts an error that came back.
func (t *tally) refuse(st []byte) {
	t.refused.Add(1)
	t.note("", st)
}

// follows reports whether seq is want or later; the numbers between them are lost. A smaller seq is doubled.
func (t *tally) follows(seq, want int64, st []byte) bool {
	switch {
	case seq < want:
		t.double(fmt.Sprintf("%d when due was %d", seq, want), st)
		return false
	case seq > want:
		t.lost.Add(seq - want)
		t.note(fmt.Sprintf("%d when due was %d: ", seq, want), st)
	}
	return true
}

// double counts messages that must not have arrived.
func (t *tally) double(why string, st []byte) {
	t.doubled.Add(1)
	t.note(why+": ", st)
}

// err returns what went wrong of n, nil if nothing.
func (t *tally) err(n int64) error {
	if t.lost.Load() == 0 && t.doubled.Load() == 0 && t.refused.Load() == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	text := fmt.Sprintf("%d lost, %d doubled, %d refused of %d", t.lost.Load(), t.doubled.Load(), t.refused.Load(), n)
	if t.first != "" {
		text += ": " + t.first
	}
	return fmt.Errorf("%s", text)
}

// fleet is sessions User(0) … User(n-1), Index 0 … n-1.
type fleet []*load.Session

// usual is what a client does on login, unless a row says otherwise.
func usual(i int) load.Options {
	return load.Options{
		User:     target.User(i),
		Resource: "bench",
		SM:       true,
		Carbons:  true,
		Roster:   true,
		Presence: true,
		Index:    i,
	}
}

// dial returns the way to the server on which a session is.
func (e *Env) dial(i int) *load.Dialer {
	if e.Place == nil {
		return e.In.Dial
	}
	return e.In.On(e.Place(i))
}

// open logs n sessions in, sixteen at a time, and starts them with h.
func (e *Env) open(ctx context.Context, n int, h load.Handler) (fleet, error) {
	fl := make(fleet, n)
	err := parallel(ctx, n, 16, func(ctx context.Context, i int) error {
		o := usual(i)
		o.Early = h
		s, err := e.dial(i).Open(ctx, o)
		if err != nil {
			return err
		}
		s.Start(h)
		fl[i] = s
		return nil
	})
	if err != nil {
		fl.close()
		return nil, err
	}
	return fl, nil
}

// close ends all sessions in order.
func (fl fleet) close() {
	parallel(context.Background(), len(fl), 64, func(_ context.Context, i int) error {
		if fl[i] != nil {
			fl[i].Close()
		}
		return nil
	})
}

// alive returns an error if any session has ended.
func (fl fleet) alive() error {
	for _, s := range fl {
		select {
		case <-s.Done():
			return fmt.Errorf("the server ended the session of %s: %v", s.JID, s.Err())
		default:
		}
	}
	return nil
}

// confirm checks that the server took over every stanza of every session.
func (fl fleet) confirm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for _, s := range fl {
		if err := s.Confirm(ctx); err != nil {
			return err
		}
	}
	return nil
}

// parallel calls f for 0 … n-1, at most width at a time, and returns the first
// error, after which it starts no more.
func parallel(ctx context.Context, n, width int, f func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, width) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := f(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// settle waits until count is at least want and returns how many are missing
// once it has not moved for e.Deadline, or a session has ended.
func (e *Env) settle(ctx context.Context, fl fleet, count *atomic.Int64, want int64) (int64, error) {
	last, since := count.Load(), time.Now()
	for {
		n := count.Load()
		if n >= want {
			return 0, nil
		}
		if n != last {
			last, since = n, time.Now()
		}
		if time.Since(since) > e.Deadline {
			return want - n, nil
		}
		if err := fl.alive(); err != nil {
			return want - n, err
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return want - n, err
		}
	}
}

// gauge measures CPU time over a count of units.
type gauge struct {
	e     *Env
	count *atomic.Int64
	cpu   time.Duration
	n     int64
	at    time.Time
}

func (e *Env) gauge(count *atomic.Int64) (*gauge, error) {
	cpu, err := e.In.Tree.CPU()
	return &gauge{e: e, count: count, cpu: cpu, n: count.Load(), at: time.Now()}, err
}

// read returns the row for what happened since gauge.
func (g *gauge) read(row string) (Result, error) {
	n, wall := g.count.Load()-g.n, time.Since(g.at)
	cpu, err := g.e.In.Tree.CPU()
	if err != nil {
		return Result{}, err
	}
	if n == 0 {
		return Result{}, fmt.Errorf("%s: nothing happened in %v", row, wall.Round(time.Millisecond))
	}
	return Result{Row: row, Units: n, PerUnit: float64((cpu - g.cpu).Microseconds()) / float64(n), Wall: wall}, nil
}

// over runs a loop that goes on by itself: warm up, then measure.
func (e *Env) over(ctx context.Context, row string, count *atomic.Int64) (Result, error) {
	if err := sleep(ctx, e.Scale.Warm); err != nil {
		return Result{}, err
	}
	g, err := e.gauge(count)
	if err != nil {
		return Result{}, err
	}
	if err := sleep(ctx, e.Scale.Measure); err != nil {
		return Result{}, err
	}
	return g.read(row)
}

// filler makes messages as long as those of a usual client, about 360 bytes.
var filler = strings.Repeat("lorem ipsum dolor sit amet ", 9)
