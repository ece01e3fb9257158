package muc

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// Ghosts are occupants whose leaving the room has not heard of: their server is gone, or the connection to it was cut
// at the wrong moment (XEP-0045, section 18.4). Stanzas to them bounce at some time, and the room then removes them. In
// a silent room they are pinged (XEP-0199).

// ghosts knows which rooms have clients of other servers in them.
type ghosts struct {
	mu    sync.Mutex
	rooms map[*guests]bool
}

// guests are the clients of other servers in one room.
type guests struct {
	r    *Room
	here map[jid.JID]*guest
}

type guest struct {
	heard time.Time // when the occupant was last known to be there
	asked time.Time
	id    string // id of the ping that waits for an answer
}

// unreachable are the conditions that say that nobody is there, whatever was sent.
var unreachable = [...]string{
	"gone",
	"item-not-found",
	"jid-malformed",
	"recipient-unavailable",
	"redirect",
	"remote-server-not-found",
	"remote-server-timeout",
}

// rule notes who of other servers is in a room, and when they were heard.
func (gs *ghosts) rule(r *Room) Hooks {
	g := &guests{r: r, here: make(map[jid.JID]*guest)}
	return Hooks{
		In: func(client jid.JID) {
			if !r.s.host.Router.Local(client.Domain()) {
				g.here[client] = &guest{heard: time.Now()}
				gs.note(g)
			}
		},
		Out: func(client jid.JID) {
			if g.here[client] != nil {
				delete(g.here, client)
				gs.note(g)
			}
		},
		Sent:     g.sent,
		Answered: g.pong,
	}
}

// note keeps the rooms up to date.
func (gs *ghosts) note(g *guests) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	if len(g.here) == 0 {
		delete(gs.rooms, g)
		return
	}
	if gs.rooms == nil {
		gs.rooms = make(map[*guests]bool)
	}
	gs.rooms[g] = true
}

func (gs *ghosts) all() []*guests {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	return slices.Collect(maps.Keys(gs.rooms))
}

// sent notes that a client has sent something. Errors come from servers too.
func (g *guests) sent(st *wire.Stanza) {
	if st.Type == "error" {
		return
	}
	if x := g.here[st.From]; x != nil {
		x.heard, x.id = time.Now(), ""
	}
}

// pong takes an error that answers a ping. It ignores service-unavailable: clients that do not know pings send it, and
// so do servers for a client that is gone.
func (g *guests) pong(ctx context.Context, st *wire.Stanza) {
	x := g.here[st.From]
	if x == nil || st.Type != "error" || st.ID != x.id || x.id == "" {
		return
	}
	x.heard, x.id = time.Now(), ""
	e := st.Element(wire.NSClient, "error")
	if e == nil {
		return
	}
	for _, c := range unreachable {
		if e.Child(wire.NSStanzas, c) != nil {
			g.r.leave(ctx, g.r.sessions[st.From], st.From, nil, leaving{codes: []string{"333"}})
			return
		}
	}
}

// ask asks those who have been silent since then whether they are there. A guest who says nothing may be on a
// connection that is being resumed (XEP-0198), and is asked again.
func (g *guests) ask(ctx context.Context, since time.Time) {
	for who, x := range g.here {
		if !x.heard.Before(since) || !x.asked.Before(since) {
			continue
		}
		x.asked = time.Now()
		if x.id == "" { // else it is the same question once more: an answer to either will do
			x.id = g.r.s.host.NewID()
		}
		name := wire.Name{Space: wire.NSClient, Local: "iq"}
		st := &wire.Stanza{Kind: wire.IQ, Name: name, Type: "get", ID: x.id, From: g.r.jid}
		g.r.send(ctx, st.Add(wire.E(nsPing, "ping")), []jid.JID{who})
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
		for _, g := range s.ghosts.all() {
			s.PostLoaded(g.r.name, func(ctx context.Context, r *Room) {
				if r == g.r {
					g.ask(ctx, since)
				}
			})
		}
	}
}
