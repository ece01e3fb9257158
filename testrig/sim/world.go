// Package sim plays the server: real nodes, with everything that a node has, run in one process in simulated time
// (testing/synctest), on one database, with model clients. What crosses an edge of a node waits in one place: calls of
// the store, bytes of connections (of clients, and between nodes), acts of clients, the clock, faults. A seed picks
// what is next; when all is still again, the seed picks the next. So a run is repeated by its seed.
package sim

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Options of a run.
type Options struct {
	Seed    uint64
	Nodes   int           // that serve together; 0: one, which serves alone
	Clients int           // 0: 20
	Span    time.Duration // simulated time with faults; 0: 60 s
	Faults  bool
	Log     func(string) // gets the trace, a line for each event; nil: nobody
}

// Result is what a run has shown.
type Result struct {
	Findings []string
	Counters map[string]int
	Trace    uint64 // a hash of all events
	Events   int
}

// World is one run.
type World struct {
	t        testing.TB
	o        Options
	rnd      *rand.Rand
	began    time.Time
	nodes    []*Node // by place
	zombie   *Node   // is paused, or goes on, though nodes[0] has its place; nil: there is none
	ending   []*Node // dead ones whose goroutines have not ended, and whose successors are on other machines
	wires    wires   // connections between nodes
	clients  []*client
	rooms    []string // addresses of the groups' rooms
	model    *model
	hash     uint64
	events   int
	findings []string
	faulty   bool
	idle     time.Duration // spent until the goroutines of dead nodes had ended
	left     time.Time     // when some clients went for good
	pool     pool
	dir      string
	files    [2]string // of the certificate

	answers answers

	countLock sync.Mutex
	counters  map[string]int
}

// event is something that can happen next.
type event struct {
	name string
	key  uint64
	do   func()
}

// happen notes an event in the trace.
func (w *World) happen(format string, args ...any) {
	w.events++
	line := fmt.Sprintf("%8.3f %s", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
	h := fnv.New64a()
	fmt.Fprintf(h, "%x %s", w.hash, line)
	w.hash = h.Sum64()
	if w.o.Log != nil {
		w.o.Log(line)
	}
}

// find notes a broken promise.
func (w *World) find(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	w.happen("FINDING %s", line)
	if !slices.Contains(w.findings, line) && len(w.findings) < 20 {
		w.findings = append(w.findings, line)
	}
}

// count counts something that the run has met, if it was so.
func (w *World) count(what string, met bool) {
	if !met {
		return
	}
	w.countLock.Lock()
	defer w.countLock.Unlock()
	w.counters[what]++
}

// kinds of events, with how often each is picked while there are some.
const (
	weightStore  = 40
	weightUp     = 20
	weightDown   = 25
	weightLinks  = 40 // connections between nodes
	weightAct    = 12
	weightClock  = 10
	weightFaults = 1
	weightSlow   = 3 // of the store while its database is in trouble
)

// One call of the store in so many fails, and one while the database is in trouble.
const (
	failsRarely = 150
	failsOften  = 6
)

// troubled says whether the database is in trouble, as a node sees it.
func (w *World) troubled(n *Node) bool { return w.faulty && time.Now().Before(n.trouble) }

// fails draws whether a call of the store fails.
func (w *World) fails(n *Node) bool {
	if w.troubled(n) {
		return w.rnd.IntN(failsOften) == 0
	}
	return w.faulty && w.rnd.IntN(failsRarely) == 0
}

// step picks one event, does it, and waits until all is still.
func (w *World) step() {
	w.answers.take()
	type group struct {
		weight int
		list   []event
	}
	var groups []group
	for _, n := range w.nodes {
		store := weightStore
		if w.troubled(n) {
			store = weightSlow
		}
		groups = append(groups, group{store, w.storeEvents(n)})
	}
	groups = append(groups, []group{
		{weightLinks, w.linkEvents()},
		{weightUp, w.upEvents()},
		{weightDown, w.downEvents()},
		{weightAct, w.actEvents()},
		{weightClock, []event{{do: w.advance}}},
	}...)
	if w.faulty {
		groups = append(groups, group{weightFaults, w.faultEvents()})
	}
	sum := 0
	for _, g := range groups {
		if len(g.list) > 0 {
			sum += g.weight
		}
	}
	n := w.rnd.IntN(sum)
	for _, g := range groups {
		if len(g.list) == 0 {
			continue
		}
		if n -= g.weight; n < 0 {
			inOrder(g.list)
			g.list[w.rnd.IntN(len(g.list))].do()
			break
		}
	}
	synctest.Wait()
}

// answers are what acts that the world itself asks for have come to. They are taken between two steps, in order. It is
// safe from any goroutine.
type answers struct {
	mu   sync.Mutex
	come []event
}

func (a *answers) put(name string, do func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.come = append(a.come, event{name: name, do: do})
}

// take takes the answers that have come.
func (a *answers) take() {
	a.mu.Lock()
	come := a.come
	a.come = nil
	a.mu.Unlock()
	inOrder(come)
	for _, e := range come {
		e.do()
	}
}

// inOrder sorts events by what they are, since they come in the order in which goroutines happened to run.
func inOrder(list []event) {
	slices.SortStableFunc(list, func(a, b event) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.key, b.key))
	})
}

