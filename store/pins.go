package store

import "context"

// Pin is a message that is pinned for everyone in its conversation: a room, or two people.
type Pin struct {
	Host     string
	ID       ID     // also says when
	Room     string // bare address; "": see One
	One, Two string // the two people, bare addresses in order
	// Message is the message's id in the archive of the room, or of One; Other that in the archive of Two. 0: it is not
	// there.
	Message, Other ID
	Maker          string // bare address; "": somebody whose account is gone
}

// Pins keeps pinned messages. They go with either of two people, and with a room that is destroyed.
type Pins interface {
	// AddPin pins a message; one that is pinned stays as it is. ErrLimit if its conversation would have more than max.
	AddPin(ctx context.Context, p Pin, max int) error
	// DeletePins unpins the message of p's conversation that has p's Message or Other as its id, and says whether there
	// was one.
	DeletePins(ctx context.Context, p Pin) (bool, error)
	// Pins gives the pins of p's conversation, the last first.
	Pins(ctx context.Context, p Pin) ([]Pin, error)
	// PinnedConversations gives the conversations that have pins: Room, One and Two of each.
	PinnedConversations(ctx context.Context, host string) ([]Pin, error)
}
