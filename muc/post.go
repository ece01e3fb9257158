package muc

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"strings"

	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Said is what somebody says in a room who is not in it: a program, by a webhook.
type Said struct {
	ID   string // of the program; its occupant-id is made of it
	Nick string
	Body string
	File string // URL; shown as a file by clients that do so
	Hat  string // what it is, for people: "bot"
	More []*wire.Element

	// Once is an id that the message has in clients, and no other: it is said once, whoever asks for it again. Of one that
	// may have been said before, since Since, the archive is asked.
	Once  string
	Since store.ID
}

// Say says something in a room and gives the stanza-id of it, or of the file if that is all there is; it is kept then. An
// *org.Error says why it cannot be said.
func (s *Service) Say(ctx context.Context, name string, m Said) (store.ID, error) {
	type outcome struct {
		id  store.ID
		err error
	}
	done := make(chan outcome, 1)
	err := s.post(ctx, name, work{do: func(ctx context.Context, r *Room) {
		id, err := r.sayFor(ctx, m)
		done <- outcome{id, err}
	}})
	if errors.Is(err, store.ErrNotFound) {
		return 0, &org.Error{Kind: org.NotFound, Text: "there is no such room any more"}
	}
	if err != nil {
		return 0, err
	}
	select {
	case o := <-done:
		return o.id, o.err
	case <-ctx.Done(): // it may be said yet
		return 0, ctx.Err()
	}
}

// namesOf gives the nicknames for what somebody says in a room who is not in it: what their bookmark of it says, which they
// have chosen for it; and the names they have otherwise.
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

// sayFrom says something for a person: as the occupant they are, or else under the first of some nicknames that is nobody
// else's. Where there is none the room says it.
func (r *Room) sayFrom(ctx context.Context, who jid.JID, nicks []string, body string, extra ...*wire.Element) {
	for _, o := range r.order {
		if o.bare == who {
			nicks = []string{o.nick}
		}
	}
	for _, nick := range nicks {
		nick, err := checkNick(nick)
		if err != nil || r.taken(nick, who) || r.keeper.Reserved(nick, who) {
			continue
		}
		from, err := jid.New(r.name, r.s.cfg.Domain, nick)
		if err != nil {
			continue
		}
		id := r.occupantID(who)
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: from, ID: r.s.host.NewID()}
		st.Add(wire.T(wire.NSClient, "body", body)).Add(extra...).Add(wire.E(nsOccupantID, "occupant-id").Set("id", id))
		if p := r.queue(nil, st, false); p.entry != nil {
			p.entry.Nick, p.entry.OccupantID, p.entry.Sender = nick, id, who.String()
		}
		r.flush(ctx)
		return
	}
	r.say(ctx, r.jid, body, extra...)
}

func (r *Room) sayFor(ctx context.Context, m Said) (store.ID, error) {
	if m.Once != "" && m.Since != 0 {
		if id, err := r.saidOnce(ctx, m.Once, m.Since); id != 0 || err != nil {
			return id, err
		}
	}
	if k, ok := r.keeper.(*grouped); ok && k.closed {
		return 0, &org.Error{Kind: org.Forbidden, Text: "this theme is closed"}
	}
	nick := m.Nick
	for r.nicks[nick] != nil { // nobody is spoken for
		nick += " (" + m.Hat + ")"
	}
	from, err := jid.New(r.name, r.s.cfg.Domain, nick)
	if err != nil {
		return 0, &org.Error{Kind: org.Invalid, Text: "the name cannot be one in a room"}
	}
	var kept []*Message
	say := func(body string, extra ...*wire.Element) {
		st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: from, ID: m.Once}
		if m.Once == "" || len(kept) > 0 {
			st.ID = r.s.host.NewID()
		}
		st.Add(wire.T(wire.NSClient, "body", body)).Add(extra...).Add(wire.E(nsOccupantID, "occupant-id").Set("id", r.programID(m.ID)))
		if m.Hat != "" {
			hat := wire.E("urn:xmpp:hats:0", "hat").Set("uri", "https://"+r.s.host.Domain+"/hats/"+m.Hat).Set("title", m.Hat)
			st.Add(wire.E("urn:xmpp:hats:0", "hats", hat))
		}
		p := r.queue(nil, st, false)
		p.hook = true
		kept = append(kept, p)
	}
	said := 0
	if m.Body != "" {
		say(m.Body, m.More...)
	}
	if m.File != "" {
		say(m.File, wire.E(wire.NSOOB, "x", wire.T(wire.NSOOB, "url", m.File)))
	}
	for _, p := range kept {
		p.after = func(context.Context) { said++ }
	}
	r.flush(ctx)
	if said != len(kept) || len(kept) == 0 {
		return 0, errTaken
	}
	if kept[0].entry == nil {
		return 0, nil
	}
	return kept[0].entry.ID, nil
}

// maxLooked is in how many messages one is looked for that may have been said before: more came after it in no time in
// which programs try again.
const maxLooked = 20_000

// saidOnce finds the message that has an id of programs, since a moment; 0 if there is none.
func (r *Room) saidOnce(ctx context.Context, id string, since store.ID) (store.ID, error) {
	r.flush(ctx)
	mark := []byte(id)
	page := store.Page{Start: since.Time(), Max: 500}
	for looked := 0; looked < maxLooked; {
		es, complete, _, err := r.s.st.ReadRoom(ctx, r.s.cfg.Domain, r.name, page)
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

// programID is the occupant-id of who is no person (XEP-0421).
func (r *Room) programID(id string) string {
	m := hmac.New(sha256.New, r.s.cfg.Secret)
	m.Write([]byte(r.jid.String() + "\x00program\x00" + id))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(m.Sum(nil)[:20]))
}
