package later

import (
	"context"
	"time"

	"parley/internal/background"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/store"
)

const (
	// lease is how long one process has for a message before it is tried again: it may have been ended meanwhile.
	lease = 2 * time.Minute
	// patience is how long one try takes at most. It is shorter than the lease, so that two tries never overlap.
	patience = time.Minute
	// tooLate is when a message is not sent any more: what was to be said then may be wrong by now.
	tooLate = 24 * time.Hour
)

// newDue makes what sends the messages whose time has come.
func (s *Service) newDue() *background.Due[store.Scheduled] {
	return background.NewDue(background.Due[store.Scheduled]{
		Find: func(ctx context.Context, limit int) ([]store.Scheduled, error) {
			return s.st.DueScheduled(ctx, s.h.Domain, limit)
		},
		Left:   func(x *store.Scheduled) time.Duration { return x.Next.Sub(s.h.IDs.Now()) },
		Do:     s.claimAndSend,
		Failed: func(err error) { s.h.Log.Error("cannot send scheduled messages", "err", err) },
	})
}

// claimAndSend sends a message, unless somebody else sends it. That others can be sent does not depend on it.
func (s *Service) claimAndSend(ctx context.Context, x *store.Scheduled) error {
	switch err := s.claim(ctx, x); {
	case fault.Of(err) != nil: // somebody else sends it
		return nil
	case err != nil:
		return err
	}
	if err := s.send(ctx, x); err != nil && fault.Of(err) == nil && ctx.Err() == nil {
		s.h.Log.Error("cannot send a scheduled message", "err", err) // the others need not wait: its claim runs out
	}
	return nil
}

// send sends a claimed message once. Somebody else may try at the same time: the claim decides. A process that is ended
// in the middle leaves its claim, which runs out; who tries again looks first whether the message is in the archive.
func (s *Service) send(ctx context.Context, x *store.Scheduled) error {
	err := fault.New(fault.NotAllowed, "", "The server could not send it at its time")
	if x.Reminder || s.h.IDs.Now().Sub(x.Due) <= tooLate {
		err = s.deliver(ctx, x)
	}
	f := fault.Of(err)
	if f == nil || f.Kind == fault.Busy { // sent, or tried again when the claim has run out
		return err
	}
	reason, err := s.refuse(ctx, x, f)
	if err != nil {
		return err
	}
	place := s.Place(ctx, x)
	return s.Tell(ctx, x.Owner, func(l *i18n.Lang) []string {
		head := l.T("A scheduled message was not sent. {{.Why}}.", "Why", reason)
		if place != "" {
			head = l.T("Your scheduled message to {{.Place}} was not sent. {{.Why}}.", "Place", place, "Why", reason)
		}
		return []string{head, x.Text}
	})
}

// deliver sends a claimed message and removes it.
func (s *Service) deliver(ctx context.Context, x *store.Scheduled) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.Deliver(ctx, x); err != nil {
		return err
	}
	return s.drop(ctx, x)
}

// refuse keeps a message with the reason why it is not sent, in its owner's language, which it gives.
func (s *Service) refuse(ctx context.Context, x *store.Scheduled, why *fault.Error) (reason string, err error) {
	p, err := s.st.Person(ctx, s.h.Domain, x.Owner)
	if err != nil {
		return "", err
	}
	reason = s.cfg.Words.Lang(p.Lang).T(why.Text, why.Args...)
	now, err := s.st.ChangeScheduled(ctx, s.h.Domain, x.Owner, x.ID, func(x *store.Scheduled) error {
		x.Next, x.Failed = time.Time{}, reason
		return nil
	})
	if err == nil {
		s.changed(&now, false)
	}
	return reason, err
}
