package sim

import (
	"testing/synctest"
	"time"
)

// faultEvents are the faults that can happen now.
func (w *World) faultEvents() (out []event) {
	const cuts = 30
	for _, n := range w.nodes {
		do := func(name string, times int, fault func(*Node)) {
			for range times {
				out = append(out, event{name: name, key: uint64(n.place), do: func() { fault(n) }})
			}
		}
		do("jump", 1, w.jump)
		do("pause", 1, w.pause)
		do("trouble", 2, w.disturb)
		do("kill", 1, w.kill)
		if w.troubled(n) { // what is under way then is what a node's end can lose
			do("kill", 20, w.kill)
		}
		if w.several() {
			do("isolate", 1, w.isolate)
			do("partition", 2, w.partition)
			do("reset", 2, w.resetOne)
		}
	}
	switch {
	case w.several(): // a pause of one of them does: the others take it for dead
	case w.zombie == nil:
		out = append(out, event{name: "usurp", do: w.usurp}, event{name: "usurp", key: 1, do: w.usurp})
	case w.nodes[0].ready():
		for range 10 {
			out = append(out, event{name: "wake", do: w.wake})
		}
	}
	for i := range cuts {
		out = append(out, event{name: "cut", key: uint64(i), do: w.cutOne})
	}
	return out
}

// cutOne cuts a client's connection.
func (w *World) cutOne() {
	c := w.clients[w.rnd.IntN(len(w.clients))]
	if c.pipe == nil {
		return
	}
	w.happen("FAULT cut %s", c)
	w.count("cut", true)
	w.count("cut with messages under way", len(c.sent) > 0)
	c.lose()
}

// jump sets a node's clock ahead or back.
func (w *World) jump(n *Node) {
	d := time.Duration(w.rnd.IntN(20_000)-10_000) * time.Millisecond
	w.happen("FAULT clock%s jumps %v", n, d)
	w.count("clock jump", true)
	w.count("clock set back", d < 0)
	n.clock.jump(d)
}

// pause stops a node for some seconds, as SIGSTOP does.
func (w *World) pause(n *Node) {
	if n.frozen() {
		return
	}
	d := time.Duration(1+w.rnd.IntN(12)) * time.Second
	w.happen("FAULT pause%s %v", n, d)
	w.count("pause", true)
	w.count("pause beside other nodes", w.several())
	n.thawsAt = time.Now().Add(d)
}

// usurp pauses the node, and another machine takes its place. The clients come to that one.
func (w *World) usurp() {
	n := w.nodes[0]
	if !n.ready() || n.frozen() {
		return
	}
	for _, c := range w.clients { // what they have sent waits for the database when the node stops
		if c.pipe != nil {
			c.arriveUp()
		}
	}
	synctest.Wait()
	on := w.machines(0)[0]
	if n.machine == on {
		on = w.machines(0)[1]
	}
	w.happen("FAULT pause, and its place is taken")
	w.count("place taken during a pause", true)
	for _, c := range w.clients {
		if c.pipe != nil {
			c.lose()
		}
	}
	w.zombie, w.nodes[0] = n, w.start(0, on, n.clock, false)
}

// wake has the node go on whose place was taken, if there is one. It has to end by itself, and to write nothing more.
func (w *World) wake() {
	n := w.zombie
	if n == nil {
		return
	}
	w.zombie = nil
	if !w.nodes[0].ready() { // its place may not be taken yet
		n.kill()
		w.awaitIdle(n)
		return
	}
	commits := 0
	for _, c := range n.gate.list() {
		if c.writes && !c.answer {
			commits++
		}
	}
	w.happen("wakes")
	w.count("woke with a commit under way after its place was taken", commits > 0)
	n.wake()
	w.awaitIdle(n)
}

// awaitIdle is await in time that the run has besides.
func (w *World) awaitIdle(n *Node) {
	began := time.Now()
	w.await(n)
	w.idle += time.Since(began)
}

// disturb makes the database slow for a node for a moment, and its calls fail often.
func (w *World) disturb(n *Node) {
	d := time.Duration(500+w.rnd.IntN(2500)) * time.Millisecond
	w.happen("FAULT the database is in trouble for %v%s", d, n)
	w.count("trouble of the database", true)
	n.trouble = time.Now().Add(d)
}

// outage draws how long nothing gets through between nodes: a moment, which is a delay, or long enough to be noticed.
func (w *World) outage() time.Duration {
	if w.rnd.IntN(2) == 0 {
		return time.Duration(100+w.rnd.IntN(1500)) * time.Millisecond
	}
	return time.Duration(2000+w.rnd.IntN(10_000)) * time.Millisecond
}

