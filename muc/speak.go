package muc

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/time/rate"

	"parley/internal/fault"
	"parley/internal/limit"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// People may say something in a room without being in it: a browser's session is in no room. If one of their clients is
// there, they speak as that occupant. Otherwise they are speakers: occupants of whom nobody is shown presence. A room
// keeps its last speakers, so that their pace and their nicks last from one message to the next.

const (
	maxSpeakers = 1000
	speakerIdle = 10 * time.Minute // how long a speaker who is silent is kept
)

// speakers are those that a room keeps.
type speakers struct {
	of   map[jid.JID]*speaker // by bare address
	keys map[string]*speaker  // by what their nicks look like
	last list.List            // of *speaker: who spoke last is the first
}

// speaker is somebody who has spoken.
type speaker struct {
	*Occupant
	asked []string // the nicks to choose among
	key   string   // what the nick looks like
	at    time.Time
	place *list.Element
}

// spoken is what became of a message: shown, if it is shown to all, and its place in the archive, or why it is refused.
type spoken struct {
	id    store.ID
	shown *wire.Stanza
	err   error
}

// tell gives the outcome of a message to who waits for it, if anybody does.
func (m *Message) tell(err error) {
	if m.said == nil {
		return
	}
	o := spoken{shown: m.Stanza, err: err}
	if m.Entry != nil {
		o.id = m.Entry.ID
	}
	m.said(o)
}

// Speak has a person say something to all in a room in which the session from need not be an occupant. from is the full
// address of a session of this deployment, st is of type groupchat, to the room. All that holds for an occupant's
// message holds for st, and what holds for somebody who enters holds for the person. nicks are names under which the
// person may appear, the most wanted first; an occupant has a nick already.
//
// Speak returns when the message is kept: with its id in the archive, which is 0 for what is not archived, such as a
// chat state, and with the stanza that everyone was sent, which must not be changed. shown is nil if a rule dealt with
// the message instead, such as a command; its answer goes to from. A refusal is returned, and sent to nobody. If ctx
// ends first, or the room does not answer in time, the message may be said all the same.
func (s *Service) Speak(
	ctx context.Context, from jid.JID, nicks []string, st *wire.Stanza,
) (id store.ID, shown *wire.Stanza, err error) {
	session := s.host.Router.Session(from)
	room := st.To
	if session == nil || st.Kind != wire.Message || st.Type != "groupchat" || room.Local() == "" || !room.IsBare() {
		return 0, nil, server.BadRequest
	}
	if len(room.Local()) > s.cfg.NameLength {
		return 0, nil, server.NotAcceptable
	}
	st = st.Copy()
	st.Name, st.From = messageName, from
	var out spoken
	err = session.Host.SentTo(ctx, session, st, func(ctx context.Context, st *wire.Stanza) error {
		out = s.speak(ctx, nicks, st)
		return out.err
	})
	switch {
	case errors.Is(err, store.ErrConflict):
		err = ErrTaken
	case errors.Is(err, store.ErrNotFound):
		err = server.ItemNotFound
	}
	if err != nil {
		return 0, nil, err
	}
	return out.id, out.shown, nil
}

// speak hands st to the room and waits for what becomes of it.
func (s *Service) speak(ctx context.Context, nicks []string, st *wire.Stanza) spoken {
	ctx, cancel := context.WithTimeout(ctx, Patience)
	defer cancel()
	done := make(chan spoken, 1)
	w := work{
		st:    st,
		nicks: nicks,
		said:  func(o spoken) { done <- o },
		lost:  func(err error) { done <- spoken{err: err} },
	}
	if err := s.post(ctx, st.To.Local(), w); err != nil {
		return spoken{err: err}
	}
	select {
	case o := <-done:
		return o
	case <-ctx.Done():
		return spoken{err: ErrClosing}
	}
}

// speak does the work of Service.Speak. Who waits is told now, or when the message is kept.
func (r *Room) speak(ctx context.Context, w work) {
	o, err := r.speaking(ctx, w.st.From, w.nicks)
	if err == nil {
		err = r.toAll(ctx, o, w.st)
	}
	if n := len(r.pending); err == nil && n > 0 && r.pending[n-1].from == w.st {
		r.pending[n-1].said = w.said
		return
	}
	w.said(spoken{err: err})
	w.settle()
}

