package muc

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Who only reads: in a group where moderators write the others react, with an emoji, and that is all that comes from them.

// readersRule lets people react, and write nothing, in the rooms of a group where moderators write.
func readersRule(r *Room) Hooks {
	k, ok := r.keeper.(*grouped)
	if !ok {
		return Hooks{}
	}
	reads := func(o *Occupant) bool { return k.rules.Moderated && o.role == "visitor" }
	return Hooks{
		Role: func(_, role string) string {
			if k.rules.Moderated && role == "participant" {
				return "visitor"
			}
			return role
		},
		Nick: k.ownName,
		Receive: func(ctx context.Context, o *Occupant, st *wire.Stanza) (*wire.Stanza, error) {
			if !reads(o) {
				return st, nil
			}
			out, err := k.reaction(ctx, o, st)
			if err == nil {
				r.queue(o, out, false).from = st
			}
			return nil, err
		},
		// A call, a file or a contact reaches people as a message does.
		Private: func(from, to *Occupant, st *wire.Stanza) error {
			if reads(from) && from != to && (st.Kind != wire.IQ || st.Type == "set") {
				return server.Forbidden
			}
			return nil
		},
		Voice: func(o *Occupant) error {
			if reads(o) {
				return server.WithText(server.NotAllowed, "moderators write in this group: who is to write is made one")
			}
			return nil
		},
	}
}

const (
	nsReactions = "urn:xmpp:reactions:0"
	nsMarkers   = "urn:xmpp:chat-markers:0"

	maxReactions = 20 // to one message, of one person
)

// reaction makes of what somebody who only reads has sent what of it may be shown: how they find a message (XEP-0444), how
// far they have read (XEP-0333). It is put together anew, so that nothing else comes along; what says more is refused.
func (k *grouped) reaction(ctx context.Context, o *Occupant, st *wire.Stanza) (*wire.Stanza, error) {
	out := st.Copy()
	out.SetPayload(nil, nil)
	found := false
	for _, c := range st.Children {
		e, ok := reactionPart(st.Element(c.Name.Space, c.Name.Local))
		if !ok {
			return nil, server.Forbidden
		}
		out.Add(e)
		found = found || c.Name.Space == nsReactions || c.Name.Space == nsMarkers
	}
	if !found {
		return nil, server.Forbidden
	}
	if own, err := k.ownName(ctx, st.From, o.affiliation, o.nick); err != nil {
		return nil, err
	} else if own != o.nick { // of the time when they could write
		return nil, server.WithText(server.Forbidden, "come in under your own name to react: "+own)
	}
	return out, nil
}

// reactionPart gives what may be shown of a child, nil for what may be left out, and not ok for what may not be sent.
func reactionPart(e *wire.Element) (_ *wire.Element, ok bool) {
	switch {
	case e.Name == wire.Name{Space: nsReactions, Local: "reactions"}:
		return reactions(e)
	case e.Name.Space == nsMarkers:
		if _, err := store.ParseID(e.Attr("id")); err != nil || !slices.Contains([]string{"received", "displayed", "acknowledged"}, e.Name.Local) {
			return nil, false
		}
		return wire.E(nsMarkers, e.Name.Local).Set("id", e.Attr("id")), true
	case e.Name.Space == wire.NSHints && slices.Contains([]string{"store", "no-store", "no-copy", "no-permanent-store"}, e.Name.Local):
		return wire.E(wire.NSHints, e.Name.Local), true
	case e.Name == wire.Name{Space: wire.NSSID, Local: "origin-id"}:
		if id := e.Attr("id"); len(id) <= 64 && !strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
			return wire.E(wire.NSSID, "origin-id").Set("id", id), true
		}
		return nil, true
	}
	return nil, false
}

func reactions(e *wire.Element) (*wire.Element, bool) {
	if _, err := store.ParseID(e.Attr("id")); err != nil {
		return nil, false
	}
	out := wire.E(nsReactions, "reactions").Set("id", e.Attr("id"))
	for i, c := range e.Elements() {
		text := strings.TrimSpace(c.Text())
		if c.Name != (wire.Name{Space: nsReactions, Local: "reaction"}) || i >= maxReactions || !isEmoji(text) {
			return nil, false
		}
		out.Add(wire.T(nsReactions, "reaction", text))
	}
	return out, true
}

// ownName gives the nick under which somebody comes in. It is the one they want, but in a group where moderators write: there
// it would be a line to everyone at each reaction, and the others go by a name of their own.
func (k *grouped) ownName(ctx context.Context, who jid.JID, affiliation, nick string) (string, error) {
	r := k.r
	if !k.rules.Moderated || r.RoleFor(affiliation) != "visitor" {
		return nick, nil
	}
	names := []string{who.Name()}
	if who.Domain() == r.s.host.Domain {
		u, err := r.s.st.User(ctx, who.Domain(), who.Local())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		names = append(names, u.FullName)
	}
	if named(nick, names) {
		return nick, nil
	}
	for _, n := range []string{names[len(names)-1], names[0]} {
		n, err := checkNick(n)
		if err == nil && !r.taken(n, who.Bare()) && !r.keeper.Reserved(n, who.Bare()) {
			return n, nil
		}
	}
	return who.Bare().String(), nil
}

// named says that a nick is made of words of somebody's names: one of them, or several.
func named(nick string, names []string) bool {
	apart := func(c rune) bool { return c == ' ' || c == '.' || c == '_' || c == '-' }
	known := map[string]bool{}
	for _, n := range names {
		known[nickKey(n)] = true
		for _, w := range strings.FieldsFunc(n, apart) {
			known[nickKey(w)] = true
		}
	}
	if known[nickKey(nick)] {
		return true
	}
	words := strings.FieldsFunc(nick, apart)
	return len(words) > 0 && len(words) <= len(known) && !slices.ContainsFunc(words, func(w string) bool { return !known[nickKey(w)] })
}
