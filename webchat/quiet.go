package webchat

import (
	"context"
	"time"
)

// A browser shows others "do not disturb" during the quiet hours of its person, as it does when the person chooses it.
// What other clients show is theirs to say.

// quietEvery is how often a browser looks whether it is a quiet hour.
const quietEvery = time.Minute

// lookQuiet finds out whether it is a quiet hour for the person at a browser, and says whether that has changed.
func (s *Service) lookQuiet(ctx context.Context, b *Browser, now time.Time) (changed bool) {
	quiet, err := s.cfg.People.IsQuiet(ctx, b.session.JID.Local(), s.cfg.Host.IDs.Now())
	if err != nil {
		s.failed("cannot read quiet hours", err, "account", b.session.JID.Local())
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	changed = b.quiet != quiet
	b.quiet, b.quietAt = quiet, now.Add(quietEvery)
	return changed
}

// checkQuiet has a browser that is there show whether it is a quiet hour, if it is time to look.
func (s *Service) checkQuiet(ctx context.Context, b *Browser, now time.Time) {
	b.mu.Lock()
	look := !b.asleep && !now.Before(b.quietAt)
	b.mu.Unlock()
	if look && s.lookQuiet(ctx, b, now) {
		s.showQuiet(ctx, b)
	}
}

func (s *Service) showQuiet(ctx context.Context, b *Browser) {
	b.announce(ctx)
	b.buf.add(event("me", s.me(ctx, b.session.JID.Local(), b.credential)))
}

// QuietChanged has the browsers of a person show at once whether it is a quiet hour: the person has changed them.
func (s *Service) QuietChanged(ctx context.Context, account string) {
	s.quietChangedHere(ctx, account)
	s.tellElsewhere(account, event(innerQuiet, nil))
}

func (s *Service) quietChangedHere(ctx context.Context, account string) {
	for _, b := range s.of(account) {
		b.mu.Lock()
		asleep := b.asleep
		b.mu.Unlock()
		if !asleep && s.lookQuiet(ctx, b, time.Now()) {
			s.showQuiet(ctx, b)
		}
	}
}
