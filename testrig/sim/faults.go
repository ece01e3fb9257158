package sim

import (
	"testing/synctest"
	"time"
)

// faultEvents are the faults that can happen now.
func (w *World) faultEvents() []event {
	cuts := 30
	out := []event{
		{name: "jump", do: w.jump}, {name: "kill", do: w.kill}, {name: "pause", do: w.pause},
		{name: "trouble", do: w.disturb}, {name: "trouble", key: 1, do: w.disturb},
	}
	if w.troubled() { // what is under way then is what a node's end can lose
		for range 20 {
			out = append(out, event{name: "kill", do: w.kill})
		}
	}
	if w.zombie == nil {
		out = append(out, event{name: "usurp", do: w.usurp}, event{name: "usurp", key: 1, do: w.usurp})
	} else if w.node.ready() {
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

// jump sets the node's clock ahead or back.
func (w *World) jump() {
	d := time.Duration(w.rnd.IntN(20_000)-10_000) * time.Millisecond
	w.happen("FAULT clock jumps %v", d)
	w.count("clock jump", true)
	w.count("clock set back", d < 0)
	w.node.clock.jump(d)
}

// pause stops the node for some seconds, as SIGSTOP does.
func (w *World) pause() {
	if w.node.frozen() {
		return
	}
	d := time.Duration(1+w.rnd.IntN(12)) * time.Second
	w.happen("FAULT pause %v", d)
	w.count("pause", true)
	w.node.thawsAt = time.Now().Add(d)
}

// usurp pauses the node, and another machine takes its place. The clients come to that one.
func (w *World) usurp() {
	n := w.node
	if !n.ready() || n.frozen() {
		return
	}
	for _, c := range w.clients { // what they have sent waits for the database when the node stops
		if c.pipe != nil {
			c.arriveUp()
		}
	}
	synctest.Wait()
	machine := machines[0]
	if n.machine == machine {
		machine = machines[1]
	}
	w.happen("FAULT pause, and its place is taken")
	w.count("place taken during a pause", true)
	for _, c := range w.clients {
		if c.pipe != nil {
			c.lose()
		}
	}
	w.zombie, w.node = n, w.start(machine, n.clock, false)
}

// wake has the node go on whose place was taken, if there is one. It has to end by itself, and to write nothing more.
func (w *World) wake() {
	n := w.zombie
	if n == nil {
		return
	}
	w.zombie = nil
	if !w.node.ready() { // its place may not be taken yet
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

// disturb makes the database slow for a moment, and its calls fail often.
func (w *World) disturb() {
	d := time.Duration(500+w.rnd.IntN(2500)) * time.Millisecond
	w.happen("FAULT the database is in trouble for %v", d)
	w.count("trouble of the database", true)
	w.trouble = time.Now().Add(d)
}

// kill ends the node as kill -9 does, and starts its successor a moment later.
func (w *World) kill() {
	w.wake()
	n := w.node
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
		w.askAll()
	}
	w.happen("FAULT kill")
	w.count("kill", true)
	w.count("kill with a commit under way", commits > 0)
	w.count("kill between commit and answer", answers > 0)
	n.kill()
	w.trouble = time.Time{}
	w.awaitIdle(n)
	machine := machines[w.rnd.IntN(len(machines))]
	w.count("taken over by another machine", machine != n.machine)
	w.node = w.start(machine, n.clock, false)
}

// machines are those that a node may run on, one at a time.
var machines = []string{"a", "b"}

// askAll has all clients ask what is handled, and hear it before the database goes on: what is acknowledged then has to
// be kept already.
func (w *World) askAll() {
	for _, c := range w.clients {
		if c.phase == online && len(c.sent) > 0 && !w.node.frozen() {
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

// revive starts a successor for a node that has ended by itself, because its database failed while it began.
func (w *World) revive() {
	if w.node.over() {
		w.count("start failed", true)
		w.happen("start again")
		time.Sleep(time.Second)
		w.node = w.start(w.node.machine, w.node.clock, false)
	}
}
