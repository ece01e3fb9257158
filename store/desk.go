package store

import (
	"context"
	"time"
)

// Draft is what somebody has written in a conversation and not sent.
type Draft struct {
	Chat string // bare address of the conversation
	Text string
	At   time.Time
}

// Desks keep how people have arranged the chat, and what they have not sent yet, for all their browsers.
type Desks interface {
	// Sidebar gives how an account has arranged its conversations, in JSON; ErrNotFound if it has not.
	Sidebar(ctx context.Context, host, owner string) (string, error)
	// SetSidebar keeps it; ErrNotFound if there is no such account.
	SetSidebar(ctx context.Context, host, owner, body string) error
	// Drafts gives an account's drafts, the newest first.
	Drafts(ctx context.Context, host, owner string) ([]Draft, error)
	// SetDraft keeps a draft in place of the one in the same conversation; ErrLimit if the account would have more than
	// max, ErrNotFound if there is no such account. Without a text it removes the draft.
	SetDraft(ctx context.Context, host, owner string, d Draft, max int) error
}
