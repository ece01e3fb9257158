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
	said *store.ChatEntry // of a conversation with a person: its newest message; nil: none among its newest entries
}

// Latest gives the newest message of the conversation, as it is kept; nil if there is none among its newest entries.
func (c *Conversation) Latest() (store.ID, []byte) {
	switch {
	case c.room != nil:
		return c.room.Last.ID, c.room.Last.Stanza
	case c.said != nil:
		return c.said.ID, c.said.Stanza
	}
	return 0, nil
}

// maxUnread is up to how many messages of a conversation are counted, and how far back the latest message is looked
// for. First few entries are read: they suffice for nearly all conversations.
const (
	maxUnread = org.MaxUnread
	few       = 5
)

// Conversations gives an account's conversations, the latest first. It runs as many statements for many conversations
// as for few.
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
	var found []Conversation
	for _, c := range chats {
		with, err := jid.Parse(c.With)
		if err == nil && with.Local() != "" && with.Domain() != b.o.RoomDomain(b.h.Domain) {
			found = append(found, Conversation{With: with, Last: c.Last})
		}
	}
	if err := b.withNewest(ctx, account, found, read); err != nil {
		return nil, err
	}
	return append(all, found...), nil
}

// withNewest adds what is unread in conversations with people, and their newest messages.
func (b *Inbox) withNewest(ctx context.Context, account string, all []Conversation, read map[string]store.ID) error {
	left := make([]*Conversation, len(all))
	for i := range all {
		left[i] = &all[i]
	}
	for _, most := range []int{few, maxUnread} {
		names := make([]string, len(left))
		for i, c := range left {
			names[i] = c.With.String()
		}
		newest, err := b.st.Newest(ctx, b.h.Domain, account, names, most)
		if err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(c *Conversation) bool {
			es := newest[c.With.String()]
			return c.look(es, read[c.With.String()]) || len(es) < most
		})
	}
	return nil
}

// unread counts messages from the other side since an id and since the account's own newest message.
func (b *Inbox) unread(ctx context.Context, account, with string, since store.ID) (int, error) {
	es, err := b.st.ChatSince(ctx, b.h.Domain, account, with, since, maxUnread)
	var c Conversation
	c.look(es, since)
	return c.Unread, err
}

// look counts messages from the other side since an id and since the person's own newest message, and finds the newest
// message. What the person has marked as unread counts, own messages as well. es are the newest entries; it returns
// false if older ones could change what it has found.
func (c *Conversation) look(es []store.ChatEntry, since store.ID) (enough bool) {
	c.Unread, c.said = 0, nil
	counted := false
	for i := range es {
		e := &es[i]
		counted = counted || e.ID <= since
		if said(e.Stanza) {
			if c.said == nil {
				c.said = e
			}
			counted = counted || !e.Incoming && !e.Marked
			if !counted {
				c.Unread++
			}
		}
		if counted && c.said != nil {
			return true
		}
	}
	return false
}

func said(kept []byte) bool {
	st, err := wire.ParseStanza(kept, wire.Limits{Stanza: len(kept)})
	return err == nil && server.Said(st)
}
