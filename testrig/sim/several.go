package sim

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"parley/server"
)

// What is played with several nodes, besides what is played with one.

// roomsOutliveFaults says whether rooms are played with several nodes also where there are faults. Until what that
// finds is understood they are not: testrig/cluster tries rooms on real processes.
const roomsOutliveFaults = false

// hasRooms says whether rooms are played.
func (w *World) hasRooms() bool { return !w.several() || !w.o.Faults || roomsOutliveFaults }

// archivesAreChained says whether a client is told of an entry of its archive only after all before. Until it is,
// what one node tells can overtake what another one tells that is cut off or dies. A client that loses its
// connection then, and asks for what came after the last id that it was told of, misses the other message. That is
// counted, and no finding.
const archivesAreChained = false

// forgottenAfter is after how long the sessions of a dead node are withdrawn, and a little more.
const forgottenAfter = 80 * time.Second

// clocksDiffer says whether the clocks of two nodes are further apart than they may be: which of two sessions with
// one address is the later one is not known then, if their nodes did not hear each other.
func (w *World) clocksDiffer() bool {
	const most = 5 * time.Second
	for _, a := range w.nodes {
		for _, b := range w.nodes {
			if a.clock.now().Sub(b.clock.now()) > most {
				return true
			}
		}
	}
	return false
}

// anyUnheard says whether some node may not be heard by another one.
func (w *World) anyUnheard() bool {
	return w.several() && (len(w.living()) < len(w.nodes) || w.wires.anyApart())
}

// actAlone is act in a world without rooms.
func (c *client) actAlone() {
	w := c.w
	switch n := w.rnd.IntN(100); {
	case n < 55:
		c.chat()
	case n < 65:
		c.show()
	case n < 90:
		w.happen("r %s", c)
		c.pipe.send("<r xmlns='urn:xmpp:sm:3'/>")
	case n < 94:
		c.block(w.clients[w.rnd.IntN(len(w.clients))].account)
	case n < 96:
		w.disableOne()
	case n >= 98 && w.faulty:
		c.bye()
	}
}

// checkSessions compares the sessions there are with what each node knows of those of the others, and with the
// clients.
func (w *World) checkSessions() {
	own, theirs := make([]map[string][]byte, len(w.nodes)), make([]map[string][]byte, len(w.nodes))
	for i, n := range w.nodes {
		own[i], theirs[i] = make(map[string][]byte), make(map[string][]byte)
		if n.built() == nil {
			w.find("node %d is not there", i)
			continue
		}
		n.built().Host(Host).Accounts(func(a *server.Account) bool {
			for _, s := range a.Sessions() {
				into := own[i]
				if s.Node() != "" {
					into = theirs[i]
				}
				into[s.JID.String()] = stateOf(s)
			}
			return true
		})
	}
	for i, of := range own {
		for _, full := range slices.Sorted(maps.Keys(of)) {
			if !slices.ContainsFunc(w.clients, func(c *client) bool { return c.full() == full && c.isAt(i) }) {
				w.find("node %d has a session of %s, who is not there", i, full)
			}
			for j := range w.nodes {
				switch known, ok := theirs[j][full]; {
				case i == j:
				case own[j][full] != nil:
					w.find("%s has sessions on the nodes %d and %d", full, i, j)
				case !ok:
					w.find("node %d does not know that %s is on node %d", j, full, i)
				case !bytes.Equal(known, of[full]):
					w.find("node %d does not know what %s is on node %d", j, full, i)
				}
			}
		}
	}
	for j, of := range theirs {
		for _, full := range slices.Sorted(maps.Keys(of)) {
			if !slices.ContainsFunc(own, func(m map[string][]byte) bool { return m[full] != nil }) {
				w.find("node %d knows %s, who is nowhere", j, full)
			}
		}
	}
	for _, c := range w.clients {
		if c.phase == online && own[c.where][c.full()] == nil {
			w.find("node %d does not have the session of %s", c.where, c)
		}
	}
}

// isAt says whether the client is online at a place.
func (c *client) isAt(place int) bool { return c.phase == online && c.where == place }

// stateOf is all that a node knows of a session.
func stateOf(s *server.Session) []byte {
	st := s.State(true)
	slices.Sort(st.Directed)
	b, err := json.Marshal(st)
	if err != nil {
		return []byte(err.Error())
	}
	return b
}
