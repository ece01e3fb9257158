package tasks

import (
	"context"
	"strings"
	"time"

	"parley/internal/background"
	"parley/internal/i18n"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

const expireEvery = time.Hour

// newDue makes what reminds of deadlines. Old tasks are removed in between.
func (s *Service) newDue() *background.Due[store.Task] {
	var expired time.Time
	return background.NewDue(background.Due[store.Task]{
		Find: func(ctx context.Context, limit int) ([]store.Task, error) {
			if now := s.h.IDs.Now(); now.Sub(expired) >= expireEvery {
				expired = now
				s.expire(ctx, now)
			}
			return s.st.DueTasks(ctx, s.h.Domain, limit)
		},
		Left:   func(t *store.Task) time.Duration { return t.Due.Sub(s.h.IDs.Now()) },
		Do:     s.remind,
		Failed: func(err error) { s.h.Log.Error("cannot remind of deadlines", "err", err) },
	})
}

func (s *Service) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.h.Log.Error(what, "err", err)
	}
}

// remind tells who is to do a task that its deadline has come; if nobody of the host is, who has made it. Somebody who
// may not see the task any more is not told.
func (s *Service) remind(ctx context.Context, t *store.Task) error {
	var who jid.JID
	for _, address := range []string{t.Assignee, t.Maker} {
		if j, err := jid.Parse(address); err == nil && j.Domain() == s.h.Domain {
			who = j
			break
		}
	}
	var place string
	var ok bool
	var err error
	if !who.IsZero() {
		if place, ok, err = s.Place(ctx, who, t); err != nil {
			return err
		}
	}
	// Claimed first: after a crash a reminder is missing, and never comes twice.
	claimed, err := s.st.ClaimReminder(ctx, s.h.Domain, t.ID, t.Due)
	if err != nil || !claimed || !ok {
		return err
	}
	p, err := s.st.Person(ctx, s.h.Domain, who.Local())
	if err != nil {
		return err
	}
	s.h.Router.Send(ctx, (&wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		Type: "chat",
		ID:   s.h.NewID(),
		From: s.cfg.From,
		To:   who,
	}).Add(wire.T(wire.NSClient, "body", s.reminder(s.cfg.Words.Lang(p.Lang), t, place))))
	return nil
}

func (s *Service) reminder(l *i18n.Lang, t *store.Task, place string) string {
	lines := []string{l.T("Due now: {{.What}}", "What", t.What)}
	for _, line := range []string{place, t.Link, s.Address(t.ID)} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

// expire removes tasks that are done for longer than messages are kept.
func (s *Service) expire(ctx context.Context, now time.Time) {
	const limit = 1000
	if s.cfg.Retention == nil {
		return
	}
	for _, ofRooms := range []bool{true, false} {
		keep := s.cfg.Retention(ofRooms)
		for keep > 0 {
			n, err := s.st.ExpireTasks(ctx, s.h.Domain, ofRooms, now.Add(-keep), limit)
			if err != nil {
				s.failed(ctx, "cannot remove old tasks", err)
			}
			if err != nil || n < limit {
				break
			}
		}
	}
}