// moderating is something that a session does in a room as a moderator: it takes a message back, or puts somebody out.
type moderating struct {
	From   jid.JID
	Nicks  []string
	Reason string
	ID     string  // of the message
	Who    jid.JID // who is put out
}

// Moderate has a moderator take a message back for everyone (XEP-0425), by its stanza-id. The session from need not be
// in the room. nicks are names under which the person may appear, besides those that the room knows.
func (s *Service) Moderate(ctx context.Context, from, room jid.JID, id, reason string, nicks ...string) error {
	return s.moderate(ctx, room, moderating{From: from, Nicks: nicks, Reason: reason, ID: id})
}

// Kick has a moderator put somebody out of a room with all clients (section 8.2): they may come back. The session from
// need not be in the room. nicks are those of Moderate.
func (s *Service) Kick(ctx context.Context, from, room, who jid.JID, reason string, nicks ...string) error {
	return s.moderate(ctx, room, moderating{From: from, Nicks: nicks, Reason: reason, Who: who})
}

func (s *Service) moderate(ctx context.Context, room jid.JID, m moderating) error {
	_, err := s.asks.moderate.Ask(ctx, room.Local(), Patience, m)
	if errors.Is(err, store.ErrNotFound) {
		return server.ItemNotFound
	}
	return err
}

// moderateCall does it as the occupant as whom the session acts, if that is a moderator.
func (r *Room) moderateCall(ctx context.Context, m moderating) (none Nothing, err error) {
	if err := r.unlocked(ctx, m.From); err != nil {
		return none, err
	}
	if err := r.keeper.Knows(ctx, m.From, true); err != nil {
		return none, err
	}
	o, err := r.speaking(ctx, m.From, append(slices.Clip(m.Nicks), r.keeper.Nick(m.From), m.From.Name()))
	switch {
	case err != nil:
		return none, err
	case m.Who.IsZero():
		return none, r.takeBack(ctx, o, m.ID, m.Reason)
	}
	return none, r.kick(ctx, o, m.Who, m.Reason)
}

// kick puts somebody out with all clients.
func (r *Room) kick(ctx context.Context, actor *Occupant, who jid.JID, reason string) error {
	found := false
	for _, o := range slices.Clone(r.order) {
		if o.bare != who {
			continue
		}
		found = true
		if err := r.mayRole(actor, actor.affiliation, change{o: o, role: "none"}); err != nil {
			return err
		}
		r.setRole(ctx, actor, o, "none", reason)
	}
	if !found {
		return fault.New(fault.NotFound, "", "{{.Name}} is not in the room now", "Name", who.String())
	}
	return nil
}

// Voice gives the occupant as whom a person speaks: one in the room, or a speaker whom the room keeps; nil if there is
// neither. It is called on the room's goroutine.
func (r *Room) Voice(who jid.JID) *Occupant {
	for _, o := range r.order {
		if o.bare == who {
			return o
		}
	}
	if sp := r.speakers.of[who]; sp != nil {
		return sp.Occupant
	}
	return nil
}

// Speakers gives those who have spoken lately without being in the room. It is called on the room's goroutine.
func (r *Room) Speakers() (os []*Occupant) {
	for e := r.speakers.last.Front(); e != nil; e = e.Next() {
		os = append(os, e.Value.(*speaker).Occupant)
	}
	return os
}

// speaking gives the occupant as whom a session says something. For somebody who is not in the room, it asks at each
// message whether they may enter.
func (r *Room) speaking(ctx context.Context, from jid.JID, nicks []string) (*Occupant, error) {
	if o := r.sessions[from]; o != nil {
		return o, nil
	}
	for _, o := range r.order {
		if o.bare == from.Bare() {
			return o, nil
		}
	}
	affiliation, seat, err := r.keeper.Enter(ctx, from)
	if err == nil {
		err = r.mayEnter(affiliation, seat, "", nil)
	}
	if err != nil {
		r.Flush(ctx) // what they have said before is shown yet
		r.silence(func(o *Occupant) bool { return o.bare == from.Bare() })
		return nil, err
	}
	return r.speaker(ctx, from, affiliation, nicks)
}

