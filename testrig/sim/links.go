package sim

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// wires are the connections between nodes, and what is to become one. Those that are to become one come from any
// goroutine; all else is the world's.
type wires struct {
	mu    sync.Mutex
	dials []*dial

	all   []*link
	made  int
	apart map[[2]int]time.Time // pairs of places between which nothing gets through, with the end of that
	dark  map[string]bool      // addresses of machines that are lost: nobody there says that nobody is there
}

// dial is a connection that a node wants to make.
type dial struct {
	from    *Node
	address string
	answer  chan *pipe // nil: it is refused
}

func (x *wires) ask(d *dial) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dials = append(x.dials, d)
}

func (x *wires) withdraw(d *dial) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.dials = slices.DeleteFunc(x.dials, func(o *dial) bool { return o == d })
}

func (x *wires) asked() []*dial {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.dials)
}

// link is a connection between two nodes. Its ends are that of the node that made it, and that of the other.
type link struct {
	number int
	nodes  [2]*Node
	ends   [2]*pipe
	over   bool
}

// reset ends a connection at once. What is on the way is lost.
func (l *link) reset() {
	l.over = true
	for _, p := range l.ends {
		p.sever()
	}
}

// deliver brings what is on the way from one end to the other.
func (l *link) deliver(from int) {
	b, ended := l.ends[from].deliverDown()
	l.ends[1-from].bring(b, ended)
	l.over = l.over || ended
}

// underWay says whether something is on the way from an end, besides the end of the connection.
func (l *link) underWay(from int) bool {
	p := l.ends[from]
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.cut && len(p.down) > 0
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// areApart says whether nothing gets through between two places.
func (x *wires) areApart(a, b int) bool { return time.Now().Before(x.apart[pair(a, b)]) }

// partition lets nothing through between two places for a while.
func (x *wires) partition(a, b int, d time.Duration) {
	if x.apart == nil {
		x.apart = make(map[[2]int]time.Time)
	}
	x.apart[pair(a, b)] = time.Now().Add(d)
}

// anyApart says whether nothing gets through between some.
func (x *wires) anyApart() bool {
	for _, until := range x.apart {
		if time.Now().Before(until) {
			return true
		}
	}
	return false
}

// join lets everything through again.
func (x *wires) join() { x.apart = nil }

// reachable notes that a machine is there.
func (x *wires) reachable(m machine) { delete(x.dark, m.address) }

// lose loses a machine with its node: nothing comes from it, not even that its connections have ended.
func (x *wires) lose(n *Node) {
	if x.dark == nil {
		x.dark = make(map[string]bool)
	}
	x.dark[n.machine.address] = true
	for _, l := range x.of(n) {
		l.over = true
		for i, p := range l.ends {
			if l.nodes[i] == n {
				p.Close()
			}
		}
	}
}

// close ends the connections of a node whose process has ended. What it has written comes through, or is lost.
func (x *wires) close(n *Node, comes bool) {
	for _, l := range x.of(n) {
		for i, p := range l.ends {
			if l.nodes[i] != n {
				continue
			}
			p.Close()
			if !comes {
				l.reset()
			}
		}
	}
}

// of gives the connections of a node.
func (x *wires) of(n *Node) (out []*link) {
	for _, l := range x.all {
		if !l.over && (l.nodes[0] == n || l.nodes[1] == n) {
			out = append(out, l)
		}
	}
	return out
}

// linkEvents are what is on the way between nodes.
func (w *World) linkEvents() (out []event) {
	x := &w.wires
	for _, d := range x.asked() {
		to := w.at(d.address)
		if d.from.frozen() || to == nil && x.dark[d.address] || to != nil && x.areApart(d.from.place, to.place) {
			continue
		}
		out = append(out, event{name: "dial " + d.address, key: uint64(d.from.place), do: func() { w.answer(d, to) }})
	}
	x.all = slices.DeleteFunc(x.all, func(l *link) bool { return l.over })
	for _, l := range x.all {
		for from, p := range l.ends {
			a, b := l.nodes[from], l.nodes[1-from]
			if _, down := p.waits(); !down || a.frozen() || x.areApart(a.place, b.place) {
				continue
			}
			name := fmt.Sprintf("link %v>%v", a, b)
			out = append(out, event{name: name, key: uint64(2*l.number + from), do: func() {
				w.happen("%s.%d", name, l.number)
				l.deliver(from)
			}})
		}
	}
	return out
}

// at gives the node that has an address; nil if none has.
func (w *World) at(address string) *Node {
	for _, n := range w.nodes {
		if n.machine.address == address && !n.gate.dead() {
			return n
		}
	}
	return nil
}

// answer makes a connection, or refuses it.
func (w *World) answer(d *dial, to *Node) {
	w.wires.withdraw(d)
	var theirs *pipe
	if to != nil {
		theirs = to.net.connect(d.address)
	}
	if theirs == nil {
		w.happen("dial %v>%s refused", d.from, d.address)
		d.answer <- nil
		return
	}
	own := newPipe()
	w.wires.made++
	l := &link{number: w.wires.made, nodes: [2]*Node{d.from, to}, ends: [2]*pipe{own, theirs}}
	w.wires.all = append(w.wires.all, l)
	w.happen("dial %v>%v makes %d", d.from, to, l.number)
	d.answer <- own
}
