package store

import "context"

// Several is a conversation of a few people: a room without a group, for its members only.
type Several struct {
	Room   string   // localpart
	Title  string   // the name that its people gave it; "": none
	People []string // bare addresses of its members, in order
}

// Conversations keeps who is in the conversations of several people. The rooms and their affiliations are those of
// Rooms.
type Conversations interface {
	// SeveralOf gives the conversations that a person (bare address) is in, in order of room, at most limit.
	SeveralOf(ctx context.Context, host, jid string, limit int) ([]Several, error)
	// SeveralAmong gives the conversation of exactly these people; the latest, if there are several. ErrNotFound if
	// there is none.
	SeveralAmong(ctx context.Context, host string, jids ...string) (room string, err error)
	// SeveralDeserted gives the conversations that have no people any more.
	SeveralDeserted(ctx context.Context, host string) ([]string, error)
}
