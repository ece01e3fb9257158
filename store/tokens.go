package store

import (
	"context"
	"time"
)

// Token is a secret with which a client signs in instead of a password (XEP-0484). The secret is derived from Salt and
// a key of the server, so the table alone is of no use to a thief.
type Token struct {
	Host, Owner     string
	Client          string // id of the client's installation
	Fresh           bool   // given to the client and not used by it yet
	Mechanism       string // the only one that the token is good for
	Salt            []byte // no two tokens have the same
	Issued, Expires time.Time
	Uses            int64  // the highest count that the client has sent with it
	App             string // id of the app password that the client had signed in with; "": the account's own
}

// Tokens keeps tokens. An installation has at most one token in use and one that is fresh.
type Tokens interface {
	// Tokens gives the tokens of an installation, the fresh one first, also expired ones.
	Tokens(ctx context.Context, host, owner, client string) ([]Token, error)
	// PutToken keeps a fresh token and replaces the installation's fresh one. An installation that signed in with
	// another password than before loses its older token. If more than max installations of the account have tokens,
	// the ones that expire first are removed.
	PutToken(ctx context.Context, t Token, max int) error
	// UseToken makes t the token that its installation uses and removes the one before. count, unless 0, must be higher
	// than any count that came with the token. ErrConflict if it is not, or if the token has changed.
	UseToken(ctx context.Context, t Token, count int64) error
	// DeleteTokens removes an installation's tokens or, with "", those of the whole account.
	DeleteTokens(ctx context.Context, host, owner, client string) error
}
