package store

import (
	"context"
	"time"
)

// InviteOpen and the others are the states of an invitation. Expiry is not a state: Expires says it.
const (
	InviteOpen     = "open"
	InviteAccepted = "accepted"
	InviteDeclined = "declined"
	InviteRevoked  = "revoked"
)

// KindInvite and KindReset are the kinds of invitations.
const (
	KindInvite = "invite"
	KindReset  = "reset" // a new password for an existing account
)

// Invitation is what a token stands for (XEP-0401, XEP-0379, links on web pages). The token is derived from ID,
// Generation and a secret, and is not kept.
type Invitation struct {
	Host, ID   string
	Generation int    // raised when a new link replaces the present one
	Inviter    string // localpart; "" is the server
	Kind       string
	Account    bool   // an account may be made with it
	Contact    bool   // the new person becomes a contact of the inviter
	Username   string // of the account; "": the person chooses it
	Email      string // where it was sent; "": it was not mailed
	Lang       string
	Note       string // the inviter's message
	State      string
	Uses       int // how often it was used
	MaxUses    int // at least 1
	Created    time.Time
	Expires    time.Time
}

// Good says whether the newest link of the invitation can be used at a moment.
func (i Invitation) Good(at time.Time) bool {
	return i.State == InviteOpen && i.Uses < i.MaxUses && i.Expires.After(at)
}

// InvitationEvent is a line of an invitation's history.
type InvitationEvent struct {
	ID     ID     // says when
	Kind   string // created, queued, sent, bounced, opened, accepted, declined, extended, revoked, superseded
	Actor  string // localpart; "" is the person who has the link, or the server
	Detail string
}

// InvitationFilter chooses invitations; the zero value chooses all.
type InvitationFilter struct {
	Kind, Username, Inviter string
	Offset, Limit           int
}

// Invitations keeps invitations with their history.
type Invitations interface {
	// CreateInvitation keeps an invitation with its first event; ErrLimit if its inviter would have more than max that
	// can be used.
	CreateInvitation(ctx context.Context, i Invitation, max int, e InvitationEvent) error
	// Invitation gives an invitation by its id; ErrNotFound if there is none.
	Invitation(ctx context.Context, host, id string) (Invitation, error)
	// Invitations gives a page of the chosen invitations, the newest first, and how many are chosen in all.
	Invitations(ctx context.Context, host string, f InvitationFilter) ([]Invitation, int, error)
	// UpdateInvitation changes an invitation in a transaction. f changes generation, e-mail, state or expiry and gives
	// the event for the history; it may be called again.
	UpdateInvitation(ctx context.Context, host, id string,
		f func(i *Invitation) (InvitationEvent, error)) (Invitation, error)
	// UseInvitation counts one use of an invitation that can be used and has this generation. In the same transaction
	// it makes the account u, or gives u's keys to an account of that name without a password; ErrExists if that
	// account has one. With KindReset it sets the existing account's password and removes its tokens and web sessions.
	// u is nil where no account is made. ErrNotFound if the invitation cannot be used.
	UseInvitation(ctx context.Context, host, id string, generation int, at time.Time, u *User,
		e InvitationEvent) (Invitation, error)
	// InvitationEvents gives the history of an invitation, the oldest event first.
	InvitationEvents(ctx context.Context, host, id string) ([]InvitationEvent, error)
	// AddInvitationEvent adds an event to the history of an invitation.
	AddInvitationEvent(ctx context.Context, host, id string, e InvitationEvent) error
}
