package directory

import (
	"context"
	"encoding/binary"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"parley/cluster"
	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Rooms carries orders for rooms between nodes (muc.Others). It is safe from any goroutine.
type Rooms struct {
	d       *Directory
	service *muc.Service // set by Serve, before there are links
	domain  string
}

// ghosts are clients of dead nodes that had sent presence to rooms, by room.
type ghosts struct {
	mu sync.Mutex
	of map[jid.JID][]ghost
}

type ghost struct {
	session  *server.Session
	occupant jid.JID
	until    time.Time
}

// ghostTime is for how long a client of a dead node may have been in a room that nobody has asked for yet.
const ghostTime = 2 * resumable

// Rooms returns the way to the rooms of a service at other nodes.
func (d *Directory) Rooms(domain string) *Rooms { return &Rooms{d: d, domain: domain} }

// Serve has a service take orders of other nodes. It is called before there are links.
func (r *Rooms) Serve(s *muc.Service) {
	r.service = s
	if r.d.rooms == nil {
		r.d.rooms = make(map[string]*Rooms)
		r.d.bus.HandleLater(topicOrder, r.d.takeOrder)
		r.d.bus.Handle(topicMissed, r.d.takeMissed)
		r.d.bus.Watch(cluster.Watcher{Up: r.d.roomsUp})
	}
	r.d.rooms[r.domain] = r
}

var _ muc.Others = (*Rooms)(nil)

// Self is muc.Others.
func (r *Rooms) Self() store.RoomOwner {
	p := r.d.bus.Self()
	return store.RoomOwner{Node: p.ID, Incarnation: p.Incarnation}
}

// Place is muc.Others. Of all nodes it is the one whose id and the room's name give the highest hash: if a node comes
// or goes, only its own rooms go to others (rendezvous hashing).
func (r *Rooms) Place(room string) string { return r.place(room, r.d.bus.Self().ID) }

// PlaceWithout is muc.Others.
func (r *Rooms) PlaceWithout(room string) string { return r.place(room, "") }

// place gives the node of those besides this one, and of one more unless that is "".
func (r *Rooms) place(room, best string) string {
	most := weight(best, room)
	for _, p := range r.d.bus.Nodes() {
		if w := weight(p.ID, room); best == "" || w > most || w == most && p.ID < best {
			best, most = p.ID, w
		}
	}
	return best
}

func weight(node, room string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(node))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(room))
	w := h.Sum64()
	w ^= w >> 33 // the last bytes count as much as the first ones
	w *= 0xff51afd7ed558ccd
	return w ^ w>>33
}

// Is is muc.Others.
func (r *Rooms) Is(node string) bool {
	for _, p := range r.d.bus.Nodes() {
		if p.ID == node {
			return true
		}
	}
	return false
}

// Heard is muc.Others.
func (r *Rooms) Heard(node string) bool {
	for _, p := range r.d.bus.Nodes() {
		if p.ID == node {
			return r.d.bus.Lives(p, unheardMost)
		}
	}
	return false
}

func (r *Rooms) frame(room string, order []byte) []byte {
	b := make([]byte, 0, len(r.domain)+len(room)+len(order)+8)
	b = binary.AppendUvarint(b, uint64(len(r.domain)))
	b = append(b, r.domain...)
	b = binary.AppendUvarint(b, uint64(len(room)))
	b = append(b, room...)
	return append(b, order...)
}

// text takes a text with its length off a frame.
func text(b []byte) (s string, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return "", nil, false
	}
	return string(b[used : used+int(n)]), b[used+int(n):], true
}

// Ask is muc.Others.
func (r *Rooms) Ask(node, room string, order []byte, then func([]byte, error)) error {
	return r.d.bus.AskThen(node, topicOrder, r.queue(room), r.frame(room, order), func(b []byte, err error) {
		switch {
		case errors.Is(err, cluster.ErrUnanswered):
			err = muc.ErrUnanswered
		case errors.Is(err, cluster.ErrBusy):
			err = server.ResourceConstraint
		}
		then(b, err)
	})
}

