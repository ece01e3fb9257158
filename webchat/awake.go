package webchat

import (
	"context"
	"time"

	"parley/feature/webpush"
	"parley/internal/fault"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// confirmedFor is how long a browser counts as looked at after it was heard of. Browsers confirm events each 25 s.
const confirmedFor = 90 * time.Second

// Awake says whether a person looks at the chat in a browser, so that nothing else need tell of messages.
func (s *Service) Awake(account string) bool {
	for _, b := range s.of(account) {
		if b.watched() {
			return true
		}
	}
	for _, x := range s.cfg.Host.Account(account).Sessions() {
		if x.Node() != "" && x.Is(server.Watched) {
			return true
		}
	}
	return false
}

// watched says whether somebody looks at the browser: a tab of it reads events and is in view. Programs look at
// nothing.
func (b *Browser) watched() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.program && b.streams > 0 && !b.asleep && !b.idle && !b.hidden && time.Since(b.seen) < confirmedFor
}

// Told gives what a person is told of a message while nobody looks; a fault if the person may not read it.
func (s *Service) Told(ctx context.Context, account string, id jid.JID, n store.ID) (webpush.Content, error) {
	gone := fault.New(fault.NotFound, "", "no such message")
	u, err := s.cfg.Store.Person(ctx, s.cfg.Host.Domain, account)
	if err != nil || u.State() != store.StateActive {
		return webpush.Content{}, orGone(err, gone)
	}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return webpush.Content{}, err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return webpush.Content{}, refused(err)
	}
	m, err := s.one(ctx, account, id, &f, n.String())
	if err != nil || m.Removed != nil {
		return webpush.Content{}, orGone(err, gone)
	}
	c := webpush.Content{
		Conversation: id.String(),
		Name:         short(f.conversation.Name),
		Text:         short(m.Short()),
		ID:           m.ID.String(),
	}
	if f.place != nil && f.place.Theme != nil {
		c.Name = short(f.place.Group.Name + " › " + f.place.Theme.Name)
	}
	if by := s.message(ctx, &m, f.scene).By; by != nil && f.scene.self == "" {
		c.By = short(by.Name)
	}
	return c, nil
}

// orGone gives a failure as it is, and the fault where something is missing.
func orGone(err, gone error) error {
	if err == nil || store.KindOf(err) == fault.NotFound {
		return gone
	}
	return err
}
