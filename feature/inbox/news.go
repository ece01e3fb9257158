package inbox

import (
	"context"

	"parley/org"
	"parley/store"
	"parley/wire/jid"
)

// News gives what is new in the conversation's room; nil if it is a conversation with a person.
func (c *Conversation) News() *org.RoomNews { return c.room }

// Unread gives how many messages of a conversation follow one that an account has read, and how many of them mention
// the account's person. Both are at most 100.
func (b *Inbox) Unread(ctx context.Context, account string, with jid.JID,
	read store.ID) (unread, mentions int, err error) {
	if with.Domain() != b.o.RoomDomain(b.h.Domain) {
		unread, err = b.unread(ctx, account, with.String(), read)
		return unread, 0, err
	}
	who, err := jid.New(account, b.h.Domain, "")
	if err != nil {
		return 0, 0, err
	}
	return b.o.UnreadAfter(ctx, b.h.Domain, with, who, read)
}

// MarkUnread puts how far an account has read a conversation back to a message. What was said after it counts as
// unread, until the account reads on or says something there.
func (b *Inbox) MarkUnread(ctx context.Context, account string, with jid.JID, read store.ID) error {
	if err := b.flush(ctx); err != nil { // what was read before this
		return err
	}
	return b.st.SetDisplayed(ctx, b.h.Domain, account, maxNoted,
		store.Displayed{Chat: with.String(), ID: read, Marked: b.h.IDs.Next()})
}

// ReadBy gives those of some accounts who have read a conversation up to a message or beyond.
func (b *Inbox) ReadBy(ctx context.Context, with jid.JID, id store.ID, among []string) ([]string, error) {
	if err := b.flush(ctx); err != nil {
		return nil, err
	}
	return b.st.ReadBy(ctx, b.h.Domain, with.String(), id, among)
}

// ReadUpTo gives the last message that an account has read in each conversation, by its address, with what was noted
// just now.
func (b *Inbox) ReadUpTo(ctx context.Context, account string) (map[string]store.ID, error) {
	if err := b.flush(ctx); err != nil {
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
	return read, nil
}

// Note keeps how far an account has read a conversation.
func (b *Inbox) Note(account string, with jid.JID, id store.ID) { b.note(account, with, id) }
