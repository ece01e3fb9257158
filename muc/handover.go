package muc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/limit"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A room goes from one living node to another when a node joins or leaves. Its people notice nothing: everything that
// the room remembers of them goes with it, and what they send meanwhile follows it.

// The bounds of handing over.
const (
	handOverTime  = 5 * time.Second
	handOverPause = 20 * time.Millisecond // between two rooms that go to a node that has joined
)

// Moving is what a rule remembers of a room, which goes with the room to another node. Its functions are called on the
// room's goroutine, or before that runs.
type Moving struct {
	Name string // of the rule
	Give func() any
	Take func(b []byte) error
}

// moved is a room on its way to another node.
type moved struct {
	From      store.RoomOwner
	Occupants []movedOccupant
	Speakers  []movedOccupant `json:",omitempty"`
	Recent    []movedPast     `json:",omitempty"` // where there is no archive
	Privates  []movedPrivate  `json:",omitempty"`
	Rules     map[string]json.RawMessage
}

type movedOccupant struct {
	Nick, Affiliation, Role string
	Person                  jid.JID
	Seen                    bool `json:",omitempty"`
	Came                    time.Time
	Left                    int // of its pace
	Clients                 []movedClient
	Asked                   []string  `json:",omitempty"` // of a speaker
	At                      time.Time `json:",omitzero"`  // of a speaker
}

type movedClient struct {
	Client   jid.JID
	Presence []byte
}

type movedPast struct {
	Stanza []byte
	At     time.Time
}

type movedPrivate struct {
	ID       string
	Bare, To jid.JID
}

