package inbox

import (
	"context"
	"slices"

	"parley/org"
	"parley/server"
	"parley/store"
	"parley/wire"
	"parley/wire/jid"
)

// Conversation is a conversation with a person or in a room.
type Conversation struct {
	With   jid.JID
	Unread int
	Last   store.ID // the newest in the conversation's archive

	room *org.RoomNews
}

// maxUnread is up to how many messages of a conversation are counted, and how far back the latest message is looked
// for.
const maxUnread = org.MaxUnread

// Conversations gives an account's conversations, the latest first.
func (b *Inbox) Conversations(ctx context.Context, account string) ([]Conversation, error) {
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
	who, err := jid.New(account, b.h.Domain, "")
	if err != nil {
		return nil, err
	}
	news, err := b.o.News(ctx, b.h.Domain, who, false)
	if err != nil {
		return nil, err
	}
	all := make([]Conversation, 0, len(news))
	for i := range news {
		n := &news[i]
		all = append(all, Conversation{With: n.Room, Unread: n.Unread, Last: n.Last.ID, room: n})
	}
	if all, err = b.people(ctx, account, all); err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, func(x, y Conversation) int { return int(min(1, max(-1, y.Last-x.Last))) })
	return all, nil
}

// people adds the conversations of the account's own archive. Rooms have their own archives.
func (b *Inbox) people(ctx context.Context, account string, all []Conversation) ([]Conversation, error) {
	chats, err := b.st.Chats(ctx, b.h.Domain, account, b.cfg.Chats)
	if err != nil {
		return nil, err
	}
	ds, err := b.st.Displayed(ctx, b.h.Domain, account)
	if err != nil {
		return nil, err
	}
	read := make(map[string]store.ID, len(ds))
	for _, d := range ds {
		read[d.Chat] = d.ID
	}
	for _, c := range chats {
		with, err := jid.Parse(c.With)
		if err != nil || with.Local() == "" || with.Domain() == b.o.RoomDomain(b.h.Domain) {
			continue
		}
		v := Conversation{With: with, Last: c.Last}
		if c.Last > read[c.With] {
			if v.Unread, err = b.unread(ctx, account, c.With, read[c.With]); err != nil {
				return nil, err
			}
		}
		all = append(all, v)
	}
	return all, nil
}

// unread counts messages from the other side since an id and since the account's own newest message.
func (b *Inbox) unread(ctx context.Context, account, with string, since store.ID) (n int, err error) {
	es, err := b.st.ChatSince(ctx, b.h.Domain, account, with, since, maxUnread)
	if err != nil {
		return 0, err
	}
	for i := range es {
		if !said(es[i].Stanza) {
			continue
		}
		if !es[i].Incoming {
			break
		}
		n++
	}
	return n, nil
}

func said(kept []byte) bool {
	st, err := wire.ParseStanza(kept, wire.Limits{Stanza: len(kept)})
	return err == nil && server.Said(st)
}

// latest gives the newest readable message of a conversation; nil if there is none among its newest entries.
func (b *Inbox) latest(ctx context.Context, account string, c *Conversation) (store.ID, []byte, error) {
	if c.room != nil {
		return c.room.Last.ID, c.room.Last.Stanza, nil
	}
	es, err := b.st.ChatSince(ctx, b.h.Domain, account, c.With.String(), 0, maxUnread)
	if err != nil {
		return 0, nil, err
	}
	for i := range es {
		if said(es[i].Stanza) {
			return es[i].ID, es[i].Stanza, nil
		}
	}
	return 0, nil, nil
}
