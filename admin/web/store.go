package web

import (
	"context"

	"parley/messages"
	"parley/store"
)

// Store is what pages ask of the store by themselves; changes of the organization are acts of other packages.
type Store interface {
	store.KV
	store.People
	store.WebSessions
	messages.Store

	APITokensOf(ctx context.Context, host string, owner string) ([]store.APIToken, error)
	AuditEntries(ctx context.Context, host string, f store.AuditFilter) ([]store.AuditEntry, error)
	CountMails(ctx context.Context, host string) (map[string]int, error)
	GroupsOf(ctx context.Context, host string, jid string) ([]store.Group, error)
	InvitationEvents(ctx context.Context, host string, id string) ([]store.InvitationEvent, error)
	Invitations(ctx context.Context, host string, f store.InvitationFilter) ([]store.Invitation, int, error)
	Mails(ctx context.Context, host string, before store.ID, limit int) ([]store.Mail, error)
	MailsOf(ctx context.Context, host string, invitation string) ([]store.Mail, error)
	LookMessages(ctx context.Context, f store.Find) (store.Looked, error)
	SearchMessages(ctx context.Context, f store.Find) (fs []store.Found, complete bool, err error)
	SecondFactor(ctx context.Context, host string, owner string) (store.SecondFactor, error)
	SetMail(ctx context.Context, m store.Mail) error
	SetSecondFactor(ctx context.Context, host string, owner string, f store.SecondFactor) error
	TasksOf(ctx context.Context, host string, ids []store.ID) ([]store.Task, error)
	UseSecondFactor(ctx context.Context, host string, owner string, f func(*store.SecondFactor) error) error
	User(ctx context.Context, host string, name string) (store.User, error)
}
