package muc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Who is in a room is known twice: the room's own node knows all occupants, and each node knows which of its clients
// are in rooms of other nodes. A node that gets a room of a dead one asks all others who is in it, before anybody is
// answered; clients notice nothing.

// places are the clients of this node in rooms of others, by room.
type places struct {
	mu sync.Mutex
	of map[string]map[jid.JID]*place
}

// place is a client in a room of another node.
type place struct {
	sent *wire.Stanza // the last presence that it sent there
	nick string       // as the room has told it; "": it is not in the room yet
	role string
}

// placeState is a place as other nodes hear of it.
type placeState struct {
	Client, Nick, Role string
	Presence           []byte
}

// sends notes what a client of this node sends to a room of another one.
func (p *places) sends(st *wire.Stanza) {
	if st.Kind != wire.Presence || st.To.IsBare() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	room, who := st.To.Local(), st.From
	is := p.of[room][who]
	switch st.Type {
	case "":
		if is == nil {
			is = &place{}
			p.at(room, who, is)
		}
		is.sent = bareStanza(st)
	case "unavailable":
		p.drop(room, who)
	}
}

// at notes a place, with p.mu held.
func (p *places) at(room string, who jid.JID, is *place) {
	if p.of == nil {
		p.of = make(map[string]map[jid.JID]*place)
	}
	if p.of[room] == nil {
		p.of[room] = make(map[jid.JID]*place)
	}
	p.of[room][who] = is
}

func (p *places) drop(room string, who jid.JID) {
	delete(p.of[room], who)
	if len(p.of[room]) == 0 {
		delete(p.of, room)
	}
}

// forget forgets the places in a room that is at this node now.
func (p *places) forget(room string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.of, room)
}

// rooms gives the rooms with places, in order.
func (p *places) rooms() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, 0, len(p.of))
	for name := range p.of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// states gives the clients that are in a room, in order.
func (p *places) states(room string) []placeState {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []placeState
	for who, is := range p.of[room] {
		if is.nick == "" {
			continue
		}
		x := placeState{Client: who.String(), Nick: is.nick, Role: is.role}
		if is.sent != nil {
			x.Presence = is.sent.AppendXML(nil, jid.JID{}, wire.Client)
		}
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b placeState) int { return cmp.Compare(a.Client, b.Client) })
	return all
}

func (p *places) encode(room string) []byte {
	b, err := json.Marshal(p.states(room))
	if err != nil { // only texts are in it
		panic(err)
	}
	return b
}

// Shown is called for presence that a room of another node sends to a client of this one.
func (s *Service) Shown(client jid.JID, st *wire.Stanza) {
	s.places.mu.Lock()
	defer s.places.mu.Unlock()
	room := st.From.Local()
	is := s.places.of[room][client]
	if is == nil {
		return
	}
	x := st.Element(wire.NSMUCUser, "x")
	switch {
	case st.Type == "error":
		if is.nick == "" { // it was not let in
			s.places.drop(room, client)
		}
	case x == nil || !hasStatus(x, "110"):
	case st.Type == "unavailable" && !hasStatus(x, "303"):
		s.places.drop(room, client)
	case st.Type == "":
		is.nick = st.From.Resource()
		if it := x.Child(wire.NSMUCUser, "item"); it != nil {
			is.role = it.Attr("role")
		}
	}
}

func hasStatus(x *wire.Element, code string) bool {
	for _, c := range x.Elements() {
		if c.Name.Local == "status" && c.Attr("code") == code {
			return true
		}
	}
	return false
}

// gather puts everyone into a room that was another node's. Those who were at a dead node, and do not come back, leave
// it. It is called before the room's goroutine runs.
func (r *Room) gather(ctx context.Context) error {
	s := r.s
	if s.others == nil {
		return nil
	}
	answers, err := s.others.All(ctx, r.name, (&order{kind: orderPlaces}).encode())
	if err != nil {
		return err
	}
	all := s.places.states(r.name)
	for _, b := range answers {
		var more []placeState
		if err := json.Unmarshal(b, &more); err != nil {
			return err
		}
		all = append(all, more...)
	}
	var left []placeState
	for _, p := range all {
		client, err := jid.Parse(p.Client)
		if err != nil {
			continue
		}
		if !r.seat(ctx, client, p) {
			left = append(left, p)
		}
	}
	for _, g := range s.others.Ghosts(r.jid) {
		r.haunt(ctx, g)
	}
	for _, p := range left {
		if client, err := jid.Parse(p.Client); err == nil {
			r.s.putOut(ctx, r.jid, client, p.Nick)
		}
	}
	s.places.forget(r.name)
	return nil
}