// queue is that of all orders for a room.
func (r *Rooms) queue(room string) uint32 { return queueOf(room + "@" + r.domain) }

// All is muc.Others.
func (r *Rooms) All(ctx context.Context, room string, order []byte) ([][]byte, error) {
	b := r.frame(room, order)
	nodes := r.d.bus.Nodes()
	asked := make(map[string]*cluster.Question, len(nodes))
	for _, n := range nodes {
		if q, err := r.d.bus.Question(n.ID, topicOrder, r.queue(room), b); err == nil {
			asked[n.ID] = q
		}
	}
	var all [][]byte
	for _, n := range nodes {
		q := r.d.until(n, asked[n.ID], topicOrder, r.queue(room), b)
		if q == nil {
			continue // it is none any more; or its clients are told later that they are not in the room
		}
		answer, err := q.Wait(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, answer)
	}
	return all, nil
}

// takeOrder takes what another node wants of a room.
func (d *Directory) takeOrder(ctx context.Context, _ cluster.Peer, b []byte, answer func([]byte, error)) {
	domain, b, ok := text(b)
	room, b, also := text(b)
	r := d.rooms[domain]
	if !ok || !also || r == nil {
		answer(nil, errFrame)
		return
	}
	r.service.Order(ctx, room, b, answer)
}

// shown tells a service what presence it has sent to a client of this node.
func (d *Directory) shown(s *server.Session, st *wire.Stanza) {
	if st.Kind != wire.Presence {
		return
	}
	if r := d.rooms[st.From.Domain()]; r != nil {
		r.service.Shown(s.JID, st)
	}
}

// roomsUp is called when a node can be reached again: its clients may have missed what rooms here have said.
func (d *Directory) roomsUp(p cluster.Peer) {
	for _, r := range d.rooms {
		r.service.NodeMissed(p.ID)
		r.service.NodesChanged()
	}
	_ = d.bus.Tell(p.ID, topicMissed, states, nil)
}

// takeMissed takes that clients of this node may have missed what rooms of another one have said.
func (d *Directory) takeMissed(context.Context, cluster.Peer, []byte) ([]byte, error) {
	for _, r := range d.rooms {
		r.service.NodesChanged()
	}
	return nil, nil
}

// roomsGone notes which rooms the clients of a dead node were in, and has rooms of that node loaded by others.
func (d *Directory) roomsGone(all []*server.Session) {
	d.ghosts.add(all, func(j jid.JID) bool { return d.rooms[j.Domain()] != nil })
	for _, r := range d.rooms {
		r.service.NodesChanged()
	}
}

// add notes the rooms to which sessions had sent presence.
func (g *ghosts) add(all []*server.Session, room func(jid.JID) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for at, some := range g.of { // those of an earlier death
		if now.After(some[0].until) {
			delete(g.of, at)
		}
	}
	for _, s := range all {
		for _, to := range s.Directed() {
			if !room(to) || to.IsBare() {
				continue
			}
			if g.of == nil {
				g.of = make(map[jid.JID][]ghost)
			}
			g.of[to.Bare()] = append(g.of[to.Bare()], ghost{s, to, now.Add(ghostTime)})
		}
	}
}

// Ghosts is muc.Others.
func (r *Rooms) Ghosts(room jid.JID) (all []muc.Ghost) {
	gs := &r.d.ghosts
	gs.mu.Lock()
	defer gs.mu.Unlock()
	for _, g := range gs.of[room] {
		x := muc.Ghost{Client: g.session.JID, Occupant: g.occupant}
		if !g.session.Closed() {
			if x.Presence, _ = g.session.Presence(); x.Presence == nil {
				x.Presence = &wire.Stanza{Kind: wire.Presence, Name: wire.Name{Space: wire.NSClient, Local: "presence"}}
			}
		}
		all = append(all, x)
	}
	delete(gs.of, room)
	return all
}
