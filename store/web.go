package store

import (
	"context"
	"time"
)

// WebSession is someone signed in with a browser. The token itself is not kept, only its hash.
type WebSession struct {
	Host, Hash, Owner string
	Created           time.Time
	Seen              time.Time
	Expires           time.Time
	Proven            time.Time // when the password was last given
	Remote, Agent     string
}

type WebSessions interface {
	// CreateWebSession keeps one, and of its owner's only the newest max.
	CreateWebSession(ctx context.Context, s WebSession, max int) error
	// WebSession gives one that has not expired at a moment; ErrNotFound.
	WebSession(ctx context.Context, host, hash string, at time.Time) (WebSession, error)
	WebSessionsOf(ctx context.Context, host, owner string, at time.Time) ([]WebSession, error) // the last seen first
	// TouchWebSession notes that it, and its account, was seen, and until when it is good now; Proven where it is not zero.
	TouchWebSession(ctx context.Context, s WebSession) error
	// DeleteWebSessions ends those of an owner but the one with this hash ("" for none).
	DeleteWebSessions(ctx context.Context, host, owner, but string) error
	DeleteWebSession(ctx context.Context, host, owner, hash string) error
}

// AuditEntry is something that was done, by whom.
type AuditEntry struct {
	ID     ID     // says when
	Actor  string // localpart; "" is the command line or the server
	Action string // "person.create"
	Target string // what it was done to: an address, a slug
	Detail string // before and after, in JSON; never a secret
	Remote string // from where
	Door   string // by which way in: "page", "api", "command line"
}

// AuditFilter chooses entries; zero values choose all.
type AuditFilter struct {
	Actor, Target, Action string // Action: also what begins with it and a dot
	Before                ID     // exclusive; 0: the newest
	Limit                 int
}

type Audit interface {
	AddAudit(ctx context.Context, host string, e AuditEntry) error
	AuditEntries(ctx context.Context, host string, f AuditFilter) ([]AuditEntry, error) // the newest first
}

// States of a mail.
const (
	MailWaiting = "waiting"
	MailSent    = "sent"
	MailFailed  = "failed"  // for good
	MailDropped = "dropped" // there is nothing to say any more
)

// Mail is an e-mail to be sent.
type Mail struct {
	Host        string
	ID          ID // says when it was written
	To, Subject string
	Text, HTML  string
	Invitation  string // id of the one it carries, or DigestOf the person it tells what was missed; ""
	State       string
	Attempts    int
	Due         time.Time // when to try next
	Error       string    // why the last attempt failed, in plain words
	Done        time.Time // sent or failed for good
}

type Outbox interface {
	AddMail(ctx context.Context, m Mail) error
	// DueMails gives those that wait and are due at a moment, the longest waiting first.
	DueMails(ctx context.Context, host string, at time.Time, limit int) ([]Mail, error)
	// ClaimMail puts the next attempt of a mail off; ErrConflict if another node has done that. It counts the attempt.
	ClaimMail(ctx context.Context, m Mail, until time.Time) error
	// SetMail keeps state, due, error and done. What is sent, or never will be, loses its text: there are links in it.
	SetMail(ctx context.Context, m Mail) error
	// Mails gives those that are older than before (0: the newest of all), the newest first.
	Mails(ctx context.Context, host string, before ID, limit int) ([]Mail, error)
	// MailsOf gives those of an invitation, the newest first.
	MailsOf(ctx context.Context, host, invitation string) ([]Mail, error)
	CountMails(ctx context.Context, host string) (map[string]int, error)
}

// SecondFactor is what a person proves besides the password (RFC 6238).
type SecondFactor struct {
	Secret    string // base32
	Confirmed bool   // it is in force
	LastStep  int64  // the newest time step that was used, which no one may use again
	Recovery  []string
}

// AppPassword is a password for one program, beside the account's own.
type AppPassword struct {
	ID, Name string
	Keys     []byte
	Created  time.Time
	Used     time.Time
}

type Factors interface {
	SecondFactor(ctx context.Context, host, owner string) (SecondFactor, error)
	SetSecondFactor(ctx context.Context, host, owner string, f SecondFactor) error
	// UseSecondFactor changes one in a transaction; f may be called again.
	UseSecondFactor(ctx context.Context, host, owner string, f func(*SecondFactor) error) error
	DeleteSecondFactor(ctx context.Context, host, owner string) error
	AppPasswords(ctx context.Context, host, owner string) ([]AppPassword, error)
	// AddAppPassword keeps one; ErrLimit if there would be more than max.
	AddAppPassword(ctx context.Context, host, owner string, p AppPassword, max int) error
	UseAppPassword(ctx context.Context, host, owner, id string, at time.Time) error
	// DeleteAppPassword removes one, and the tokens of clients that have signed in with it.
	DeleteAppPassword(ctx context.Context, host, owner, id string) error
	// RevokePrograms removes all that programs sign in with: app passwords, API tokens, tokens of clients.
	RevokePrograms(ctx context.Context, host, owner string) error
}

// APIToken lets a program act for a person, within scopes. Only its hash is kept.
type APIToken struct {
	Host, Hash, Owner, Name string
	Scopes                  string // parted by spaces
	Created, Expires, Used  time.Time
}

type APITokens interface {
	AddAPIToken(ctx context.Context, t APIToken, max int) error
	APIToken(ctx context.Context, host, hash string, at time.Time) (APIToken, error)
	APITokensOf(ctx context.Context, host, owner string) ([]APIToken, error)
	// APITokens gives a part of all, in order of owner and time, and how many there are.
	APITokens(ctx context.Context, host string, offset, limit int) ([]APIToken, int, error)
	UseAPIToken(ctx context.Context, host, hash string, at time.Time) error
	DeleteAPIToken(ctx context.Context, host, owner, hash string) error
}
