package server

import (
	"context"
	"fmt"

	"parley/wire"
)

// Voice answers at a bare address of the host that is no account. It gets messages and presence for that address, once
// what the sender's side keeps of them is durable; it returns soon. An error goes to the sender.
type Voice func(ctx context.Context, st *wire.Stanza) error

// Reserved reports whether no account may have this name because something else answers at its address.
func (h *Host) Reserved(name string) bool { return h.voices[name] != nil }

func (h *Host) installVoices(f *Feature) error {
	for name, v := range f.Voices {
		if h.voices[name] != nil {
			return fmt.Errorf("feature %s: %s is taken by another feature", f.Name, name)
		}
		if h.voices == nil {
			h.voices = make(map[string]Voice)
		}
		h.voices[name] = v
	}
	return nil
}

// voice hands a message to what answers at its address. from is the sender's side if that is local.
func (h *Host) voice(ctx context.Context, v Voice, p, from *Pass) error {
	if from != nil {
		if err := h.commit(ctx, from.writes); err != nil {
			return err
		}
		if err := from.Host.run(ctx, SentCopy, from); err != nil {
			return err
		}
	}
	return v(ctx, p.Stanza)
}
