package store

import (
	"context"
	"time"
)

// SharedSnippet and SharedContact are the kinds of things shared with a team.
const (
	SharedSnippet = "snippet" // a saved reply: Name is its name, Text the reply
	SharedContact = "contact" // Name is the bare address, Text the contact's name
)

// Shared is a saved reply or contact that the people of a team share. It stays when the team is deleted.
type Shared struct {
	Host, Team string // Team: a team's id
	Kind       string
	Name, Text string
	Creator    string // bare JID; "": an administrator
	Updated    time.Time
}

// Sharing keeps what the people of a team share.
type Sharing interface {
	// PutShared adds a thing or replaces its text; ErrLimit if the team would have more than max of that kind.
	PutShared(ctx context.Context, s Shared, max int) error
	// Shared gives a team's things of a kind, in order of name.
	Shared(ctx context.Context, host, team, kind string) ([]Shared, error)
	// DeleteShared removes a thing; ErrNotFound if there is none.
	DeleteShared(ctx context.Context, host, team, kind, name string) error
}
