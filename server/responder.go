package server

import (
	"context"
	"fmt"

	"parley/wire"
)

// Responder answers at a bare address of the host that is not an account. It gets messages and presence for that
// address, after the sender's side is durable, and returns soon. An error goes to the sender.
type Responder func(ctx context.Context, st *wire.Stanza) error

// Reserved reports whether no account may have this name because something else answers at its address.
func (h *Host) Reserved(name string) bool { return h.responders[name] != nil }

func (h *Host) installResponders(f *Feature) error {
	for name, v := range f.Responders {
		if h.responders[name] != nil {
			return fmt.Errorf("feature %s: %s is taken by another feature", f.Name, name)
		}
		if h.responders == nil {
			h.responders = make(map[string]Responder)
		}
		h.responders[name] = v
	}
	return nil
}

// respond hands a message to a responder. from is the sender's side if that is local.
func (h *Host) respond(ctx context.Context, v Responder, p, from *Pass) error {
	if from != nil {
		if err := h.commit(ctx, from.writes); err != nil {
			return err
		}
		if err := from.Host.sentCopy(ctx, from); err != nil {
			return err
		}
	}
	return v(ctx, p.Stanza)
}
