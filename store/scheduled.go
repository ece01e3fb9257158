package store

import (
	"context"
	"time"
)

// Scheduled is a message that the server sends for its owner at a time, or of which it reminds the owner.
type Scheduled struct {
	Host     string
	Owner    string // the account
	ID       ID     // also says when it was made
	Chat     string // bare address of the conversation; "": it is gone, or the reminder is of none
	Reminder bool
	Text     string
	More     string    // what else belongs to it, in JSON: for who reads it
	Due      time.Time // when the owner wants it
	Next     time.Time // when it is tried next: Due, or later while it is being sent; zero: it was refused
	Failed   string    // why it was refused, in the owner's language
}

// Later keeps what is to be sent later.
type Later interface {
	// AddScheduled keeps a message; ErrLimit if its owner would have more than max.
	AddScheduled(ctx context.Context, x Scheduled, max int) error
	// Scheduled gives all messages of an account, the first first.
	Scheduled(ctx context.Context, host, owner string) ([]Scheduled, error)
	// ChangeScheduled changes a message in a transaction, and gives it; ErrNotFound if its owner has none of this id.
	// An error of change is returned, and nothing changes.
	ChangeScheduled(ctx context.Context, host, owner string, id ID, change func(*Scheduled) error) (Scheduled, error)
	// DeleteScheduled removes a message; ErrNotFound if its owner has none of this id.
	DeleteScheduled(ctx context.Context, host, owner string, id ID) error
	// DueScheduled gives messages that are to be tried, the first first, at most limit.
	DueScheduled(ctx context.Context, host string, limit int) ([]Scheduled, error)
	// ClaimScheduled moves the next try of a message. Of several calls at once only one gets true, and none if the
	// message is tried at another time than next by now.
	ClaimScheduled(ctx context.Context, host string, id ID, next, then time.Time) (bool, error)
}
