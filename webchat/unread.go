package webchat

import (
	"context"

	"parley/store"
	"parley/wire/jid"
)

// MarkUnread puts how far a person has read back to before a message. That message and all after it are unread on every
// device: other clients hear of it by the mark that is published (XEP-0490).
func (s *Service) MarkUnread(ctx context.Context, account string, c Credential, id jid.JID,
	message string) (Unread, error) {
	p, err := s.speaker(ctx, account, c, id)
	if err != nil {
		return Unread{}, err
	}
	m, err := s.one(ctx, account, id, &p.f, message)
	if err != nil {
		return Unread{}, err
	}
	last := m.ID - 1 // before the first message there is none to name
	before, _, err := s.read(ctx, account, id, &p.f, store.Page{Before: m.ID, Backwards: true, Max: 1})
	if err != nil {
		return Unread{}, err
	}
	if len(before) > 0 {
		last = before[len(before)-1].ID
	}
	if err := s.cfg.Inbox.MarkUnread(ctx, account, id, last); err != nil {
		return Unread{}, err
	}
	if err := s.publishRead(ctx, p, last); err != nil {
		return Unread{}, err
	}
	u, mentions, err := s.cfg.Inbox.Unread(ctx, account, id, last)
	return Unread{Unread: u, Mentions: mentions, Read: last.String()}, err
}
