package store

import (
	"context"
	"time"
)

// WebSession is a browser in which a person is signed in. Only the token's hash is kept.
type WebSession struct {
	Host, Hash, Owner string
	Created           time.Time
	Seen              time.Time
	Expires           time.Time
	Proven            time.Time // when the person last gave the password
	Remote, Agent     string
}

// WebSessions keeps the sessions of browsers.
type WebSessions interface {
	// CreateWebSession keeps a session, and only the newest max of its owner.
	CreateWebSession(ctx context.Context, s WebSession, max int) error
	// WebSession gives a session that has not expired at a moment; ErrNotFound if there is none.
	WebSession(ctx context.Context, host, hash string, at time.Time) (WebSession, error)
	// WebSessionAndOwner is WebSession with its owner, in one statement.
	WebSessionAndOwner(ctx context.Context, host, hash string, at time.Time) (WebSession, Person, error)
	// WebSessionsOf gives an owner's sessions that have not expired at a moment, the last used first.
	WebSessionsOf(ctx context.Context, host, owner string, at time.Time) ([]WebSession, error)
	// TouchWebSession notes that a session and its account were used, until when the session is valid now, and Proven
	// if it is not zero.
	TouchWebSession(ctx context.Context, s WebSession) error
	// DeleteWebSessions ends all sessions of an owner except the one with the hash but ("" for none).
	DeleteWebSessions(ctx context.Context, host, owner, but string) error
	// DeleteWebSession ends one session of an owner.
	DeleteWebSession(ctx context.Context, host, owner, hash string) error
}

// AuditEntry is an entry of the audit log: who did what.
type AuditEntry struct {
	ID     ID     // also says when
	Actor  string // localpart; "" is the command line or the server
	Action string // "person.create"
	Target string // the thing it was done to: an address, a slug
	Detail string // before and after, in JSON; never a secret
	Remote string // the address it came from
	Door   string // "page", "api", "command line" …
}

// AuditFilter chooses entries; the zero value chooses all.
type AuditFilter struct {
	Actor, Target, Action string // Action: exact, or the part before a dot
	Before                ID     // exclusive; 0: the newest
	Limit                 int
}

// Audit keeps the audit log.
type Audit interface {
	// AddAudit adds an entry.
	AddAudit(ctx context.Context, host string, e AuditEntry) error
	// AuditKept says whether an entry is kept. It waits for a transaction that has added it and is not over.
	AuditKept(ctx context.Context, host string, id ID) (bool, error)
	// AuditEntries gives the chosen entries, the newest first.
	AuditEntries(ctx context.Context, host string, f AuditFilter) ([]AuditEntry, error)
}

// MailWaiting and the others are the states of a mail.
const (
	MailWaiting = "waiting"
	MailSent    = "sent"
	MailFailed  = "failed"  // for good
	MailDropped = "dropped" // its reason is gone
)

// Mail is an e-mail in the outbox.
type Mail struct {
	Host        string
	ID          ID // its time is when the mail was written
	To, Subject string
	Text, HTML  string
	Invitation  string // id of the invitation in it, or DigestOf the person whose digest it is; ""
	State       string
	Attempts    int
	Due         time.Time // when to try next
	Error       string    // why the last attempt failed, in plain words
	Done        time.Time // sent or failed for good
}

// Outbox keeps e-mails until they are sent, and for a while after that.
type Outbox interface {
	// AddMail puts a mail into the outbox.
	AddMail(ctx context.Context, m Mail) error
	// DueMails gives waiting mails that are due at a moment, the longest overdue first.
	DueMails(ctx context.Context, host string, at time.Time, limit int) ([]Mail, error)
	// ClaimMail puts off the next attempt of a mail and counts this one; ErrConflict if another node has claimed it.
	ClaimMail(ctx context.Context, m Mail, until time.Time) error
	// SetMail writes state, due, error and done. A mail that is sent or given up loses its text, because of the links
	// in it.
	SetMail(ctx context.Context, m Mail) error
	// Mails gives mails older than before (0: the newest of all), the newest first.
	Mails(ctx context.Context, host string, before ID, limit int) ([]Mail, error)
	// MailsOf gives the mails of an invitation, the newest first.
	MailsOf(ctx context.Context, host, invitation string) ([]Mail, error)
	// CountMails counts the mails in each state.
	CountMails(ctx context.Context, host string) (map[string]int, error)
}

// SecondFactor is the state of a person's one-time codes (RFC 6238).
type SecondFactor struct {
	Secret    string // base32
	Confirmed bool   // it is required
	LastStep  int64  // the newest time step that was used; no code of it or before is taken
	Recovery  []string
}

// AppPassword is a password for one program, besides the account's own.
type AppPassword struct {
	ID, Name string
	Keys     []byte
	Created  time.Time
	Used     time.Time
}

// Factors keeps what proves a person's identity besides the password.
type Factors interface {
	// SecondFactor gives a person's second factor; ErrNotFound if there is none.
	SecondFactor(ctx context.Context, host, owner string) (SecondFactor, error)
	// SetSecondFactor writes a person's second factor.
	SetSecondFactor(ctx context.Context, host, owner string, f SecondFactor) error
	// UseSecondFactor changes a second factor in a transaction; f may be called again.
	UseSecondFactor(ctx context.Context, host, owner string, f func(*SecondFactor) error) error
	// DeleteSecondFactor removes a person's second factor.
	DeleteSecondFactor(ctx context.Context, host, owner string) error
	// AppPasswords gives a person's app passwords in order of creation.
	AppPasswords(ctx context.Context, host, owner string) ([]AppPassword, error)
	// AddAppPassword keeps an app password; ErrLimit if the person would have more than max, ErrExists if the id is
	// taken.
	AddAppPassword(ctx context.Context, host, owner string, p AppPassword, max int) error
	// UseAppPassword notes when an app password was last used.
	UseAppPassword(ctx context.Context, host, owner, id string, at time.Time) error
	// DeleteAppPassword removes an app password, and the tokens of clients that signed in with it.
	DeleteAppPassword(ctx context.Context, host, owner, id string) error
	// RevokePrograms removes everything that programs sign in with: app passwords, API tokens, tokens of clients.
	RevokePrograms(ctx context.Context, host, owner string) error
}

// APIToken lets a program act for a person, within scopes. Only its hash is kept.
type APIToken struct {
	Host, Hash, Owner, Name string
	Scopes                  string // separated by spaces
	Created, Expires, Used  time.Time
}

// APITokens keeps the tokens with which programs use the API.
type APITokens interface {
	// AddAPIToken keeps a token; ErrLimit if its owner would have more than max.
	AddAPIToken(ctx context.Context, t APIToken, max int) error
	// APIToken gives a token that has not expired at a moment; ErrNotFound if there is none.
	APIToken(ctx context.Context, host, hash string, at time.Time) (APIToken, error)
	// APITokensOf gives the tokens of an owner.
	APITokensOf(ctx context.Context, host, owner string) ([]APIToken, error)
	// APITokens gives a page of all tokens, in order of owner and time, and how many there are.
	APITokens(ctx context.Context, host string, offset, limit int) ([]APIToken, int, error)
	// UseAPIToken notes when a token was last used.
	UseAPIToken(ctx context.Context, host, hash string, at time.Time) error
	// DeleteAPIToken removes a token of an owner.
	DeleteAPIToken(ctx context.Context, host, owner, hash string) error
}
