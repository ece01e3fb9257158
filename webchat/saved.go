package webchat

import (
	"context"
	"errors"
	"time"

	"parley/internal/fault"
	"parley/messages"
	"parley/server"
	"parley/store"
	"parley/wire/jid"
)

// SavedMessage is a message that a person has saved for later.
type SavedMessage struct {
	Conversation string    `json:"conversation"`
	ID           string    `json:"id" doc:"of the message"`
	At           time.Time `json:"at" doc:"when it was saved"`
	Where        string    `json:"where,omitempty" doc:"name of the conversation"`
	Message      *Message  `json:"message,omitempty" doc:"none: see lost"`
	Lost         string    `json:"lost,omitempty" enum:"right,gone" doc:"the caller may not read it any more, or it is gone"`
}

// SavedList is a part of what a person has saved, the last first.
type SavedList struct {
	Saved []SavedMessage `json:"saved"`
	More  string         `json:"more,omitempty" doc:"there are more: before, for the next part"`
}

// SavedMark names a message that is saved.
type SavedMark struct {
	Conversation string `json:"conversation"`
	ID           string `json:"id"`
}

// SavedMarks names all messages that a person has saved.
type SavedMarks struct {
	Saved []SavedMark `json:"saved"`
}

const (
	maxSaved  = 500 // messages of one person
	manySaved = 50  // of a list at once
)

// savedEvent says that a message is saved, or not any more.
type savedEvent struct {
	SavedMark
	Saved bool `json:"saved"`
}

// SaveMessage keeps a message for later, for the person alone.
func (s *Service) SaveMessage(ctx context.Context, account string, id jid.JID, message string) error {
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return err
	}
	f, err := s.find(ctx, who, id)
	if err != nil {
		return err
	}
	m, err := s.one(ctx, account, id, &f, message)
	if err != nil {
		return err
	}
	err = s.cfg.Store.SaveMessage(ctx, store.SavedMessage{
		Host:    s.cfg.Host.Domain,
		Owner:   account,
		ID:      s.cfg.Host.IDs.Next(),
		Chat:    id.String(),
		Message: m.ID,
	}, maxSaved)
	if errors.Is(err, store.ErrLimit) {
		return fault.New(fault.Limit, "", "You have saved {{.Max}} messages: remove some", "Max", maxSaved)
	}
	if err == nil {
		s.tell(account, event("saved", savedEvent{SavedMark{id.String(), m.ID.String()}, true}))
	}
	return err
}

// UnsaveMessage takes a message out of what a person has saved, also one that the person may not read any more.
func (s *Service) UnsaveMessage(ctx context.Context, account string, id jid.JID, message string) error {
	n, err := store.ParseID(message)
	if err != nil {
		return nil // it is saved nowhere
	}
	if err := s.cfg.Store.UnsaveMessage(ctx, s.cfg.Host.Domain, account, id.String(), n); err != nil {
		return err
	}
	s.tell(account, event("saved", savedEvent{SavedMark{id.String(), n.String()}, false}))
	return nil
}

// SavedMarks names the messages that a person has saved.
func (s *Service) SavedMarks(ctx context.Context, account string) (SavedMarks, error) {
	all := SavedMarks{Saved: []SavedMark{}}
	kept, err := s.cfg.Store.SavedMessages(ctx, s.cfg.Host.Domain, account, 0, maxSaved)
	for _, m := range kept {
		all.Saved = append(all.Saved, SavedMark{m.Chat, m.Message.String()})
	}
	return all, err
}

// Saved gives what a person has saved. before is where the part before has ended.
func (s *Service) Saved(ctx context.Context, account, before string) (SavedList, error) {
	list := SavedList{Saved: []SavedMessage{}}
	who, err := jid.New(account, s.cfg.Host.Domain, "")
	if err != nil {
		return list, err
	}
	var at store.ID
	if before != "" {
		if at, err = store.ParseID(before); err != nil {
			return list, fault.New(fault.NotFound, "", "no such message")
		}
	}
	kept, err := s.cfg.Store.SavedMessages(ctx, s.cfg.Host.Domain, account, at, manySaved)
	if err != nil {
		return list, err
	}
	ids := make(map[string][]store.ID)
	for _, m := range kept {
		ids[m.Chat] = append(ids[m.Chat], m.Message)
	}
	found := make(map[string]map[store.ID]SavedMessage, len(ids))
	for chat, of := range ids {
		if found[chat], err = s.savedIn(ctx, who, chat, of); err != nil {
			return list, err
		}
	}
	for _, m := range kept {
		x, ok := found[m.Chat][m.Message]
		if !ok {
			x = SavedMessage{Lost: "gone"}
			if found[m.Chat] == nil {
				x.Lost = "right"
			}
		}
		x.Conversation, x.ID, x.At = m.Chat, m.Message.String(), m.ID.Time()
		list.Saved = append(list.Saved, x)
	}
	if len(kept) == manySaved {
		list.More = kept[len(kept)-1].ID.String()
	}
	return list, nil
}

// savedIn gives the messages of a conversation with some ids; nil if the person may not read the conversation.
func (s *Service) savedIn(ctx context.Context, who jid.JID, chat string,
	ids []store.ID) (map[store.ID]SavedMessage, error) {
	id, err := jid.Parse(chat)
	if err != nil {
		return nil, err
	}
	f, err := s.find(ctx, who, id)
	if _, refused := server.Refusal(err); refused {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ms, err := s.these(ctx, who.Local(), id, &f, ids)
	if err != nil {
		return nil, err
	}
	all := make(map[store.ID]SavedMessage, len(ms))
	for i := range ms {
		m := s.message(ctx, &ms[i], f.scene)
		all[ms[i].ID] = SavedMessage{Where: s.placeName(&f), Message: &m}
	}
	return all, nil
}

// these gives those messages of a conversation that have one of some ids and that the person may read.
func (s *Service) these(ctx context.Context, account string, id jid.JID, f *found,
	ids []store.ID) ([]messages.Message, error) {
	r := s.cfg.Messages
	r.Since = f.from
	in := store.Conversation{Host: id.Domain(), Room: id.Local()}
	if f.scene.self != "" {
		in = store.Conversation{Host: s.cfg.Host.Domain, Owner: account, With: id.String()}
	}
	ms, err := r.These(ctx, in, ids)
	if err == nil {
		f.scene.tasks, err = s.tasksOf(ctx, ms)
	}
	return ms, err
}