// storeEvents are the calls of a node's store that wait.
func (w *World) storeEvents(n *Node) (out []event) {
	if n.frozen() {
		return nil
	}
	for _, c := range n.gate.list() {
		out = append(out, event{name: c.text, key: c.key, do: func() {
			v := w.drawVerdict(c)
			w.happen("store%s %s %x %s", n, c.text, c.key&0xffff, [...]string{"does", "refuses", "loses", "silent"}[v])
			n.gate.drawNext(w)
			n.gate.release(c, v)
		}})
	}
	return out
}

// drawVerdict draws what becomes of a call.
func (w *World) drawVerdict(c *call) verdict {
	n := c.node
	if n.refuse != 0 && c.key == n.refuse && !c.answer {
		n.refuse = 0
		w.count("refused after a lost answer", true)
		return refuses
	}
	if !w.fails(n) {
		return does
	}
	if c.answer {
		w.count("answer lost after a write", true)
		if n.refuse = 0; w.rnd.IntN(2) == 0 {
			n.refuse = c.begun
		}
		return loses
	}
	v := []verdict{refuses, loses, silent}[w.rnd.IntN(3)]
	if v == silent && (!c.writes || c.text == "BEGIN") {
		v = loses
	}
	w.count("call failed", true)
	return v
}

func (w *World) upEvents() (out []event) {
	for _, c := range w.clients {
		if c.pipe == nil || c.at.frozen() {
			continue
		}
		if up, _ := c.pipe.waits(); up {
			out = append(out, event{key: uint64(c.id), do: func() {
				w.happen("up %s", c)
				c.arriveUp()
			}})
		}
	}
	return out
}

func (w *World) downEvents() (out []event) {
	for _, c := range w.clients {
		if c.pipe == nil || c.at.frozen() {
			continue
		}
		if _, down := c.pipe.waits(); down {
			out = append(out, event{key: uint64(c.id), do: func() { c.receive() }})
		}
	}
	return out
}

// advance lets time pass: mostly moments, sometimes seconds.
func (w *World) advance() {
	d := time.Duration(1+w.rnd.IntN(60)) * time.Millisecond
	if w.rnd.IntN(60) == 0 {
		d = time.Duration(1+w.rnd.IntN(4)) * time.Second
	}
	w.happen("clock +%v", d)
	for d > 200*time.Millisecond && w.several() { // what holds up links is a fault, and no long wait
		w.bring()
		time.Sleep(200 * time.Millisecond)
		d -= 200 * time.Millisecond
	}
	time.Sleep(d)
}

// bring brings what is on the way between nodes. Without faults the database answers in time too.
func (w *World) bring() {
	for range 20 {
		synctest.Wait()
		all := w.linkEvents()
		for _, n := range w.nodes {
			if !w.faulty {
				all = append(all, w.storeEvents(n)...)
			}
		}
		if len(all) == 0 {
			return
		}
		inOrder(all)
		for _, e := range all {
			e.do()
			synctest.Wait()
		}
	}
}

// settle plays without faults and new acts until nothing is on the way, for at most that long.
func (w *World) settle(atMost time.Duration, until func() bool) bool {
	began := time.Now()
	for time.Since(began) < atMost {
		synctest.Wait()
		w.answers.take()
		all := slices.Concat(w.linkEvents(), w.upEvents(), w.downEvents())
		for _, n := range w.nodes {
			all = append(all, w.storeEvents(n)...)
		}
		inOrder(all)
		for _, e := range all {
			e.do()
			synctest.Wait()
		}
		if len(all) > 0 {
			continue
		}
		if until() {
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
	return false
}