// speaker gives the speaker that a person is, who may enter.
func (r *Room) speaker(ctx context.Context, from jid.JID, affiliation string, nicks []string) (*Occupant, error) {
	now, sp := time.Now(), r.speakers.of[from.Bare()]
	wanted := nicks
	if sp != nil && slices.Equal(sp.asked, nicks) {
		wanted = append([]string{sp.nick}, nicks...)
	}
	nick, err := r.freeNick(ctx, from, affiliation, wanted)
	if err != nil {
		return nil, err
	}
	j, err := r.jid.WithResource(nick)
	if err != nil {
		return nil, server.MalformedJID
	}
	if sp == nil {
		sp = &speaker{Occupant: &Occupant{
			bare: from.Bare(),
			came: r.s.host.Clock.Now(),
			id:   r.OccupantID(from),
			pace: r.paceOf(from.Bare()),
		}}
	}
	sp.affiliation, sp.role, sp.session = affiliation, r.RoleFor(affiliation), from
	sp.nick, sp.jid, sp.asked, sp.at = nick, j, slices.Clone(nicks), now
	r.keepSpeaker(ctx, sp)
	return sp.Occupant, nil
}

// freeNick gives the first nick that the rules let a person have and that nobody else has.
func (r *Room) freeNick(ctx context.Context, from jid.JID, affiliation string, nicks []string) (string, error) {
	refusal := error(errNoNick)
	for _, nick := range nicks {
		nick, err := CheckNick(nick)
		if err != nil {
			continue
		}
		if nick, err = r.nickOf(ctx, from, affiliation, nick); err != nil {
			return "", err
		}
		if r.NickFree(nick, from.Bare()) {
			return nick, nil
		}
		refusal = ErrConflict
	}
	return "", refusal
}

// paceOf gives the pace of somebody who comes: the one that they have as a speaker, or a new one.
func (r *Room) paceOf(who jid.JID) *limit.Pace {
	if sp := r.speakers.of[who]; sp != nil {
		return sp.pace
	}
	return limit.NewPace(rate.Limit(r.s.cfg.MessageRate), r.s.cfg.MessageBurst)
}

// keepSpeaker notes that somebody speaks, and forgets who has not for long.
func (r *Room) keepSpeaker(ctx context.Context, sp *speaker) {
	ss := &r.speakers
	if ss.of == nil { // most rooms have none
		ss.of, ss.keys = make(map[jid.JID]*speaker), make(map[string]*speaker)
	}
	if sp.place == nil {
		ss.of[sp.bare], sp.place = sp, ss.last.PushFront(sp)
	} else {
		ss.unname(sp)
		ss.last.MoveToFront(sp.place)
	}
	sp.key = NickKey(sp.nick)
	ss.keys[sp.key] = sp
	for e := ss.last.Back(); e != nil; e = ss.last.Back() {
		old := e.Value.(*speaker)
		if len(ss.of) <= maxSpeakers && sp.at.Sub(old.at) < speakerIdle {
			return
		}
		r.Flush(ctx)
		r.forgetSpeaker(old)
	}
}

// unname frees the nick of a speaker. Somebody else may have it since the speaker was silent.
func (ss *speakers) unname(sp *speaker) {
	if ss.keys[sp.key] == sp {
		delete(ss.keys, sp.key)
	}
}

func (r *Room) forgetSpeaker(sp *speaker) {
	ss := &r.speakers
	delete(ss.of, sp.bare)
	ss.unname(sp)
	ss.last.Remove(sp.place)
	r.occupantLeft(sp.Occupant)
}

// silence forgets speakers: if they speak again they are asked for everything anew.
func (r *Room) silence(is func(*Occupant) bool) {
	for _, sp := range r.speakers.of {
		if is(sp.Occupant) {
			r.forgetSpeaker(sp)
		}
	}
}

// spokenFor says whether somebody else speaks under a nick with this key.
func (r *Room) spokenFor(key string, who jid.JID, now time.Time) bool {
	sp := r.speakers.keys[key]
	return sp != nil && sp.bare != who && now.Sub(sp.at) < speakerIdle
}