// handOver gives the room to another node. If that does not take it, it stays, and handOver returns an error. It is
// called on the room's goroutine.
func (r *Room) handOver(ctx context.Context, node string) error {
	s := r.s
	r.Flush(ctx)
	if r.over {
		return nil
	}
	b, err := json.Marshal(r.moves())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, handOverTime)
	defer cancel()
	o := order{kind: orderTake, body: b}
	taken := make(chan error, 1)
	err = s.others.Ask(node, r.name, o.encode(), func(b []byte, err error) {
		var a answer
		if err == nil {
			err = json.Unmarshal(b, &a)
		}
		if err == nil {
			err = a.Refusal.err()
		}
		if err == nil && a.Epoch == 0 {
			err = fmt.Errorf("it is at %s", a.Node)
		}
		taken <- err
	})
	if err == nil {
		select {
		case err = <-taken:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err != nil && !r.isGone() {
		s.log.Info("a room stays here", "room", r.jid.String(), "err", err)
		return err
	}
	s.keepPlaces(r)
	r.over = true
	s.awayRoom(r.name, node)
	s.forget(r)
	return nil
}

// isGone says whether another node has the room, although it has not said so.
func (r *Room) isGone() bool {
	ctx, cancel := context.WithTimeout(context.Background(), handOverTime)
	defer cancel()
	row, err := r.s.st.Room(ctx, r.s.cfg.Domain, r.name)
	return err != nil || row.Epoch != r.epoch
}

// moves gives what the room remembers.
func (r *Room) moves() moved {
	m := moved{From: r.s.others.Self(), Rules: make(map[string]json.RawMessage)}
	for _, o := range r.order {
		m.Occupants = append(m.Occupants, o.moves())
	}
	for e := r.speakers.last.Back(); e != nil; e = e.Prev() {
		sp := e.Value.(*speaker)
		x := sp.Occupant.moves()
		x.Asked, x.At = sp.asked, sp.at
		x.Clients = []movedClient{{Client: sp.session}}
		m.Speakers = append(m.Speakers, x)
	}
	if !r.cfg.Archive {
		for _, p := range r.recent {
			m.Recent = append(m.Recent, movedPast{p.st.AppendXML(nil, p.st.To, wire.Client), p.at})
		}
	}
	for i := range r.private.last {
		if p := r.private.last[(r.private.n+i)%len(r.private.last)]; p.id != "" {
			m.Privates = append(m.Privates, movedPrivate{p.id, p.bare, p.to})
		}
	}
	for i := range r.hooks {
		x := r.hooks[i].Moving
		if x.Give == nil {
			continue
		}
		b, err := json.Marshal(x.Give())
		if err != nil {
			r.s.log.Error("something that a room remembers does not go with it", "what", x.Name, "err", err)
			continue
		}
		m.Rules[x.Name] = b
	}
	return m
}

func (o *Occupant) moves() movedOccupant {
	x := movedOccupant{
		Nick: o.nick, Affiliation: o.affiliation, Role: o.role, Person: o.bare, Seen: o.seen, Came: o.came,
		Left: o.pace.Left(),
	}
	for _, c := range o.clients {
		x.Clients = append(x.Clients, movedClient{c.jid, c.presence.AppendXML(nil, c.presence.To, wire.Client)})
	}
	return x
}

// takeOver loads a room that another node gives away.
func (s *Service) takeOver(ctx context.Context, room string, b []byte) (*Room, error) {
	var m moved
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	return s.loadWith(ctx, room, func(ctx context.Context) (*Room, error) {
		row, err := s.st.ClaimRoom(ctx, s.cfg.Domain, room, s.others.Self(), m.From)
		if err != nil {
			return nil, err
		}
		r, err := newRoom(ctx, s, row)
		if err != nil {
			return nil, err
		}
		if err := r.install(ctx, m); err != nil {
			return nil, err
		}
		s.places.forget(room)
		return r, nil
	})
}

// install makes the room what it was at another node. It is called before the room's goroutine runs.
func (r *Room) install(ctx context.Context, m moved) error {
	for _, x := range m.Occupants {
		o, err := r.occupantOf(x)
		if err != nil {
			return err
		}
		o.hats = r.hatsOf(ctx, o.bare)
		for _, c := range x.Clients {
			presence, err := wire.ParseStanza(c.Presence, wire.Limits{Stanza: len(c.Presence)})
			if err != nil {
				return err
			}
			o.clients = append(o.clients, client{c.Client, presence})
			r.sessions[c.Client] = o
			r.clientIn(c.Client)
		}
		r.nameAs(o, o.nick, o.jid)
		r.order = append(r.order, o)
	}
	r.present.Store(int32(len(r.order)))
	for _, x := range m.Speakers {
		o, err := r.occupantOf(x)
		if err != nil {
			return err
		}
		if len(x.Clients) > 0 {
			o.session = x.Clients[0].Client
		}
		r.keepSpeaker(ctx, &speaker{Occupant: o, asked: x.Asked, at: x.At})
	}
	for _, p := range m.Recent {
		st, err := wire.ParseStanza(p.Stanza, wire.Limits{Stanza: len(p.Stanza)})
		if err != nil {
			return err
		}
		r.recent = append(r.recent, past{st, p.At})
	}
	for _, p := range m.Privates {
		r.private.note(private{p.ID, p.Bare, p.To})
	}
	for i := range r.hooks {
		x := r.hooks[i].Moving
		if b := m.Rules[x.Name]; x.Take != nil && b != nil {
			if err := x.Take(b); err != nil {
				return fmt.Errorf("%s: %w", x.Name, err)
			}
		}
	}
	return nil
}

func (r *Room) occupantOf(x movedOccupant) (*Occupant, error) {
	j, err := r.jid.WithResource(x.Nick)
	if err != nil {
		return nil, err
	}
	o := &Occupant{
		nick: x.Nick, jid: j, bare: x.Person, id: r.OccupantID(x.Person), affiliation: x.Affiliation, role: x.Role,
		seen: x.Seen, came: x.Came,
		pace: limit.NewPace(rate.Limit(r.s.cfg.MessageRate), r.s.cfg.MessageBurst),
	}
	o.pace.Use(r.s.cfg.MessageBurst - x.Left)
	return o, nil
}

// keepPlaces notes which clients of this node are in a room that goes to another one.
func (s *Service) keepPlaces(r *Room) {
	s.places.mu.Lock()
	defer s.places.mu.Unlock()
	for _, o := range r.order {
		for _, c := range o.clients {
			if x := s.host.Router.Session(c.jid); x == nil || x.Node() != "" {
				continue
			}
			s.places.at(r.name, c.jid, &place{sent: c.presence, nick: o.nick, role: o.role})
		}
	}
}

// spread gives rooms to the nodes to which they go now that another node has joined, one after the other.
func (s *Service) spread(ctx context.Context) {
	for _, name := range s.loadedNames() {
		node := s.others.Place(name)
		if node == s.others.Self().Node {
			continue
		}
		s.PostLoaded(name, func(ctx context.Context, r *Room) { _ = r.handOver(ctx, node) }) // or it stays
		select {
		case <-time.After(handOverPause):
		case <-ctx.Done():
			return
		}
	}
}

// giveAll gives all rooms in which somebody is to other nodes, because this one ends. The others that are left when one
// cannot be given are taken over when this node is none any more.
func (s *Service) giveAll(ctx context.Context) {
	for _, name := range s.loadedNames() {
		r := s.Loaded(name)
		if r == nil || r.present.Load() == 0 {
			continue
		}
		node := s.others.PlaceWithout(name)
		if node == "" || ctx.Err() != nil {
			return
		}
		err := s.Ask(ctx, name, handOverTime, func(ctx context.Context, r *Room) error { return r.handOver(ctx, node) })
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			s.log.Info("rooms are not given to another server", "err", err)
			return
		}
	}
}
