package server

import (
	"context"

	"parley/wire"
)

// Receive takes a stanza for the host or one of its accounts, from anywhere but the account's own sessions' streams.
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

// receiveMessage is the recipient's side. from is the sender's side when that is local too: then both are one commit.
func (h *Host) receiveMessage(ctx context.Context, st *wire.Stanza, from *Pass) error {
	p := &Pass{Host: h, Account: st.To.Local(), Stanza: st}
	if from != nil {
		p.bytes, p.of = from.bytes, from.of
	}
	if st.To.Local() == "" {
		return h.messageToHost(ctx, p, from)
	}
	if v := h.voices[p.Account]; v != nil {
		return h.voice(ctx, v, p, from)
	}
	// The recipient's side can refuse; the sender's archive keeps what was sent all the same.
	refusal := h.prepare(ctx, p)
	if from != nil {
		p.writes = append(from.writes, p.writes...)
	}
	if err := h.commit(ctx, p.writes); err != nil {
		return err
	}
	if from != nil {
		if err := from.Host.run(ctx, SentCopy, from); err != nil {
			return err
		}
	}
	if refusal != nil {
		return refusal
	}
	return h.deliver(ctx, p)
}

// prepare runs the recipient's stages up to the commit; writes of a refused stanza are dropped.
func (h *Host) prepare(ctx context.Context, p *Pass) error {
	ok, err := h.Exists(ctx, p.Account)
	if err != nil {
		return err
	}
	if !ok {
		return h.unknownUser(p.Stanza)
	}
	for _, stage := range [...]Stage{ReceivedCheck, ReceivedStamp} {
		if err := h.run(ctx, stage, p); err != nil {
			return err
		}
	}
	if err := h.refuseEarly(p); err != nil { // not archived: it goes back to its sender
		return err
	}
	return h.run(ctx, ReceivedArchive, p)
}

// unknownUser is RFC 6121, section 8.5.1.
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
		if err := from.Host.run(ctx, SentCopy, from); err != nil {
			return err
		}
	}
	if p.Stanza.Type == "error" || p.Stanza.Type == "headline" {
		return nil
	}
	return ServiceUnavailable
}