// partition lets nothing through between a node and another one.
func (w *World) partition(n *Node) {
	other := w.besides(n)
	d := w.outage()
	w.happen("FAULT nothing between %v and %v for %v", n, other, d)
	w.count("partition of two", true)
	w.wires.partition(n.place, other.place, d)
}

// isolate lets nothing through between a node and all others.
func (w *World) isolate(n *Node) {
	d := w.outage()
	w.happen("FAULT nothing between %v and all others for %v", n, d)
	w.count("partition of one and all", true)
	for _, other := range w.nodes {
		if other != n {
			w.wires.partition(n.place, other.place, d)
		}
	}
}

// besides draws another node.
func (w *World) besides(n *Node) *Node {
	i := w.rnd.IntN(len(w.nodes) - 1)
	if i >= n.place {
		i++
	}
	return w.nodes[i]
}

// resetOne ends one of a node's connections to other nodes.
func (w *World) resetOne(n *Node) {
	ls := w.wires.of(n)
	if len(ls) == 0 {
		return
	}
	l := ls[w.rnd.IntN(len(ls))]
	w.happen("FAULT reset %v>%v.%d", l.nodes[0], l.nodes[1], l.number)
	w.count("link reset", true)
	w.count("link reset with frames under way", l.underWay(0) || l.underWay(1))
	l.reset()
}

// kill ends a node as kill -9 does, or with its machine, and starts its successor a moment later.
func (w *World) kill(n *Node) {
	if n.gate.dead() {
		return
	}
	w.wake()
	commits, answers := 0, 0
	for _, c := range n.gate.list() {
		if c.writes && !c.answer {
			commits++
		}
		if c.answer {
			answers++
		}
	}
	if w.rnd.IntN(2) == 0 {
		w.askAll(n)
	}
	w.happen("FAULT kill%s", n)
	w.count("kill", true)
	w.count("kill with a commit under way", commits > 0)
	w.count("kill between commit and answer", answers > 0)
	n.kill()
	n.trouble = time.Time{}
	if w.several() {
		w.succeed(n)
		return
	}
	w.awaitIdle(n)
	on := w.machines(0)[w.rnd.IntN(2)]
	w.count("taken over by another machine", on != n.machine)
	w.nodes[0] = w.start(0, on, n.clock, false)
}

// succeed ends what is between a dead node and the others, and starts its successor on another machine, unless revive
// does so on the same.
func (w *World) succeed(n *Node) {
	frames := false
	for _, l := range w.wires.of(n) {
		frames = frames || l.underWay(0) || l.underWay(1)
	}
	w.count("kill with a frame in a link", frames)
	on := w.machines(n.place)[w.rnd.IntN(2)]
	if on == n.machine {
		w.wires.close(n, w.rnd.IntN(2) == 0)
		return
	}
	w.count("taken over by another machine", true)
	if w.rnd.IntN(2) == 0 {
		w.count("machine lost", true)
		w.wires.lose(n)
	} else {
		w.wires.close(n, w.rnd.IntN(2) == 0)
	}
	w.ending = append(w.ending, n)
	w.nodes[n.place] = w.start(n.place, on, n.clock, false)
}

// askAll has all clients of a node ask what is handled, and hear it before the database goes on: what is acknowledged
// then has to be kept already.
func (w *World) askAll(n *Node) {
	for _, c := range w.clients {
		if c.phase == online && len(c.sent) > 0 && c.at == n && !n.frozen() {
			w.happen("asks %s", c)
			c.pipe.send("<r xmlns='urn:xmpp:sm:3'/>")
			c.arriveUp()
		}
	}
	synctest.Wait()
	downs := w.downEvents()
	inOrder(downs)
	for _, e := range downs {
		e.do()
	}
}

// await lets the goroutines of a dead node end. Their calls fail at once.
func (w *World) await(n *Node) {
	for range 2400 {
		if n.over() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.find("a node whose calls fail, or whose place was taken, does not stop")
}

// revive starts successors for nodes that have ended by themselves: because their database failed while they began, or
// because others took them for dead. Of several nodes it also starts those anew that were killed and stay on their
// machine.
func (w *World) revive() {
	for i, n := range w.nodes {
		if !n.over() {
			continue
		}
		if n.endedAt.IsZero() {
			n.endedAt = time.Now()
			w.count("start failed", !n.wasUp() && !n.gate.dead())
			w.count("taken for dead", n.wasUp() && !n.gate.dead())
			w.happen("ended%s", n)
			w.left = time.Now() // its sessions go from now on
			w.wires.close(n, true)
		}
		if !w.several() {
			time.Sleep(time.Second)
		}
		if time.Since(n.endedAt) >= time.Second || n.gate.dead() {
			w.happen("start again%s", n)
			w.nodes[i] = w.start(i, n.machine, n.clock, false)
		}
	}
}
