package store

import (
	"context"
	"time"
)

// Kinds of what is shared with a team.
const (
	SharedSnippet = "snippet" // a saved reply: Name is what it is called, Text what it says
	SharedContact = "contact" // Name is the bare address, Text what the contact is called
)

// Shared is something that the people of a team have in common. It stays when the team is deleted.
type Shared struct {
	Host, Team string // Team: id
	Kind       string
	Name, Text string
	Creator    string // bare JID; "": an administrator
	Updated    time.Time
}

type Sharing interface {
	// PutShared writes one, or another text of it; ErrLimit if the team would have more than max of that kind.
	PutShared(ctx context.Context, s Shared, max int) error
	// Shared gives a team's of a kind, in order of name.
	Shared(ctx context.Context, host, team, kind string) ([]Shared, error)
	DeleteShared(ctx context.Context, host, team, kind, name string) error // ErrNotFound
}
