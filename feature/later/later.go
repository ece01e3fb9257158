// Package later keeps messages that people want to have sent at a time, and what they want to be reminded of. The
// server does it when the time has come, whether or not anybody is signed in. How a message is sent is for package
// webchat to say.
package later

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"parley/internal/background"
	"parley/internal/fault"
	"parley/internal/i18n"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Config is what a Service needs.
type Config struct {
	From  jid.JID // who tells people: an address of the host that is no account
	Words *i18n.Catalogue
}

// Service keeps what the people of one host have sent later. It is safe from any goroutine. Deliver and Changed are set
// before the host serves.
type Service struct {
	// Deliver sends a message in its owner's name, or reminds its owner. A fault is a refusal, of which the owner is
	// told; after any other error it is tried again, and then it may have been sent already.
	Deliver func(ctx context.Context, x *store.Scheduled) error
	// Changed is told of a message that is new or different, or gone: sent, or deleted.
	Changed func(x *store.Scheduled, gone bool)
	// Place gives the name of a message's conversation for its owner; "" if the owner may not know it.
	Place func(ctx context.Context, x *store.Scheduled) string

	h   *server.Host
	st  Store
	cfg Config
	due *background.Due[store.Scheduled]
}

// New makes the service.
func New(h *server.Host, st Store, c Config) *Service {
	s := &Service{h: h, st: st, cfg: c}
	s.due = s.newDue()
	return s
}

// Feature gives the service's part in what the host does.
func (s *Service) Feature() *server.Feature {
	return &server.Feature{Name: "later", Run: func(ctx context.Context) error {
		s.due.Run(ctx)
		return nil
	}}
}

// The limits of what is sent later.
const (
	Max      = 100 // messages of one person
	MaxAhead = 366 * 24 * time.Hour
	maxText  = 20_000 // characters
	maxMore  = 64 << 10
)

// Add keeps a message, and returns it with its id.
func (s *Service) Add(ctx context.Context, x store.Scheduled) (store.Scheduled, error) {
	x.Host, x.ID = s.h.Domain, s.h.IDs.Next()
	if err := s.check(&x); err != nil {
		return x, err
	}
	x.Next = x.Due
	err := s.st.AddScheduled(ctx, x, Max)
	if store.KindOf(err) == fault.Limit {
		return x, fault.New(fault.Limit, "", "You have 100 scheduled messages and reminders: delete some")
	}
	if err == nil {
		s.changed(&x, false)
	}
	return x, err
}

// List gives what an account has, the first first.
func (s *Service) List(ctx context.Context, owner string) ([]store.Scheduled, error) {
	return s.st.Scheduled(ctx, s.h.Domain, owner)
}

// busy is the refusal while a message is being sent.
var busy = fault.New(fault.Exists, "", "This message is being sent just now")

// Change changes a message that is not being sent, and returns it. What was refused is tried again at its time.
func (s *Service) Change(ctx context.Context, owner string, id store.ID,
	change func(*store.Scheduled) error) (store.Scheduled, error) {
	x, err := s.st.ChangeScheduled(ctx, s.h.Domain, owner, id, func(x *store.Scheduled) error {
		if x.Failed == "" && !x.Next.Equal(x.Due) {
			return busy
		}
		if err := change(x); err != nil {
			return err
		}
		x.Next, x.Failed = x.Due, ""
		return s.check(x)
	})
	if err == nil {
		s.changed(&x, false)
	}
	return x, err
}

// claim has nobody else send a message for a while; a fault if somebody does already.
func (s *Service) claim(ctx context.Context, x *store.Scheduled) error {
	until := s.h.IDs.Now().Add(lease).Truncate(time.Microsecond)
	ok, err := s.st.ClaimScheduled(ctx, s.h.Domain, x.ID, x.Next, until)
	if err == nil && !ok {
		err = busy
	}
	if err == nil {
		x.Next = until
	}
	return err
}

// take claims a message of an account that is not being sent.
func (s *Service) take(ctx context.Context, owner string, id store.ID) (x store.Scheduled, err error) {
	xs, err := s.List(ctx, owner)
	if err != nil {
		return x, err
	}
	for _, x := range xs {
		if x.ID != id {
			continue
		}
		if x.Failed == "" && !x.Next.Equal(x.Due) {
			return x, busy
		}
		return x, s.claim(ctx, &x)
	}
	return x, store.ErrNotFound
}

// Delete removes a message that is not being sent.
func (s *Service) Delete(ctx context.Context, owner string, id store.ID) error {
	x, err := s.take(ctx, owner, id)
	if err != nil {
		return err
	}
	return s.drop(ctx, &x)
}

// drop removes a message that is sent, or is not to be sent.
func (s *Service) drop(ctx context.Context, x *store.Scheduled) error {
	err := s.st.DeleteScheduled(ctx, s.h.Domain, x.Owner, x.ID)
	if err == nil {
		s.changed(x, true)
	}
	return err
}

// SendNow sends a message before its time. If it is refused it stays as it is, with the reason.
func (s *Service) SendNow(ctx context.Context, owner string, id store.ID) error {
	x, err := s.take(ctx, owner, id)
	if err != nil {
		return err
	}
	err = s.deliver(ctx, &x)
	if f := fault.Of(err); f != nil && f.Kind != fault.Busy {
		if _, e := s.refuse(ctx, &x, f); e != nil {
			return e
		}
	}
	return err
}

func (s *Service) changed(x *store.Scheduled, gone bool) {
	s.due.Wake()
	s.Changed(x, gone)
}

// check refuses what cannot be sent later.
func (s *Service) check(x *store.Scheduled) error {
	now := s.h.IDs.Now()
	x.Due = x.Due.UTC().Truncate(time.Microsecond)
	x.Text = strings.TrimRight(strings.ReplaceAll(x.Text, "\r\n", "\n"), " \n\t")
	switch {
	case !utf8.ValidString(x.Text) || utf8.RuneCountInString(x.Text) > maxText || len(x.More) > maxMore:
		return fault.New(fault.Invalid, "text", "This is too long for one message")
	case !x.Due.After(now):
		return fault.New(fault.Invalid, "at", "This time is over")
	case x.Due.After(now.Add(MaxAhead)):
		return fault.New(fault.Invalid, "at", "Choose a time within a year")
	}
	return nil
}

// Tell has a person's clients and phones told of something, by a message of the host.
func (s *Service) Tell(ctx context.Context, owner string, lines func(l *i18n.Lang) []string) error {
	who, err := jid.New(owner, s.h.Domain, "")
	if err != nil {
		return err
	}
	p, err := s.st.Person(ctx, s.h.Domain, owner)
	if err != nil {
		return err
	}
	var kept []string
	for _, line := range lines(s.cfg.Words.Lang(p.Lang)) {
		if line != "" {
			kept = append(kept, line)
		}
	}
	s.h.Router.Send(ctx, (&wire.Stanza{
		Kind: wire.Message,
		Name: wire.Name{Space: wire.NSClient, Local: "message"},
		Type: "chat",
		ID:   s.h.NewID(),
		From: s.cfg.From,
		To:   who,
	}).Add(wire.T(wire.NSClient, "body", strings.Join(kept, "\n"))))
	return nil
}
