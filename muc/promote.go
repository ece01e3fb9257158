package muc

import (
	"context"
	"strings"
	"time"

	"parley/server"
	"parley/store"
	"parley/wire"
)

// A theme that begins with what was said: a message that is replied to, or a thread.

const (
	nsReply   = "urn:xmpp:reply:0"
	maxQuoted = 20 // messages of a thread that a theme begins with
)

// sourceOf finds what a message replies to (XEP-0461), or the thread it is of; and what was said there, as lines.
func (r *room) sourceOf(ctx context.Context, st *wire.Stanza) (store.Source, []string) {
	if re := st.Element(nsReply, "reply"); re != nil {
		if id := re.Attr("id"); id != "" {
			r.flush(ctx)
			return r.sourceByID(ctx, id)
		}
	}
	if thread := strings.TrimSpace(st.Element(wire.NSClient, "thread").Text()); thread != "" && len(thread) <= 200 {
		r.flush(ctx)
		return r.sourceByThread(thread)
	}
	return store.Source{}, nil
}

// askSource is sourceByID for others than the room's goroutine.
func (r *room) askSource(ctx context.Context, id string) (store.Source, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // the room may be going, and never answer
	defer cancel()
	type found struct {
		store.Source
		lines []string
	}
	answer := make(chan found, 1)
	err := r.s.post(ctx, r.name, work{do: func(ctx context.Context, r *room) {
		src, lines := r.sourceByID(ctx, id)
		answer <- found{src, lines}
	}})
	if err != nil {
		return store.Source{}, nil, err
	}
	select {
	case f := <-answer:
		if f.Source == (store.Source{}) {
			err = server.WithText(server.ItemNotFound, "there is no such message in this room")
		}
		return f.Source, f.lines, err
	case <-ctx.Done():
		return store.Source{}, nil, errClosing
	}
}

// sourceByID takes the stanza-id, or of what was said lately the id that the sender gave it, which some clients use.
func (r *room) sourceByID(ctx context.Context, id string) (store.Source, []string) {
	if e, err := r.kept(ctx, id); err == nil {
		if st, err := wire.ParseStanza(e.Stanza, wire.Limits{Stanza: len(e.Stanza)}); err == nil {
			return store.Source{Room: r.name, ID: e.ID}, quoted(st)
		}
	}
	for i := len(r.recent) - 1; i >= 0; i-- {
		if st := r.recent[i].st; st.ID == id {
			if n, err := store.ParseID(st.Element(wire.NSSID, "stanza-id").Attr("id")); err == nil {
				return store.Source{Room: r.name, ID: n}, quoted(st)
			}
		}
	}
	return store.Source{}, nil
}

func (r *room) sourceByThread(thread string) (store.Source, []string) {
	var found store.Source
	var lines []string
	n := 0
	for _, p := range r.recent {
		if strings.TrimSpace(p.st.Element(wire.NSClient, "thread").Text()) != thread {
			continue
		}
		if found.Thread == "" {
			found = store.Source{Room: r.name, Thread: thread}
			found.ID, _ = store.ParseID(p.st.Element(wire.NSSID, "stanza-id").Attr("id"))
		}
		if n++; n <= maxQuoted {
			lines = append(lines, quoted(p.st)...)
		}
	}
	return found, lines
}

// quoted is what a message said and who said it, as lines.
func quoted(st *wire.Stanza) []string {
	body := strings.TrimSpace(withoutFallback(st, st.BodyText()))
	if body == "" {
		return nil
	}
	return append([]string{st.From.Resource() + ":"}, strings.Split("> "+strings.ReplaceAll(body, "\n", "\n> "), "\n")...)
}

// beginWith has a new theme's room begin with what it is about, before anybody enters.
func (s *Service) beginWith(lines []string) func(context.Context, store.Theme) {
	if len(lines) == 0 {
		return nil
	}
	text := strings.Join(lines, "\n")
	if len(text) > s.cfg.MessageSize/2 {
		text = strings.ToValidUTF8(text[:s.cfg.MessageSize/2], "") + "…"
	}
	return func(ctx context.Context, t store.Theme) {
		if err := s.post(ctx, t.Room, work{do: func(ctx context.Context, r *room) { r.say(ctx, r.jid, text) }}); err != nil {
			s.lost("a theme does not begin with its message", err, "theme", t.Key)
		}
	}
}
