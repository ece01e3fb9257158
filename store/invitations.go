package store

import (
	"context"
	"time"
)

// States of an invitation. That it has expired is not a state: time says it.
const (
	InviteOpen     = "open"
	InviteAccepted = "accepted"
	InviteDeclined = "declined"
	InviteRevoked  = "revoked"
)

// Kinds of invitations.
const (
	KindInvite = "invite"
	KindReset  = "reset" // of the password of an account that is there
)

// Invitation is what a token stands for (XEP-0401, XEP-0379, the links of the web). The token is made of ID and
// Generation with a secret, and is not kept.
type Invitation struct {
	Host, ID   string
	Generation int    // raised when a new link takes the place of the old one
	Inviter    string // localpart of who has invited; "" is the server
	Kind       string
	Account    bool   // an account may be made with it
	Contact    bool   // who comes with it becomes a contact of the inviter
	Username   string // of the account; "" for one that is chosen
	Email      string // where it was sent; "" if it was not
	Lang       string
	Note       string // a word of the inviter
	State      string
	Uses       int // that were made of it
	MaxUses    int // at least 1
	Created    time.Time
	Expires    time.Time
}

// Good says whether the newest link of it can be used at a moment.
func (i Invitation) Good(at time.Time) bool {
	return i.State == InviteOpen && i.Uses < i.MaxUses && i.Expires.After(at)
}

// InvitationEvent is a line of an invitation's history.
type InvitationEvent struct {
	ID     ID     // says when
	Kind   string // created, queued, sent, bounced, opened, accepted, declined, extended, revoked, superseded
	Actor  string // localpart; "" is who has the link, or the server
	Detail string
}

// InvitationFilter chooses invitations; zero values choose all.
type InvitationFilter struct {
	Kind, Username, Inviter string
	Offset, Limit           int
}

type Invitations interface {
	// CreateInvitation keeps one with its first event; ErrLimit if its inviter would have more than max that are good.
	CreateInvitation(ctx context.Context, i Invitation, max int, e InvitationEvent) error
	Invitation(ctx context.Context, host, id string) (Invitation, error)
	// Invitations gives those chosen, the newest first, and how many they are in all.
	Invitations(ctx context.Context, host string, f InvitationFilter) ([]Invitation, int, error)
	// UpdateInvitation changes one in a transaction: f gets what is there, changes generation, e-mail, state or expiry, and gives
	// the event that tells of it; it may be called again.
	UpdateInvitation(ctx context.Context, host, id string, f func(i *Invitation) (InvitationEvent, error)) (Invitation, error)
	// UseInvitation uses a good one of this generation up by one, in one transaction with the account that is made with it:
	// one of that name without a password gets u's, otherwise it is made; ErrExists if there is one with a password. With
	// KindReset the account there is gets the password, and loses its tokens and web sessions. u is nil where there is no
	// account. ErrNotFound if it is not good.
	UseInvitation(ctx context.Context, host, id string, generation int, at time.Time, u *User, e InvitationEvent) (Invitation, error)
	InvitationEvents(ctx context.Context, host, id string) ([]InvitationEvent, error) // in order
	AddInvitationEvent(ctx context.Context, host, id string, e InvitationEvent) error
}
