// Package admin is the administrator's door: health and metrics over HTTP, and the control socket that the command line
// speaks to. What can be done is declared here and done elsewhere.
package admin

import (
	"context"
	"io"
	"time"
)

// Operations is what an administrator can do. Addresses are bare JIDs; a name alone means an account of the only hosted
// domain. A host of "" is the only hosted domain, and an error where there are several. Errors are *Error where the
// administrator can do something about them.
type Operations interface {
	Accounts
	AppPasswords
	Groups
	Teams
	Sharing
	Sessions
	Reports
	Federation
	Webhooks
	Backups
	Invitations
	Tokens
	Doctor
	Info(ctx context.Context) (Info, error)
}

// Accounts are people.
type Accounts interface {
	AddUser(ctx context.Context, u NewUser) (User, error)
	// Users gives at most limit accounts in order of name, those that come after the name `after`.
	Users(ctx context.Context, host, after string, limit int) ([]User, error)
	User(ctx context.Context, address string) (User, error)
	// ChangeUser changes what is given. Disabling closes the account's sessions.
	ChangeUser(ctx context.Context, address string, c UserChange) (User, error)
	// SetPassword sets it and closes the account's sessions.
	SetPassword(ctx context.Context, address, password string) error
	DeleteUser(ctx context.Context, address string) error
	// Export writes accounts with all that is theirs (XEP-0227): these, or with none named all of a host ("" for all
	// hosts). An error after the first byte leaves w without an end.
	Export(ctx context.Context, x Export, w io.Writer) error
	// Import makes accounts of such a file.
	Import(ctx context.Context, in Import, r io.Reader) (Imported, error)
}

// Sessions are who is signed in now.
type Sessions interface {
	// Sessions gives those of a host, or of one account where address is given.
	Sessions(ctx context.Context, host, address string) ([]Session, error)
	// Kick closes one session (full JID) or all of an account (bare JID), and says how many.
	Kick(ctx context.Context, address string) (int, error)
}

// User is an account as administrators see it.
type User struct {
	Address  string    `json:"address"`
	Name     string    `json:"name,omitempty"`
	Admin    bool      `json:"admin"`
	Disabled bool      `json:"disabled"`
	Password bool      `json:"password"` // it has one
	Created  time.Time `json:"created"`
	LastSeen time.Time `json:"last_seen,omitzero"`
	Sessions int       `json:"sessions"`
	// Retention is how long its messages are kept: "90d", "forever". Only of one account, not in lists.
	Retention string `json:"retention,omitempty"`
	// RetentionBy says who has decided that: "host", "administrator" or "person".
	RetentionBy string `json:"retention_by,omitempty"`
}

// NewUser is an account to be made.
type NewUser struct {
	Address  string `json:"address"`
	Name     string `json:"name,omitempty"`
	Password string `json:"password"`
	Admin    bool   `json:"admin,omitempty"`
}

// UserChange changes what is not nil.
type UserChange struct {
	Name     *string `json:"name,omitempty"`
	Admin    *bool   `json:"admin,omitempty"`
	Disabled *bool   `json:"disabled,omitempty"`
	// Retention is how long the account's messages are kept: a duration like "90d", "forever", or "host" for as long as
	// those of others.
	Retention *string `json:"retention,omitempty"`
}

// Session is a signed-in client.
type Session struct {
	Address   string    `json:"address"` // full
	Since     time.Time `json:"since"`
	Remote    string    `json:"remote"`
	Transport string    `json:"transport"`
	Mechanism string    `json:"mechanism"`
	Available bool      `json:"available"`
	Priority  int8      `json:"priority"`
}

// Info is about the server itself.
type Info struct {
	Version string     `json:"version"`
	Go      string     `json:"go"`
	Started time.Time  `json:"started"`
	Store   string     `json:"store"` // engine
	Hosts   []HostInfo `json:"hosts"`
}

// HostInfo counts what a hosted domain has.
type HostInfo struct {
	Domain   string `json:"domain"`
	Title    string `json:"title,omitempty"`
	Users    int    `json:"users"`
	Sessions int    `json:"sessions"`
}
