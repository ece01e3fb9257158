package muc

import (
	"context"
	"errors"
	"slices"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Message is a message that waits for the commit of its batch and is shown then. Its fields are set when the room has
// taken it; Hooks.Shown may read them, on the room's goroutine.
type Message struct {
	Stanza  *wire.Stanza     // the stanza that everyone gets
	Entry   *store.RoomEntry // the entry in the archive; nil if the message is not archived
	By      *Occupant        // the sender; nil if it is the room or a program
	Program bool             // the sender is a program
	Done    bool             // it is kept and shown

	from  *wire.Stanza // as sent
	after func(ctx context.Context)
	said  func(spoken) // is told the outcome in place of the sender's client; nil: none

	to *Occupant        // the only recipient; nil: all
	in *server.Incoming // by way of that person's account; nil: it is on another server
}

// onMessage sorts messages: to all, to one, invitations and the like.
func (r *Room) onMessage(ctx context.Context, st *wire.Stanza) error {
	if st.Type == "error" {
		r.Flush(ctx)
		return r.bounced(ctx, st)
	}
	o := r.sessions[st.From]
	if o == nil && r.locked.Load() {
		return server.ItemNotFound // section 17.2
	}
	if !st.To.IsBare() {
		return r.privateMessage(ctx, o, st)
	}
	if st.Type != "groupchat" {
		r.Flush(ctx)
		return r.toRoom(ctx, o, st)
	}
	if o == nil {
		return errNotOccupant
	}
	return r.toAll(ctx, o, st)
}

// toAll takes what an occupant says to all. Each rule may refuse it, change it, or deal with it.
func (r *Room) toAll(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	if len(st.Payload) > r.s.cfg.MessageSize {
		return server.WithText(server.PolicyViolation, "the message is too large")
	}
	if !o.pace.Allow(st.At) {
		return ErrTooFast
	}
	out, err := r.receive(ctx, o, st)
	if err != nil || out == nil {
		return err
	}
	switch {
	case isSubject(out):
		return r.changeSubject(o, st, out)
	case o.role == "visitor":
		return server.Forbidden
	}
	if err := r.ownRetraction(ctx, o, out); err != nil {
		return err
	}
	if err := r.accept(o, out); err != nil {
		return err
	}
	r.PostAs(o, st, out)
	return nil
}

// isSubject: a subject and neither body nor thread (section 8.1).
func isSubject(st *wire.Stanza) bool {
	return st.Has(wire.NSClient, "subject") && !st.Has(wire.NSClient, "body") && !st.Has(wire.NSClient, "thread")
}

// outgoing makes the stanza that is broadcast from an occupant's stanza: sent from the occupant, with its occupant-id,
// without elements that only the room may write.
func (r *Room) outgoing(o *Occupant, st *wire.Stanza) *wire.Stanza {
	// The sender may be on another server; for our own clients the marks have been removed by now.
	out := r.s.host.Router.Unforged(st, true).Copy().Remove(func(c wire.Child) bool {
		switch c.Name.Space {
		case wire.NSMUCUser, nsOccupantID:
			return true
		case wire.NSSID:
			return c.Name.Local == "stanza-id" && r.forged(st, c)
		case wire.NSDelay:
			return true
		case wire.NSRetract: // a tombstone names a moderator and a reason
			return c.Name.Local == "retracted"
		case wire.NSModerate:
			return true
		}
		return false
	})
	out.To, out.From = jid.JID{}, o.jid
	return out
}

func (r *Room) forged(st *wire.Stanza, c wire.Child) bool {
	e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
	return err != nil || e.Attr("by") == r.jid.String() || e.Attr("by") == r.s.cfg.Domain
}

// queue puts a message into the batch that is committed next.
func (r *Room) queue(o *Occupant, st *wire.Stanza, subject bool) *Message {
	p := &Message{from: st, By: o}
	if o == nil {
		p.Stanza = st
	} else {
		p.Stanza = r.outgoing(o, st)
	}
	id := store.ID(0)
	if r.cfg.Archive && (subject || server.Meaningful(p.Stanza)) {
		id = r.s.host.IDs.Next()
	}
	r.sign(p.Stanza, o, id)
	if id != 0 {
		r.seq++
		p.Entry = &store.RoomEntry{
			Host:     r.s.cfg.Domain,
			Room:     r.name,
			Epoch:    r.epoch,
			Seq:      r.seq,
			ID:       id,
			OriginID: st.ID,
			Refers:   store.RefersOf(p.Stanza),
			Subject:  subject,
			Quiet:    !server.Said(p.Stanza),
			Stanza:   p.Stanza.AppendXML(make([]byte, 0, len(p.Stanza.Payload)+200), jid.JID{}, wire.Client),
		}
		if o != nil {
			p.Entry.Nick, p.Entry.OccupantID, p.Entry.Sender = o.nick, o.id, o.bare.String()
		}
	}
	r.pending = append(r.pending, p)
	return p
}

// sign adds the room's stanza-id (XEP-0359) and the occupant-id (XEP-0421), in one copy of the payload.
func (r *Room) sign(st *wire.Stanza, o *Occupant, id store.ID) {
	b := make([]byte, len(st.Payload), len(st.Payload)+220)
	copy(b, st.Payload)
	cs := slices.Clip(st.Children)
	if id != 0 {
		start := len(b)
		b = append(b, `<stanza-id xmlns='urn:xmpp:sid:0' by='`...)
		b = wire.AppendEscaped(b, r.jid.String())
		b = append(b, `' id='`...)
		b = append(b, id.String()...)
		b = append(b, `'/>`...)
		cs = append(cs, wire.Child{Name: wire.Name{Space: wire.NSSID, Local: "stanza-id"}, Start: start, End: len(b)})
	}
	if o != nil {
		start := len(b)
		b = append(b, `<occupant-id xmlns='urn:xmpp:occupant-id:0' id='`...)
		b = append(b, o.id...)
		b = append(b, `'/>`...)
		cs = append(cs, wire.Child{
			Name:  wire.Name{Space: nsOccupantID, Local: "occupant-id"},
			Start: start,
			End:   len(b),
		})
	}
	st.SetPayload(b, cs)
}

// Flush commits what waits and then shows it, in order. Nothing is seen that is not kept. It is
// called on the room's goroutine.
func (r *Room) Flush(ctx context.Context) {
	if len(r.pending) == 0 {
		return
	}
	batch := r.pending
	r.pending = nil
	ws := make([]store.Write, 0, len(batch))
	for _, p := range batch {
		if p.Entry != nil {
			ws = append(ws, p.Entry)
		}
		if p.in != nil {
			ws = append(ws, p.in.Writes()...)
		}
	}
	if len(ws) > 0 {
		if err := r.s.st.Commit(ctx, ws...); err != nil {
			r.notKept(ctx, batch, err)
			return
		}
	}
	tos := r.everyone(nil)
	for _, p := range batch {
		if p.to != nil {
			r.deliver(ctx, p)
			p.from.Receipt.Settle()
			continue
		}
		r.send(ctx, p.Stanza, tos)
		r.remember(p.Stanza, p.Entry)
		p.Done = true
		if p.after != nil {
			p.after(ctx)
		}
		for i := range r.hooks {
			if f := r.hooks[i].Shown; f != nil {
				f(p)
			}
		}
		p.tell(nil)
		p.from.Receipt.Settle()
	}
}

// notKept tells the senders. A room that another node has taken over leaves this node, and is loaded again when asked
// for.
func (r *Room) notKept(ctx context.Context, batch []*Message, err error) {
	if errors.Is(err, store.ErrConflict) {
		r.s.log.Info("room was taken over", "room", r.jid.String())
		r.over = true
		r.s.forget(r)
	}
	for _, p := range batch {
		if p.said != nil {
			p.tell(err)
		} else if p.By != nil {
			r.s.Fail(ctx, p.from, err)
		}
		p.from.Receipt.Settle()
	}
}

// Post has the room say something to all: in its own name, or in that of an occupant who is not there. Flush keeps and
// shows the message. Until then, the sender in the entry may be changed. Post is called on the room's goroutine.
func (r *Room) Post(st *wire.Stanza) *Message { return r.queue(nil, st, false) }

// PostAs has an occupant say something to all. sent is the stanza that caused it: its sender's stream counts it as
// handled once the message is kept. st is the stanza that is shown. No rule is asked. It is called on the room's
// goroutine.
func (r *Room) PostAs(o *Occupant, sent, st *wire.Stanza) *Message {
	p := r.queue(o, st, false)
	p.from = sent
	return p
}

// Echo shows a client its own message to all, which nobody else gets and which is not kept. A session that speaks
// without being in the room has the outcome of Service.Speak instead. It is called on the room's goroutine.
func (r *Room) Echo(ctx context.Context, o *Occupant, st *wire.Stanza) {
	if r.sessions[st.From] == nil {
		return
	}
	echo := r.outgoing(o, st)
	r.sign(echo, o, 0)
	r.send(ctx, echo, []jid.JID{st.From})
}

// SendAll sends st to everyone in the room; it is not kept. It is called on the room's goroutine.
func (r *Room) SendAll(ctx context.Context, st *wire.Stanza) { r.send(ctx, st, r.everyone(nil)) }

// changeSubject is section 8.1. sent is the stanza that caused it.
func (r *Room) changeSubject(o *Occupant, sent, st *wire.Stanza) error {
	if o.role == "visitor" || o.role != "moderator" && !r.cfg.ChangeSubject {
		return server.Forbidden
	}
	p := r.queue(o, st, true)
	p.from = sent
	p.after = func(ctx context.Context) {
		r.subject, r.subjectAt = p.Stanza, r.s.host.Clock.Now()
		c := p.Stanza.Copy().Add(wire.E(wire.NSDelay, "delay").Set("from", r.jid.String()).
			Set("stamp", r.subjectAt.UTC().Format(server.TimeFormat)))
		if err := r.s.st.SaveRoomSubject(ctx, r.s.cfg.Domain, r.name,
			c.AppendXML(nil, jid.JID{}, wire.Client)); err != nil {
			r.s.log.Error("subject is not kept", "room", r.jid.String(), "err", err)
		}
		r.subject = c
		r.mu.Lock()
		r.topic = c.Element(wire.NSClient, "subject").Text()
		r.mu.Unlock()
	}
	return nil
}

// sendSubject: always one, if only an empty one (section 7.2.15).
func (r *Room) sendSubject(ctx context.Context, to jid.JID) {
	st := r.subject
	if st == nil {
		st = (&wire.Stanza{
			Kind: wire.Message,
			Name: messageName,
			Type: "groupchat",
			From: r.jid,
		}).Add(wire.E(wire.NSClient, "subject"))
	}
	r.send(ctx, st.Copy(), []jid.JID{to})
}

// toOne prepares a message to one occupant, to be committed and delivered with the batch. An error goes to the sender.
func (r *Room) toOne(ctx context.Context, st *wire.Stanza, to *Occupant) (*Message, error) {
	p := &Message{from: st, Stanza: st, to: to}
	host := r.s.host.Router.Host(to.bare.Domain())
	if host == nil {
		return p, nil
	}
	st.To = to.bare
	var err error
	p.in, err = host.Incoming(ctx, st)
	return p, err
}

// tell says something to some occupants, to each for itself, and gives how many may be told: not who
// wants nothing of it.
func (r *Room) tell(ctx context.Context, st *wire.Stanza, tos []*Occupant) (told int) {
	for _, to := range tos {
		if p, err := r.toOne(ctx, st.Copy(), to); err == nil {
			r.pending = append(r.pending, p)
			told++
		} else {
			r.s.notTold(to.bare, err)
		}
	}
	r.Flush(ctx)
	return told
}

// deliver sends a message for one person to all clients of that occupant.
func (r *Room) deliver(ctx context.Context, p *Message) {
	tos := clientsOf(p.to)
	if p.in == nil {
		r.send(ctx, p.Stanza, tos)
		return
	}
	if err := p.in.Deliver(ctx, tos, func(j jid.JID) { r.gone = append(r.gone, j) }); err != nil && p.By != nil {
		r.s.Fail(ctx, p.from, err)
	} else if err != nil {
		r.s.notTold(p.to.bare, err)
	}
}

// toRoom is a message to the room that is not for all: a form, or what a rule knows.
func (r *Room) toRoom(ctx context.Context, o *Occupant, st *wire.Stanza) error {
	if st.Has(wire.NSForm, "x") && !st.Has(wire.NSMUCUser, "x") {
		if o != nil && !o.pace.Allow(st.At) {
			return ErrTooFast
		}
		return r.onForm(ctx, o, st)
	}
	for i := range r.hooks {
		if f := r.hooks[i].ToRoom; f != nil {
			if done, err := f(ctx, o, st); done || err != nil {
				return err
			}
		}
	}
	if o == nil {
		return errNotOccupant
	}
	return server.BadRequest
}
