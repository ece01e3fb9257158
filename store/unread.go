package store

import (
	"context"
	"time"
)

// Displayed is how far a person has read a conversation: up to and with the message of this id, which is the room's where
// the conversation is a room, else that of the person's own archive.
type Displayed struct {
	Chat string // bare address of the room or of the other person
	ID   ID
}

// News is what is new in a room for one person.
type News struct {
	Unread int // messages since, of others, until an own one; never more than was asked for
	Last   Archived
	Since  ID // what was read, or the newest own message if that is later
}

// Chat is a conversation in a person's archive, with its newest entry.
type Chat struct {
	With string
	Last ID
}

// FreeRoom is a room of no group, for one person.
type FreeRoom struct {
	Name  string
	Title string    // as they have bookmarked it
	From  ID        // the first that they may read
	Since time.Time // what was said before does not count as unread: when they were added, or have bookmarked it
}

type Unread interface {
	// FreeRooms lists the free rooms of a rooms' domain that an account of a host may read and either belongs to by its
	// affiliation or has bookmarked, in order of name.
	FreeRooms(ctx context.Context, host, rooms, user string, limit int) ([]FreeRoom, error)
	// SetDisplayed keeps how far an account has read; what is further back than what is known changes nothing. ErrLimit,
	// and nothing is kept, if the account would have more than max.
	SetDisplayed(ctx context.Context, host, user string, max int, ds ...Displayed) error
	// Displayed gives what is known of all conversations, in order of Chat.
	Displayed(ctx context.Context, host, user string) ([]Displayed, error)
	// RoomNews gives a room's newest message, and counts those after an entry that sender (bare JID) has not written, at
	// most limit: nothing before the newest of their own. Entries that are Quiet do not count. ErrNotFound if there is no
	// message at all.
	RoomNews(ctx context.Context, host, room, sender string, after ID, limit int) (News, error)
	// AddMentions notes that accounts were mentioned in a message of a room (bare address); without users everyone of the
	// room was.
	AddMentions(ctx context.Context, host, room string, id ID, users ...string) error
	// Mentions gives the messages of a room after one in which an account was mentioned, in order.
	Mentions(ctx context.Context, host, user, room string, after ID, limit int) ([]ID, error)
	// ExpireMentions forgets those older than before, at most limit, and says how many.
	ExpireMentions(ctx context.Context, host string, before ID, limit int) (int, error)
	// Chats lists the conversations in an account's archive, the newest first.
	Chats(ctx context.Context, host, user string, limit int) ([]Chat, error)
	// ChatSince gives the newest entries of a conversation after one, the newest first, with whether they came from the
	// other side.
	ChatSince(ctx context.Context, host, user, with string, after ID, limit int) ([]ChatEntry, error)
}

// ChatEntry is a message of a conversation.
type ChatEntry struct {
	ID       ID
	Incoming bool
	Stanza   []byte
}
