package server

import (
	"context"

	"parley/store"
	"parley/wire"
)

// Pass is one stanza on its way through the stages of one side: the sender's account or the recipient's.
type Pass struct {
	Host    *Host
	Account string // localpart of the account whose side this is
	Sent    bool   // the sender's side
	Session *Session
	// Stanza is what goes on. A step of a stamp stage that changes it sets a changed copy.
	Stanza *wire.Stanza
	// Delivered lists the sessions that Deliver sent it to, for ReceivedCopy.
	Delivered []*Session
	// Initial says, at Announce, that the session was unavailable before.
	Initial bool
	Was     *wire.Stanza // the previous presence, at Announce; nil: none

	after  []func(ctx context.Context)
	writes []store.Write
	kept   *store.ArchiveEntry // among writes; nil: it is not archived on this side
	in     *turns              // in whose line it stands; nil: in none
	turn   chan struct{}       // see turns; nil: it does not wait
	bytes  []byte              // Stanza in the form that archives keep
	of     *wire.Stanza        // the stanza that bytes was made from
}

// Serialized returns the stanza in the form that archives keep, made once for both sides of a local message. Do not
// change it.
func (p *Pass) Serialized() []byte {
	if p.bytes == nil || p.of != p.Stanza {
		p.of = p.Stanza
		p.bytes = p.Stanza.AppendXML(make([]byte, 0, len(p.Stanza.Payload)+256), p.Stanza.To, wire.Client)
	}
	return p.bytes
}

// Write adds a write to those that are committed before the stanza goes on.
func (p *Pass) Write(w store.Write) { p.writes = append(p.writes, w) }

// Archive adds the entry of the account's archive to the writes.
func (p *Pass) Archive(e *store.ArchiveEntry) {
	p.kept, e.Keeper = e, p
	p.Write(e)
}

// ID returns the stanza's id in the account's archive, which the commit gives it: 0 before the commit, and if the
// stanza is not archived on this side.
func (p *Pass) ID() store.ID {
	if p.kept == nil {
		return 0
	}
	return p.kept.ID
}

// receipt moves the stream's receipt from st to a changed copy, which has none.
func (p *Pass) receipt(st *wire.Stanza) {
	if p.Stanza != st {
		p.Stanza.Receipt = st.Receipt
	}
}

// After runs f when the current stage is over.
func (p *Pass) After(f func(ctx context.Context)) { p.after = append(p.after, f) }

// run runs the steps of a stage.
func (h *Host) run(ctx context.Context, stage Stage, p *Pass) error {
	for i := range h.steps[stage] {
		s := &h.steps[stage][i]
		if s.Kind != 0 && s.Kind != p.Stanza.Kind {
			continue
		}
		if err := s.Do(ctx, p); err != nil {
			return err
		}
	}
	for after := p.after; len(after) > 0; after = after[1:] {
		p.after = nil
		after[0](ctx)
	}
	return nil
}

func (h *Host) commit(ctx context.Context, ws []store.Write) error {
	if len(ws) == 0 {
		return nil
	}
	return h.Store.Commit(ctx, ws...)
}
