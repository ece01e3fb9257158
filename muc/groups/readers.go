package groups

import (
	"context"
	"errors"
	"slices"
	"strings"

	"parley/muc"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// In a group where moderators write, the other members react with an emoji and send nothing else.

// readersRule lets people react, and write nothing, in the rooms of a group where moderators write.
func readersRule(k *keeper) muc.Hooks {
	reads := func(o *muc.Occupant) bool { return k.rules.Moderated && o.Role() == "visitor" }
	return muc.Hooks{
		Role: func(_, role string) string {
			if k.rules.Moderated && role == "participant" {
				return "visitor"
			}
			return role
		},
		Nick: k.ownName,
		Receive: func(ctx context.Context, o *muc.Occupant, st *wire.Stanza) (*wire.Stanza, error) {
			if !reads(o) {
				return st, nil
			}
			out, err := k.reaction(ctx, o, st)
			if err == nil {
				k.r.PostAs(o, st, out)
			}
			return nil, err
		},
		// A call, a file or a contact reaches people as a message does.
		Private: func(from, to *muc.Occupant, st *wire.Stanza) error {
			if reads(from) && from != to && (st.Kind != wire.IQ || st.Type == "set") {
				return server.Forbidden
			}
			return nil
		},
		Voice: func(o *muc.Occupant) error {
			if reads(o) {
				return server.WithText(server.NotAllowed,
					"only moderators write in this group: make the person a moderator")
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

// reaction gives the part of a message that a person who only reads may send: a reaction (XEP-0444), and how far the
// person has read (XEP-0333). The part is built from scratch, so that nothing else gets through. A message with a body
// or other content is refused.
func (k *keeper) reaction(ctx context.Context, o *muc.Occupant, st *wire.Stanza) (*wire.Stanza, error) {
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
	if own, err := k.ownName(ctx, st.From, o.Affiliation(), o.Nick()); err != nil {
		return nil, err
	} else if own != o.Nick() { // from the time when the person could write
		return nil, server.WithText(server.Forbidden, "enter under your own name to react: "+own)
	}
	return out, nil
}

// hints are those that may come with a reaction (XEP-0334).
var hints = []string{"store", "no-store", "no-copy", "no-permanent-store"}

// reactionPart gives what may be shown of a child, nil for what may be left out, and not ok for what may not be sent.
func reactionPart(e *wire.Element) (_ *wire.Element, ok bool) {
	switch {
	case e.Name == wire.Name{Space: nsReactions, Local: "reactions"}:
		return reactions(e)
	case e.Name.Space == nsMarkers:
		if _, err := store.ParseID(e.Attr("id")); err != nil ||
			!slices.Contains([]string{"received", "displayed", "acknowledged"}, e.Name.Local) {
			return nil, false
		}
		return wire.E(nsMarkers, e.Name.Local).Set("id", e.Attr("id")), true
	case e.Name.Space == wire.NSHints && slices.Contains(hints, e.Name.Local):
		return wire.E(wire.NSHints, e.Name.Local), true
	case e.Name == wire.Name{Space: wire.NSSID, Local: "origin-id"}:
		if id := e.Attr("id"); len(id) <= 64 &&
			!strings.ContainsFunc(id, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
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

// ownName returns the nick under which a person enters. It is the nick that the person asks for, except in a group
// where only moderators write. There, people appear under their own names: otherwise a member could say something to
// everyone in a nick, which each reaction shows.
func (k *keeper) ownName(ctx context.Context, who jid.JID, affiliation, nick string) (string, error) {
	if !k.rules.Moderated || k.r.RoleFor(affiliation) != "visitor" {
		return nick, nil
	}
	names := []string{who.Name()}
	if who.Domain() == k.host {
		u, err := k.s.st.User(ctx, who.Domain(), who.Local())
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		names = append(names, u.FullName)
	}
	if named(nick, names) {
		return nick, nil
	}
	for _, n := range []string{names[len(names)-1], names[0]} {
		n, err := muc.CheckNick(n)
		if err == nil && k.r.NickFree(n, who.Bare()) {
			return n, nil
		}
	}
	return who.Bare().String(), nil
}

// named says whether a nick consists of words of a person's names.
func named(nick string, names []string) bool {
	apart := func(c rune) bool { return c == ' ' || c == '.' || c == '_' || c == '-' }
	known := map[string]bool{}
	for _, n := range names {
		known[muc.NickKey(n)] = true
		for _, w := range strings.FieldsFunc(n, apart) {
			known[muc.NickKey(w)] = true
		}
	}
	if known[muc.NickKey(nick)] {
		return true
	}
	words := strings.FieldsFunc(nick, apart)
	return len(words) > 0 && len(words) <= len(known) &&
		!slices.ContainsFunc(words, func(w string) bool { return !known[muc.NickKey(w)] })
}
