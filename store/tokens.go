package store

import (
	"context"
	"time"
)

// Token is what is kept of a secret that a client signs in with instead of a password (XEP-0484). The secret is made of
// Salt and of what only the server knows: who reads the table has nothing to sign in with.
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

// Tokens are those of accounts; an installation has at most one that it uses and one that is fresh.
type Tokens interface {
	// Tokens gives those of an installation, the fresh one first; expired ones too.
	Tokens(ctx context.Context, host, owner, client string) ([]Token, error)
	// PutToken keeps a fresh token instead of the fresh one there may be. An installation that has come with another
	// password than before has no older token. If more than max installations of the account have tokens, those that
	// expire first are forgotten.
	PutToken(ctx context.Context, t Token, max int) error
	// UseToken makes t the one its installation uses: the one used before is no more. count, unless it is 0, has to be
	// higher than any that came with it. ErrConflict if it is not, or if the token is no longer what it was.
	UseToken(ctx context.Context, t Token, count int64) error
	// DeleteTokens removes an installation's tokens; with "" those of the whole account.
	DeleteTokens(ctx context.Context, host, owner, client string) error
}
