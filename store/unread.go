package store

import (
	"context"
	"time"
)

// Displayed says how far a person has read a conversation: up to the message with this id, inclusive. The id is the
// room's if the conversation is a room, else that of the person's own archive.
type Displayed struct {
	Chat string // bare address of the room or of the other person
	ID   ID
	// Marked says that the person has marked as unread what came after ID, when this message was the newest: their own
	// messages up to it are no sign that they have read the earlier ones. 0: the person has read on.
	Marked ID
}

// News is what is new in a room for one person.
type News struct {
	Unread int // messages by others since then, back to an own one; never more than was asked for
	Last   Archived
	Since  ID // the last message read, or the newest own one if that is later
}

// Chat is a conversation in a person's archive, with its newest entry.
type Chat struct {
	With string
	Last ID
}

// FreeRoom is a room without a group, as one person sees it.
type FreeRoom struct {
	Name  string
	Title string    // its name in their bookmark, or else the one that its people gave a conversation of several
	From  ID        // the first message that they may read
	Since time.Time // earlier messages do not count as unread: when they were added, or bookmarked the room
}

// Unread keeps how far people have read, and counts what is unread.
type Unread interface {
	// FreeRooms gives the free rooms of a service that an account may read and either has an affiliation in or has
	// bookmarked, in order of name.
	FreeRooms(ctx context.Context, host, rooms, user string, limit int) ([]FreeRoom, error)
	// SetDisplayed keeps how far an account has read; a place before the one known changes nothing, unless it is
	// marked. ErrLimit, and nothing is kept, if the account would have more than max.
	SetDisplayed(ctx context.Context, host, user string, max int, ds ...Displayed) error
	// Displayed gives how far an account has read each conversation, in order of Chat.
	Displayed(ctx context.Context, host, user string) ([]Displayed, error)
	// ReadBy gives those of some accounts who have read a conversation up to a message or beyond, in order of name.
	ReadBy(ctx context.Context, host, chat string, id ID, among []string) ([]string, error)
	// RoomNews gives a room's newest message and counts the messages after an entry that sender (bare JID) did not
	// write, at most limit, back to sender's own newest one. Quiet entries do not count. Where sender has marked
	// messages as unread, own ones of before do not end the count, and are counted. ErrNotFound if the room has no
	// message.
	RoomNews(ctx context.Context, host, room, sender string, after ID, limit int) (News, error)
	// NewsOf is RoomNews for many rooms at once. after has, by room, the entry after which messages count. Rooms
	// without a message are left out.
	NewsOf(ctx context.Context, host, sender string, after map[string]ID, limit int) (map[string]News, error)
	// AddMentions notes that a message of a room (bare address) mentions accounts; without users it mentions everyone
	// in the room.
	AddMentions(ctx context.Context, host, room string, id ID, users ...string) error
	// Mentions gives the messages of a room after an id that mention an account, in order.
	Mentions(ctx context.Context, host, user, room string, after ID, limit int) ([]ID, error)
	// CountMentions counts the messages that mention an account in many rooms (bare addresses) at once, after an id in
	// each. Rooms without one are left out.
	CountMentions(ctx context.Context, host, user string, after map[string]ID) (map[string]int, error)
	// ExpireMentions forgets mentions older than before, at most limit, and gives how many.
	ExpireMentions(ctx context.Context, host string, before ID, limit int) (int, error)
	// Chats lists the conversations in an account's archive, the newest first.
	Chats(ctx context.Context, host, user string, limit int) ([]Chat, error)
	// ChatSince gives the newest entries of a conversation after an id, the newest first, with their direction.
	ChatSince(ctx context.Context, host, user, with string, after ID, limit int) ([]ChatEntry, error)
	// Newest gives the newest entries of each of several conversations, at most limit of each, the newest first.
	Newest(ctx context.Context, host, user string, withs []string, limit int) (map[string][]ChatEntry, error)
}

// ChatEntry is a message of a conversation.
type ChatEntry struct {
	ID       ID
	Incoming bool
	Marked   bool // it was there when the account marked messages as unread (Displayed.Marked)
	Stanza   []byte
}
