package muc

import (
	"context"
	"strconv"
	"time"
	"unicode/utf8"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// past is a message that newcomers are shown.
type past struct {
	st *wire.Stanza // with its delay
	at time.Time
}

// loadRecent reads the last messages of the archive.
func (r *Room) loadRecent(ctx context.Context) error {
	es, _, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name, store.Page{Max: r.s.cfg.HistoryMax, Backwards: true})
	if err != nil {
		return err
	}
	for _, e := range es {
		st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
		if err != nil || isSubject(st) {
			continue
		}
		r.rememberAt(st, e.ID.Time())
	}
	return nil
}

// remember keeps a message for newcomers: every archived one, or in a room without an archive every one with a body.
func (r *Room) remember(st *wire.Stanza, e *store.RoomEntry) {
	switch {
	case e != nil && !e.Subject:
		r.rememberAt(st, e.ID.Time())
	case e == nil && !r.cfg.Archive && st.Has(wire.NSClient, "body"):
		r.rememberAt(st, r.s.host.Clock.Now())
	}
}

func (r *Room) rememberAt(st *wire.Stanza, at time.Time) {
	if len(r.recent) >= r.s.cfg.HistoryMax {
		copy(r.recent, r.recent[1:])
		r.recent = r.recent[:len(r.recent)-1]
	}
	r.recent = append(r.recent, past{st: st, at: at})
}

// delayed gives the message as history shows it, made when it is first wanted.
func (p *past) delayed(room jid.JID) *wire.Stanza {
	if !p.st.Has(wire.NSDelay, "delay") {
		p.st = p.st.Copy().Add(wire.E(wire.NSDelay, "delay").Set("from", room.String()).
			Set("stamp", p.at.UTC().Format(server.TimeFormat))).Render()
	}
	return p.st
}

// size is the message's size for maxchars: the characters of the whole stanza.
func (p *past) size(room, to jid.JID) int {
	return utf8.RuneCount(p.delayed(room).AppendXML(nil, to, wire.Client))
}

// sendHistory is section 7.2.13 and 7.2.14; h is what the client asks for, nil for the room's default.
func (r *Room) sendHistory(ctx context.Context, o *Occupant, to jid.JID, h *wire.Element) {
	from, ok := r.shownFrom(ctx, o)
	if !ok {
		return
	}
	if kept := r.s.kept(); kept.After(from) {
		from = kept
	}
	first := max(0, len(r.recent)-r.historyMax())
	if h != nil {
		first = r.wanted(h, to)
	}
	for first < len(r.recent) && r.recent[first].at.Before(from) {
		first++
	}
	for i := first; i < len(r.recent); i++ {
		r.send(ctx, r.recent[i].delayed(r.jid), []jid.JID{to})
	}
}

// wanted gives where the history that a client has asked for begins.
func (r *Room) wanted(h *wire.Element, to jid.JID) int {
	number := func(name string) (int, bool) {
		n, err := strconv.Atoi(h.Attr(name))
		return n, err == nil && n >= 0
	}
	first := 0
	later := func(i int) { first = max(first, i) }
	n, stanzas := number("maxstanzas")
	if stanzas {
		later(len(r.recent) - n)
	}
	since := time.Time{}
	if s, ok := number("seconds"); ok {
		since = r.s.host.Clock.Now().Add(-time.Duration(min(s, 1<<30)) * time.Second)
	}
	if t, err := time.Parse(time.RFC3339Nano, h.Attr("since")); err == nil && t.After(since) {
		since = t
	}
	if !since.IsZero() {
		i := len(r.recent)
		for i > 0 && !r.recent[i-1].at.Before(since) {
			i--
		}
		later(i)
	} else if !stanzas {
		later(len(r.recent) - r.historyMax())
	}
	if chars, ok := number("maxchars"); ok {
		i := len(r.recent)
		for i > first && chars > 0 {
			if chars -= r.recent[i-1].size(r.jid, to); chars >= 0 {
				i--
			}
		}
		later(i)
	}
	return first
}
