package store

import (
	"context"
	"time"
)

// Invitation is what a token stands for (XEP-0401, XEP-0379). The token itself is not kept, only its hash.
type Invitation struct {
	Host, Hash string
	Inviter    string // localpart of who has invited
	Account    bool   // an account may be made with it
	Contact    bool   // who comes with it becomes a contact of the inviter
	Username   string // of the account; "" for one that is chosen
	Created    time.Time
	Expires    time.Time
}

type Invitations interface {
	// CreateInvitation keeps one; ErrLimit if its inviter would have more than max that are good.
	CreateInvitation(ctx context.Context, i Invitation, max int) error
	// Invitation gives one that is good at a moment; ErrNotFound.
	Invitation(ctx context.Context, host, hash string, at time.Time) (Invitation, error)
	// TakeInvitation is Invitation that nobody else can take any more.
	TakeInvitation(ctx context.Context, host, hash string, at time.Time) (Invitation, error)
}
