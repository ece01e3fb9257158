package muc

import (
	"context"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// Ghosts are occupants that are in a room no more, and whose leaving never came: their server is gone, or the connection
// to it was cut at the wrong moment (XEP-0045, section 18.4). What the room sends to them comes back some time and takes
// them out; in a room where nobody says anything they are asked (XEP-0199).

// guest is a client of another server.
type guest struct {
	heard time.Time // when it was last known to be there
	asked time.Time
	id    string // of the question that waits for an answer
}

// unreachable are the conditions that say that nobody is there, whatever was sent.
var unreachable = [...]string{"gone", "item-not-found", "jid-malformed", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout"}

// guestCame notes a client that is in now, guestLeft one that is not any more.
func (r *Room) guestCame(who jid.JID) {
	if r.s.host.Router.Local(who.Domain()) {
		return
	}
	if r.guests == nil {
		r.guests = make(map[jid.JID]*guest)
	}
	r.guests[who] = &guest{heard: time.Now()}
	r.foreign.Store(int32(len(r.guests)))
}

func (r *Room) guestLeft(who jid.JID) {
	if r.guests[who] != nil {
		delete(r.guests, who)
		r.foreign.Store(int32(len(r.guests)))
	}
}

// heard notes that a client has sent something. Errors come from servers too.
func (r *Room) heard(st *wire.Stanza) {
	if st.Type == "error" {
		return
	}
	if g := r.guests[st.From]; g != nil {
		g.heard, g.id = time.Now(), ""
	}
}

// pong takes an error that comes back for a question. service-unavailable is what a client says that knows no pings, and
// what a server says of a client that is gone: it is no proof.
func (r *Room) pong(ctx context.Context, st *wire.Stanza) {
	g := r.guests[st.From]
	if g == nil || st.Type != "error" || st.ID != g.id || g.id == "" {
		return
	}
	g.heard, g.id = time.Now(), ""
	e := st.Element(wire.NSClient, "error")
	if e == nil {
		return
	}
	for _, c := range unreachable {
		if e.Child(wire.NSStanzas, c) != nil {
			r.leave(ctx, r.sessions[st.From], st.From, nil, leaving{codes: []string{"333"}})
			return
		}
	}
}

// askGuests asks those who have been silent since then whether they are there. Who says nothing may be on a connection that
// is being resumed (XEP-0198), and is asked again.
func (r *Room) askGuests(ctx context.Context, since time.Time) {
	for who, g := range r.guests {
		if !g.heard.Before(since) || !g.asked.Before(since) {
			continue
		}
		g.asked = time.Now()
		if g.id == "" { // else it is the same question once more: an answer to either will do
			g.id = r.s.host.NewID()
		}
		st := &wire.Stanza{Kind: wire.IQ, Name: wire.Name{Space: wire.NSClient, Local: "iq"}, Type: "get", ID: g.id, From: r.jid}
		r.send(ctx, st.Add(wire.E(nsPing, "ping")), []jid.JID{who})
	}
}

// watchGuests has rooms ask their guests until ctx ends.
func (s *Service) watchGuests(ctx context.Context) {
	t := time.NewTicker(s.cfg.GuestPing / 4)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		since := time.Now().Add(-s.cfg.GuestPing)
		for _, name := range s.roomsWithGuests() {
			s.postLoaded(name, func(ctx context.Context, r *Room) { r.askGuests(ctx, since) })
		}
	}
}

func (s *Service) roomsWithGuests() (names []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for name, r := range s.rooms {
		if r.foreign.Load() > 0 {
			names = append(names, name)
		}
	}
	return names
}
