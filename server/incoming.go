package server

import (
	"context"

	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Incoming is a message to one local person from a service that knows which of the person's clients should get it; a
// room knows which clients are in it. It passes through the account like any other message: the account may have
// blocked the sender, the archive keeps it, and it waits if no client takes it.
type Incoming struct {
	h *Host
	p *Pass
}

// Incoming takes a message to an account's bare address through the account's checks and stamps. An error is for the
// sender; nothing is kept then.
func (h *Host) Incoming(ctx context.Context, st *wire.Stanza) (*Incoming, error) {
	p := &Pass{Host: h, Account: st.To.Local(), Stanza: st}
	if err := h.prepare(ctx, p); err != nil {
		return nil, err
	}
	return &Incoming{h, p}, nil
}

// Writes returns what the caller must commit before Deliver.
func (in *Incoming) Writes() []store.Write { return in.p.writes }

// Deliver sends the message to these clients of the person. It calls gone for each client that has no session any more;
// if all are gone, the message waits for another client. An error is for the sender.
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
