package store

import (
	"context"
	"time"
)

// Find asks for messages with some words in all that a person may read: their own archive, the rooms of their groups and
// themes, free rooms. What may be read is what org.Affiliation and a room's archive would let them read now.
type Find struct {
	Host  string // the organization's domain
	Rooms string // the domain of its rooms
	Asker string // bare address; of another server: only rooms
	Text  string // as typed: fulltext.Parse

	Visits []Visit
	Apart  bool   // administrators read only what others in their place would
	Group  string // id of a group: only its rooms
	Theme  string // key of a theme: only its room
	Room   string // localpart of a room: only that
	From   string // bare address of who said it; in rooms that hide addresses nothing is found by it
	Except string // bare address: nothing that was said with that one in the own archive

	After, Before time.Time // both included
	Older         ID        // only what is older than this; 0: from the newest on
	Max           int       // at least 1
}

// Visit is a room that the asker is in now, and what was said there since they may read where nothing else says so.
type Visit struct {
	Room  string // localpart
	Since time.Time
}

// Found is a message that has the words.
type Found struct {
	ID     ID
	Stanza []byte

	Room      string // localpart; "" in the asker's own archive
	Group     string // id of the group that the room belongs to
	GroupName string
	Theme     string // key; "" in a group's own room
	ThemeName string
	Nick      string
	Sender    string // bare address of who said it, "" if that is hidden from the asker

	With     string // own archive: the other side, bare
	Incoming bool
}

type Search interface {
	// SearchMessages gives the newest messages first, and whether there are no older ones. fulltext.ErrTooMuch: Text is too
	// long. In a text without any word nothing is found.
	SearchMessages(ctx context.Context, f Find) (fs []Found, complete bool, err error)
	// IndexArchives takes messages that are older than before into the index, of accounts or rooms of a host that have
	// enough of them; it says how many. Messages need no index to be found, but to be found fast. Nothing that is
	// committed later may have an id from before that time.
	IndexArchives(ctx context.Context, host string, before time.Time) (int, error)
	// ForgetIndex has an account's or room's messages taken into the index anew, and an account's conversations worked out
	// anew: some messages were added among the old ones.
	ForgetIndex(ctx context.Context, host, owner string) error
}