// seat makes a client an occupant that has been one at another node. It returns false if it may not be one any more.
func (r *Room) seat(ctx context.Context, who jid.JID, p placeState) bool {
	affiliation, err := r.affiliation(ctx, who)
	j, malformed := r.jid.WithResource(p.Nick)
	switch {
	case r.sessions[who] != nil:
		return true
	case err != nil || malformed != nil || affiliation == Outcast, r.cfg.MembersOnly && affiliation == None:
		return false
	}
	o := r.nicks[p.Nick]
	if o != nil && o.bare != who.Bare() {
		return false
	}
	var presence *wire.Stanza
	if p.Presence != nil {
		if presence, err = wire.ParseStanza(p.Presence, wire.Limits{Stanza: len(p.Presence)}); err != nil {
			return false
		}
	}
	if presence == nil {
		presence = &wire.Stanza{Kind: wire.Presence, Name: presenceName}
	}
	if o == nil {
		o = &Occupant{
			bare:        who.Bare(),
			came:        r.s.host.Clock.Now(),
			id:          r.OccupantID(who),
			affiliation: affiliation,
			role:        cmp.Or(p.Role, r.RoleFor(affiliation)),
			pace:        r.paceOf(who.Bare()),
			seen:        true,
		}
		o.hats = r.hatsOf(ctx, o.bare)
		r.nameAs(o, p.Nick, j)
		r.order = append(r.order, o)
		r.present.Store(int32(len(r.order)))
	}
	o.clients = append(o.clients, client{who, presence})
	r.sessions[who] = o
	r.clientIn(who)
	o.shown = [2]*wire.Stanza{}
	return true
}

// haunt does for a client of a dead node what is to be done: it stays while it may be resumed, else everyone is told
// that it has gone.
func (r *Room) haunt(ctx context.Context, g Ghost) {
	if g.Presence != nil {
		r.seat(ctx, g.Client, placeState{
			Nick:     g.Occupant.Resource(),
			Presence: bareStanza(g.Presence).AppendXML(nil, jid.JID{}, wire.Client),
		})
		return
	}
	if r.nicks[g.Occupant.Resource()] != nil {
		return
	}
	o := &Occupant{
		nick:        g.Occupant.Resource(),
		jid:         g.Occupant,
		bare:        g.Client.Bare(),
		affiliation: None,
		id:          r.OccupantID(g.Client),
	}
	if a, err := r.affiliation(ctx, g.Client); err == nil {
		o.affiliation = a
	}
	r.views(o, func(real bool, tos []jid.JID) {
		r.send(ctx, r.goodbye(o, nil, g.Client, real, nil, leaving{}, "none"), tos)
	})
}

// putOut tells a client of this or another node that it is not in a room any more, for a technical reason (status 333):
// it enters again and reads what it has missed.
func (s *Service) putOut(ctx context.Context, room, client jid.JID, nick string) {
	from, err := room.WithResource(nick)
	if err != nil {
		return
	}
	it := wire.E(wire.NSMUCUser, "item").Set("affiliation", None).Set("role", "none")
	p := &wire.Stanza{Kind: wire.Presence, Name: presenceName, Type: "unavailable", From: from, To: client}
	s.host.Router.Send(ctx, p.Add(userX(it, "110", "307", "333")))
}

// takePlaces takes which clients of another node believe to be in the room: those that are not are told so.
func (r *Room) takePlaces(ctx context.Context, b []byte) {
	var all []placeState
	if err := json.Unmarshal(b, &all); err != nil {
		r.s.log.Error("another server says who is in a room, but it cannot be read", "err", err)
		return
	}
	for _, p := range all {
		if client, err := jid.Parse(p.Client); err == nil && r.sessions[client] == nil {
			r.s.putOut(ctx, r.jid, client, p.Nick)
		}
	}
}

// tellPlaces tells the nodes that have rooms which clients of this one are there: rooms of a dead node are loaded by
// that, and who was put out meanwhile learns it.
func (s *Service) tellPlaces(ctx context.Context) {
	for _, name := range s.places.rooms() {
		if ctx.Err() != nil {
			return
		}
		if s.Loaded(name) != nil {
			s.places.forget(name)
			continue
		}
		if a := s.elsewhere(ctx, name); a != nil {
			if err := a.post(work{here: s.places.encode(name)}); err != nil {
				s.log.Info("a room does not hear who is in it", "room", name, "err", err)
			}
			continue
		}
		if err := s.load(ctx, name); err != nil && !errors.Is(err, store.ErrNotFound) {
			s.log.Info("a room is not loaded", "room", name, "err", err)
		}
	}
}

// NodesChanged is called when a node is dead, or can be reached again.
func (s *Service) NodesChanged() {
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

// NodeMissed is called when a node can be reached again. Its clients may have missed something: they are put out of the
// rooms here for a technical reason (status 333), enter again, and read what they have missed.
func (s *Service) NodeMissed(node string) {
	s.EachLoaded(func(r *Room) bool { return r.present.Load() > 0 }, func(ctx context.Context, r *Room) {
		for _, who := range r.everyone(nil) {
			if x := s.host.Router.Session(who); x != nil && x.Node() == node {
				r.leave(ctx, r.sessions[who], who, nil, leaving{codes: []string{"307", "333"}})
			}
		}
	})
}

// followNodes does what is to be done when nodes change, until ctx ends.
func (s *Service) followNodes(ctx context.Context) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.tidyAways(ctx)
		case <-s.moved:
			s.tellPlaces(ctx)
			s.spread(ctx)
		}
	}
}
