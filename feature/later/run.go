package later

import (
	"context"
	"time"

	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/store"
)

const (
	lookEvery = time.Minute // times that another process has noted are found so late at most
	manyDue   = 100

	// lease is how long one process has for a message before it is tried again: it may have been ended meanwhile.
	lease = 2 * time.Minute
	// patience is how long one try takes at most. It is shorter than the lease, so that two tries never overlap.
	patience = time.Minute
	// tooLate is when a message is not sent any more: what was to be said then may be wrong by now.
	tooLate = 24 * time.Hour
)

// run sends what is due, until ctx ends.
func (s *Service) run(ctx context.Context) error {
	for {
		timer := time.NewTimer(s.sendAll(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// sendAll sends the messages whose time has come, and gives how long to wait for the next.
func (s *Service) sendAll(ctx context.Context) time.Duration {
	for {
		xs, err := s.st.DueScheduled(ctx, s.h.Domain, manyDue)
		if err != nil {
			s.failed(ctx, "cannot look for scheduled messages", err)
			return lookEvery
		}
		for i := range xs {
			if wait := xs[i].Next.Sub(s.h.IDs.Now()); wait > 0 {
				return min(wait, lookEvery)
			}
			switch err := s.claim(ctx, &xs[i]); {
			case fault.Of(err) != nil: // somebody else sends it
				continue
			case err != nil:
				s.failed(ctx, "cannot claim a scheduled message", err)
				return lookEvery
			}
			if err := s.send(ctx, &xs[i]); err != nil && fault.Of(err) == nil {
				s.failed(ctx, "cannot send a scheduled message", err) // the others need not wait: its claim runs out
			}
		}
		if len(xs) < manyDue {
			return lookEvery
		}
	}
}

func (s *Service) failed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		s.h.Log.Error(what, "err", err)
	}
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
