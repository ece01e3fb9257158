package groups

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/acts"
	"parley/messages"
	"parley/org"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// A theme may begin with an older message: the one that its creator replies to, or a thread.

const (
	nsReply    = "urn:xmpp:reply:0"
	maxQuoted  = 20     // messages of a thread that a theme begins with
	maxThread  = 10_000 // messages back in which those of a thread are looked for
	threadPage = 500
)

// about says what a message refers to: the id of the message that it replies to (XEP-0461), or its thread.
type about struct{ reply, thread string }

func aboutOf(st *wire.Stanza) (a about) {
	if re := st.Element(nsReply, "reply"); re != nil {
		a.reply = re.Attr("id")
	}
	if thread := strings.TrimSpace(st.Element(wire.NSClient, "thread").Text()); len(thread) <= 200 {
		a.thread = thread
	}
	return a
}

// source finds the message or thread that a person's new theme begins with, and its lines. It finds only messages that
// the person may read. It must not be called on a room's goroutine.
func (s *Service) source(
	ctx context.Context,
	room, group, theme string,
	who jid.JID,
	a about,
) (store.Source, []string, error) {
	if a == (about{}) {
		return store.Source{}, nil, nil
	}
	from, ok, err := s.readsFrom(ctx, group, theme, who)
	if err != nil || !ok {
		return store.Source{}, nil, err
	}
	if a.reply != "" {
		src, lines, err := s.sourceByID(ctx, room, a.reply)
		if err == nil && src.ID < store.FirstID(from) {
			src, lines = store.Source{}, nil
		}
		return src, lines, err
	}
	return s.sourceByThread(ctx, room, a.thread, from)
}

// readsFrom returns the time from which on a person may read the messages of a group's room; ok is false if the person
// may read none.
func (s *Service) readsFrom(
	ctx context.Context,
	group, theme string,
	who jid.JID,
) (from time.Time, ok bool, err error) {
	g, err := s.cfg.Org.GroupByID(ctx, s.host.Domain, group)
	if err != nil {
		return from, false, err
	}
	a, err := s.cfg.Org.Access(ctx, s.host.Domain, group, theme, who)
	if err != nil {
		return from, false, err
	}
	return s.cfg.Org.ReadsFrom(ctx, g, a, who)
}

// sourceByID asks the room for a message by its stanza-id. Of the last messages the room knows also the ids that their
// senders gave them, which some clients use.
func (s *Service) sourceByID(ctx context.Context, name, id string) (store.Source, []string, error) {
	n, err := s.asks.find.Ask(ctx, name, 5*time.Second, id)
	if err != nil || n == 0 {
		return store.Source{}, nil, err
	}
	m, err := messages.Reader{Store: s.st}.InRoom(ctx, s.Domain(), name, n)
	if errors.Is(err, store.ErrNotFound) {
		return store.Source{Room: name, ID: n}, nil, nil
	}
	return store.Source{Room: name, ID: m.ID}, quoted(m), err
}

// sourceByThread reads the archive back from its end, and quotes what the thread began with.
func (s *Service) sourceByThread(
	ctx context.Context,
	room, thread string,
	from time.Time,
) (store.Source, []string, error) {
	var found []store.Found // the last one first
	src := store.Source{}
	word := wire.AppendEscaped(nil, thread)
	page := store.Page{Start: from, Max: threadPage, Backwards: true}
	for looked := 0; looked < maxThread; {
		es, complete, _, err := s.st.ReadRoom(ctx, s.Domain(), room, page)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return store.Source{}, nil, err
		}
		for _, e := range slices.Backward(es) {
			if !bytes.Contains(e.Stanza, word) {
				continue
			}
			st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)})
			if err == nil && strings.TrimSpace(st.Element(wire.NSClient, "thread").Text()) == thread &&
				st.Has(wire.NSClient, "body") {
				found = append(found, store.Found{ID: e.ID, Room: room, Stanza: e.Stanza, From: store.FirstID(from)})
				src = store.Source{Room: room, Thread: thread, ID: e.ID}
			}
		}
		if complete || len(es) == 0 {
			break
		}
		looked, page.Before = looked+len(es), es[0].ID
	}
	slices.Reverse(found)
	found = found[:min(len(found), maxQuoted)]
	ms, err := messages.Reader{Store: s.st}.Found(ctx, s.host.Domain, s.Domain(), "", found)
	if err != nil {
		return store.Source{}, nil, err
	}
	var lines []string
	for _, m := range ms {
		lines = append(lines, quoted(m)...)
	}
	return src, lines, nil
}

// quoted gives a message as lines: first who said it.
func quoted(m messages.Message) []string {
	text := strings.TrimSpace(m.Plain())
	if text == "" {
		return nil
	}
	return append([]string{m.By.Nick + ":"}, strings.Split("> "+strings.ReplaceAll(text, "\n", "\n> "), "\n")...)
}

// makeThemeWith makes a theme, and in the same transaction its first message: the quoted lines, which the theme's room
// says.
func (s *Service) makeThemeWith(
	ctx context.Context,
	by acts.Actor,
	group string,
	n org.NewTheme,
	quote []string,
) (store.Theme, error) {
	if text := strings.Join(quote, "\n"); text != "" {
		if len(text) > s.MessageSize()/2 {
			text = strings.ToValidUTF8(text[:s.MessageSize()/2], "") + "…"
		}
		n.Begin = func(t store.Theme) *store.RoomEntry { return s.first(t, text) }
	}
	t, err := s.cfg.Org.CreateTheme(ctx, by, s.host.Domain, group, n)
	if err == nil && t.First != nil && s.cfg.Said != nil {
		s.cfg.Said(group, t.Key, t.First)
	}
	return t, err
}

// first makes the first entry of a theme's archive.
func (s *Service) first(t store.Theme, text string) *store.RoomEntry {
	id, room := s.host.IDs.Next(), s.cfg.Org.RoomJID(s.host.Domain, t.Room)
	st := &wire.Stanza{Kind: wire.Message, Name: messageName, Type: "groupchat", From: room, ID: s.host.NewID()}
	st.Add(
		wire.T(wire.NSClient, "body", text),
		wire.E(wire.NSSID, "stanza-id").Set("by", room.String()).Set("id", id.String()),
	)
	return &store.RoomEntry{
		Host:     s.Domain(),
		Room:     t.Room,
		Seq:      1,
		ID:       id,
		OriginID: st.ID,
		Stanza:   st.AppendXML(nil, jid.JID{}, wire.Client),
	}
}
