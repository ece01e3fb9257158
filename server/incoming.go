package server

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Incoming is a message to one local person from a service that knows which of the person's clients it is for: a room has
// those that are in it. It goes by way of the person's account like any other: the account may have blocked its sender,
// keeps it in its archive, and has it wait when no client takes it.
type Incoming struct {
	h *Host
	p *Pass
}

// Incoming takes a message, addressed to an account's bare address, through the account's checks and stamps. An error is
// for its sender, and nothing is kept then.
func (h *Host) Incoming(ctx context.Context, st *wire.Stanza) (*Incoming, error) {
	p := &Pass{Host: h, Account: st.To.Local(), Stanza: st}
	if err := h.prepare(ctx, p); err != nil {
		return nil, err
	}
	return &Incoming{h, p}, nil
}

// Writes are what has to be committed before Deliver.
func (in *Incoming) Writes() []store.Write { return in.p.writes }

// Deliver gives the message to those clients of the person. gone is called for each that is not there any more; if none is,
// the message waits for another. An error is for its sender.
func (in *Incoming) Deliver(ctx context.Context, tos []jid.JID, gone func(jid.JID)) error {
	h, p := in.h, in.p
	a := h.Account(p.Account)
	return h.settled(ctx, a, p, func() error {
		for _, to := range tos {
			s := a.Session(to.Resource())
			if s == nil || s.SendTo(p.Stanza, to) != nil {
				gone(to)
				continue
			}
			h.Metrics.delivered(p.Stanza.Kind)
			p.Delivered = append(p.Delivered, s)
		}
		if err := h.run(ctx, ReceivedCopy, p); err != nil || len(p.Delivered) > 0 || !waits(p.Stanza) {
			return err
		}
		return h.run(ctx, Undelivered, p)
	})
}
