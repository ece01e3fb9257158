package store

import (
	"context"
	"time"
)

// Find asks for messages with some words in all that a person may read: their own archive, the rooms of their groups
// and themes, and free rooms. A person may read what org.Affiliation and a room's archive would let them read now.
type Find struct {
	Host  string // the organization's domain
	Rooms string // the domain of its rooms
	Asker string // bare address; of another server: only rooms are searched
	Text  string // as typed; fulltext.Parse reads it

	Visits []Visit
	Apart  bool   // administrators find only what others in their place would find
	Group  string // a group's id: only its rooms
	Theme  string // a theme's key: only its room
	Room   string // a room's localpart: only that room
	From   string // the sender's bare address; finds nothing in rooms that hide addresses
	With   string // bare address: only the asker's conversation with it
	Except string // bare address: leave out the asker's conversation with it

	After, Before time.Time // both included
	Older         ID        // only older messages; 0: from the newest on
	Max           int       // at least 1

	Any       []string // LookMessages: only messages whose stanza has one of these texts
	Mentioned bool     // LookMessages: only messages of rooms that mention the asker
}

// Looked is what LookMessages has found.
type Looked struct {
	Found []Found
	Upto  ID // what is older was not looked at; 0: all was
}

// Visit is a room that the asker is in now, and the time from which on they may read it if no affiliation lets them
// read more.
type Visit struct {
	Room  string // localpart
	Since time.Time
}

// Found is a message that the search found.
type Found struct {
	ID     ID
	Stanza []byte

	Room      string // localpart; "" in the asker's own archive
	Group     string // id of the group that the room belongs to
	GroupName string
	Theme     string // key; "" in a group's own room
	ThemeName string
	Nick      string
	Sender    string // the sender's bare address; "" if it is hidden from the asker
	From      ID     // the first message of the room that the asker may read

	With     string // in the own archive: the other side, bare
	Incoming bool
}

// Search finds messages by their words.
type Search interface {
	// SearchMessages gives the newest messages first, and whether there are no older ones. A text without any word
	// finds nothing; fulltext.ErrTooMuch if Text is too long.
	SearchMessages(ctx context.Context, f Find) (fs []Found, complete bool, err error)
	// LookMessages gives the newest messages first by the other filters alone; Text says nothing. It looks at a bounded
	// number of messages: with Looked.Upto as Older it goes on.
	LookMessages(ctx context.Context, f Find) (Looked, error)
	// IndexArchives adds messages older than before to the index, for accounts or rooms of a host that have enough of
	// them, and gives how many it added. The index only makes searches fast: messages are found without it, too. No
	// message that is committed later may have an id from before that time.
	IndexArchives(ctx context.Context, host string, before time.Time) (int, error)
	// ForgetIndex makes the index of an account's or room's messages, and an account's list of conversations, be built
	// anew: messages were added among older ones.
	ForgetIndex(ctx context.Context, host, owner string) error
}
