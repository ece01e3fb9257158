package server

import (
	"context"

	"parley/wire"
)

// Receive takes a stanza for the host or one of its accounts, from anywhere but the streams of the account's own
// sessions. An error is for the sender.
func (h *Host) Receive(ctx context.Context, st *wire.Stanza) error {
	switch st.Kind {
	case wire.Message:
		return h.receiveMessage(ctx, h.Router.Unforged(st, false), nil)
	case wire.Presence:
		return h.receivePresence(ctx, h.Router.Unforged(st, false))
	case wire.IQ:
		return h.receiveIQ(ctx, st)
	}
	return nil
}

// receiveMessage does the recipient's side. from is the sender's side if that is local too; both then share one commit.
func (h *Host) receiveMessage(ctx context.Context, st *wire.Stanza, from *Pass) error {
	p := &Pass{Host: h, Account: st.To.Local(), Stanza: st}
	if from != nil {
		p.bytes, p.of = from.bytes, from.of
	}
	if st.To.Local() == "" {
		return h.messageToHost(ctx, p, from)
	}
	if v := h.responders[p.Account]; v != nil {
		return h.respond(ctx, v, p, from)
	}
	defer p.endTurn() // also where it does not come to its delivery
	// The recipient's side can refuse. The sender's archive keeps the message all the same.
	refusal := h.prepare(ctx, p)
	if from != nil {
		p.writes = append(from.writes, p.writes...)
	}
	if err := h.commit(ctx, p.writes); err != nil {
		return err
	}
	if from != nil {
		if err := from.Host.sentCopy(ctx, from); err != nil {
			return err
		}
	}
	if refusal != nil {
		return refusal
	}
	return h.deliver(ctx, p)
}

// prepare runs the recipient's stages up to the commit. It drops the writes of a refused stanza.
func (h *Host) prepare(ctx context.Context, p *Pass) error {
	ok, err := h.Exists(ctx, p.Account)
	if err != nil {
		return err
	}
	if !ok {
		return h.unknownUser(p.Stanza)
	}
	if err := h.run(ctx, ReceivedCheck, p); err != nil {
		return err
	}
	if err := h.refuseEarly(p); err != nil { // it goes back to its sender, so it is not archived
		return err
	}
	return h.run(ctx, ReceivedArchive, p)
}

// unknownUser returns the error for a message to a missing account (RFC 6121, section 8.5.1).
func (h *Host) unknownUser(st *wire.Stanza) error {
	if st.Type == "headline" || st.Type == "error" {
		return ErrHandled
	}
	return ServiceUnavailable
}

func (h *Host) messageToHost(ctx context.Context, p, from *Pass) error {
	if from != nil {
		if err := h.commit(ctx, from.writes); err != nil {
			return err
		}
		if err := from.Host.sentCopy(ctx, from); err != nil {
			return err
		}
	}
	if p.Stanza.Type == "error" || p.Stanza.Type == "headline" {
		return nil
	}
	return ServiceUnavailable
}
