package groups

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"parley/internal/fault"
	"parley/muc"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const (
	nsOccupantID = "urn:xmpp:occupant-id:0"
	nsHats       = "urn:xmpp:hats:0"
)

// Said is a message of a program in a room, by a webhook. The program is not in the room.
type Said struct {
	ID   string // of the program; its occupant-id is made of it
	Nick string
	Body string
	File string // URL; shown as a file by clients that do so
	Hat  string // what people see the program as: "bot"
	More []*wire.Element

	// Once is an id by which clients know the message and which no other message has: the message is posted once,
	// however often Say is called with it. With Since the archive is searched for it from then on.
	Once  string
	Since store.ID
}

// Say has a program say something in a room. It gives the stanza-id, once the message is kept: that of the body, or of
// the file if there is no body. A *fault.Error says why it cannot be said.
func (s *Service) Say(ctx context.Context, name string, m Said) (store.ID, error) {
	id, err := s.asks.say.Ask(ctx, name, muc.Patience, m)
	if errors.Is(err, store.ErrNotFound) {
		return 0, fault.New(fault.NotFound, "", "this room no longer exists")
	}
	return id, err
}

// namesOf gives nicknames for a person who says something in a room without being in it: own has the nick of the
// bookmark, which the person has chosen for this room, and names the person's other names.
func (s *Service) namesOf(ctx context.Context, room, who jid.JID) (own, names []string) {
	if who.Domain() != s.host.Domain {
		return nil, nil
	}
	bs, err := s.st.Bookmarks(ctx, s.host.Domain, who.Local())
	if err != nil {
		s.log.Error("bookmarks", "err", err)
	}
	for _, b := range bs {
		if b.Room == room.String() && b.Nick != "" {
			own = append(own, b.Nick)
		}
	}
	if u, err := s.st.User(ctx, s.host.Domain, who.Local()); err == nil && u.FullName != "" {
		names = append(names, u.FullName)
	}
	return own, append(names, who.Name())
}

// sayFrom says something for a person: as that occupant if the person is in the room, or else under the first of some
// nicknames that nobody else has. If others have them all, the room says it.
func (s *Service) sayFrom(
	ctx context.Context, r *muc.Room, who jid.JID, nicks []string, body string, more ...*wire.Element,
) {
	if o := r.Voice(who); o != nil {
		nicks = []string{o.Nick()}
	}
	for _, nick := range nicks {
		nick, err := muc.CheckNick(nick)
		if err != nil || !r.NickFree(nick, who) {
			continue
		}
		from, err := r.JID().WithResource(nick)
		if err != nil {
			continue
		}
		id := r.OccupantID(who)
		p := r.Post(s.toAll(from, body, more...).Add(wire.E(nsOccupantID, "occupant-id").Set("id", id)))
		if p.Entry != nil {
			p.Entry.Nick, p.Entry.OccupantID, p.Entry.Sender = nick, id, who.String()
		}
		r.Flush(ctx)
		return
	}
	s.say(ctx, r, body, more...)
}

// sayFor is Say on the room's goroutine.
func (s *Service) sayFor(r *muc.Room, ctx context.Context, m Said) (store.ID, error) {
	if m.Once != "" && m.Since != 0 {
		if id, err := s.saidOnce(ctx, r, m.Once, m.Since); id != 0 || err != nil {
			return id, err
		}
	}
	if k := keeperOf(r); k != nil && k.closed {
		return 0, fault.New(fault.NotAllowed, "", "this theme is closed")
	}
	nick := m.Nick
	for !r.NickFree(nick, jid.JID{}) { // the nickname must not be a person's
		nick += " (" + m.Hat + ")"
	}
	from, err := jid.New(r.Name(), s.Domain(), nick)
	if err != nil {
		return 0, fault.New(fault.Invalid, "", "the name cannot be a nickname in a room")
	}
	var kept []*muc.Message
	say := func(body string, more ...*wire.Element) {
		st := s.toAll(from, body, more...).Add(wire.E(nsOccupantID, "occupant-id").Set("id", r.ProgramID(m.ID)))
		if m.Once != "" && len(kept) == 0 {
			st.ID = m.Once
		}
		if m.Hat != "" {
			uri := "https://" + s.host.Domain + "/hats/" + m.Hat
			st.Add(wire.E(nsHats, "hats", wire.E(nsHats, "hat").Set("uri", uri).Set("title", m.Hat)))
		}
		p := r.Post(st)
		p.Program = true
		kept = append(kept, p)
	}
	if m.Body != "" {
		say(m.Body, m.More...)
	}
	if m.File != "" {
		say(m.File, wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", m.File)))
	}
	r.Flush(ctx)
	if len(kept) == 0 || slices.ContainsFunc(kept, func(p *muc.Message) bool { return !p.Done }) {
		return 0, muc.ErrTaken
	}
	if kept[0].Entry == nil {
		return 0, nil
	}
	return kept[0].Entry.ID, nil
}

// maxLooked is how many messages are searched for one that may have been posted before. No more than that many messages
// arrive while a program tries again.
const maxLooked = 20_000

// saidOnce finds a message since a moment by the id that a program gave it; 0 if there is none.
func (s *Service) saidOnce(ctx context.Context, r *muc.Room, id string, since store.ID) (store.ID, error) {
	r.Flush(ctx)
	mark := []byte(id)
	page := store.Page{Start: since.Time(), Max: 500}
	for looked := 0; looked < maxLooked; {
		es, complete, _, err := s.st.ReadRoom(ctx, s.Domain(), r.Name(), page)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
		for _, e := range es {
			if e.Sender != "" || !bytes.Contains(e.Stanza, mark) {
				continue
			}
			if st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)}); err == nil && st.ID == id {
				return e.ID, nil
			}
		}
		if complete || len(es) == 0 {
			return 0, nil
		}
		looked, page.After = looked+len(es), es[len(es)-1].ID
	}
	return 0, nil
}
