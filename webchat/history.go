package webchat

import (
	"context"
	"errors"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/store"
	"parley/wire/jid"
)

// Which chooses a page of a conversation: before or after a message, or around one. Without any it is the newest page.
type Which struct {
	Before, After, Around string // ids
	Limit                 int    // at least 1
}

// History gives a page of a conversation.
func (s *Service) History(ctx context.Context, account string, id jid.JID, w Which) (Page, error) {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return Page{}, err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return Page{}, err
	}
	before, after, around, err := w.ids()
	if err != nil {
		return Page{}, err
	}
	page := Page{Messages: []Message{}}
	var ms []messages.Message
	switch {
	case around != 0:
		// Half of the page is before the message. The other half begins with it. No message need have this id: it may
		// be gone, or stand for a moment.
		half := store.Page{End: around.Time().Add(-time.Microsecond), Backwards: true, Max: max(1, w.Limit/2)}
		old, complete, err := s.read(ctx, account, id, &f, half)
		if err != nil {
			return page, err
		}
		rest, all, err := s.read(ctx, account, id, &f, store.Page{Start: around.Time(), Max: w.Limit})
		if err != nil {
			return page, err
		}
		ms, page.Older, page.Newer = append(old, rest...), !complete, !all
	case after != 0:
		var complete bool
		ms, complete, err = s.read(ctx, account, id, &f, store.Page{After: after, Max: w.Limit})
		page.Older, page.Newer = true, !complete
	default:
		var complete bool
		ms, complete, err = s.read(ctx, account, id, &f, store.Page{Before: before, Backwards: true, Max: w.Limit})
		page.Older, page.Newer = !complete, before != 0
	}
	if err != nil {
		return page, err
	}
	if f.scene.tasks, err = s.tasksOf(ctx, ms); err != nil {
		return page, err
	}
	if page.Pinned, err = s.pinnedIDs(ctx, f.scene); err != nil {
		return page, err
	}
	for i := range ms {
		page.Messages = append(page.Messages, s.message(ctx, &ms[i], f.scene))
	}
	return page, nil
}

// ids reads the ids of the messages that choose a page; 0 for none.
func (w Which) ids() (before, after, around store.ID, err error) {
	for _, f := range []struct {
		text string
		id   *store.ID
	}{{w.Before, &before}, {w.After, &after}, {w.Around, &around}} {
		if f.text == "" {
			continue
		}
		if *f.id, err = store.ParseID(f.text); err != nil || *f.id == 0 {
			return 0, 0, 0, fault.New(fault.NotFound, "", "no such message")
		}
	}
	return before, after, around, nil
}

// read reads a page of the conversation, no further back than the person may read.
func (s *Service) read(ctx context.Context, account string, id jid.JID, f *found,
	p store.Page) (ms []messages.Message, complete bool, err error) {
	r := s.cfg.Messages
	r.Since = f.from
	if f.from.After(p.Start) {
		p.Start = f.from
	}
	page := func(p store.Page) ([]messages.Message, bool, error) {
		if f.scene.self != "" {
			return r.Chat(ctx, s.cfg.Host.Domain, account, id.String(), p)
		}
		return r.Room(ctx, id.Domain(), id.Local(), p)
	}
	ms, complete, err = page(p)
	if !errors.Is(err, store.ErrNotFound) || p.Before == 0 && p.After == 0 {
		return ms, complete, err
	}
	// The message that the page begins at is gone: it goes on from the moment of that message.
	if p.Before != 0 {
		p.End, p.Before = p.Before.Time(), 0
	} else {
		p.Start, p.After = p.After.Time(), 0
	}
	return page(p)
}

// one gives one message of a conversation; NotFound if the person may not read it.
func (s *Service) one(ctx context.Context, account string, id jid.JID, f *found,
	message string) (m messages.Message, err error) {
	missing := fault.New(fault.NotFound, "", "no such message")
	n, err := store.ParseID(message)
	if err != nil || n == 0 || n < store.FirstID(f.from) {
		return m, missing
	}
	r := s.cfg.Messages
	r.Since = f.from
	if f.scene.self != "" {
		m, err = r.InChat(ctx, s.cfg.Host.Domain, account, id.String(), n)
	} else {
		m, err = r.InRoom(ctx, id.Domain(), id.Local(), n)
	}
	if store.KindOf(err) == fault.NotFound {
		return m, missing
	}
	return m, err
}
