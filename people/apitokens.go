package people

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/acts"
	"parley/internal/fault"
	"parley/store"
)

// Scopes are the scopes of API tokens, in the order in which pages offer them. A token may do what its owner may do, as
// far as its scopes allow it.
var Scopes = []string{"people:read", "people:write", "groups:read", "groups:write", "messages:read", "messages:write",
	"presence:write", "files:write", "webhooks:read", "webhooks:write", "system:read", "system:write", "tokens:read",
	"tokens:write", "audit:read"}

// TokenPrefix is the beginning of every API token, so that scanners of repositories recognise leaked ones.
const TokenPrefix = "parley_"

const (
	maxTokens    = 20 // per account
	maxTokenLife = 5 * 366 * 24 * time.Hour
)

// HashToken gives the hash of a token, which is all that is kept.
func HashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// CreateToken makes an API token for the actor or, by the machine's operator, for anybody. It returns the token, which
// cannot be shown again.
func (p *People) CreateToken(ctx context.Context, by Actor, owner, name string, scopes []string,
	keep time.Duration) (token string, t store.APIToken, err error) {
	if name, err = line("name", name); err != nil {
		return "", t, err
	}
	if name == "" || len(name) > 100 || len(scopes) == 0 {
		return "", t, fault.New(fault.Invalid, "name", "A token needs a name and a scope")
	}
	for _, s := range scopes {
		if !slices.Contains(Scopes, s) {
			return "", t, fault.New(fault.Invalid, "scopes", "There is no scope {{.Name}}. The scopes are {{.Known}}",
				"Name", s, "Known", strings.Join(Scopes, ", "))
		}
	}
	if keep <= 0 || keep > maxTokenLife {
		return "", t, fault.New(fault.Invalid, "expires", "A token is valid for five years at most")
	}
	token = TokenPrefix + strings.ToLower(rand.Text()+rand.Text()[:6])
	now := p.h.Clock.Now().UTC().Truncate(time.Microsecond)
	t = store.APIToken{
		Host:    p.h.Domain,
		Hash:    HashToken(token),
		Owner:   owner,
		Name:    name,
		Scopes:  strings.Join(scopes, " "),
		Created: now,
		Expires: now.Add(keep),
	}
	err = p.do(ctx, by, func(ctx context.Context, a *acts.Act) error { return p.addToken(ctx, a, t) })
	if err != nil {
		return "", t, err
	}
	return token, t, nil
}

func (p *People) addToken(ctx context.Context, a *acts.Act, t store.APIToken) error {
	if a.By.Name != t.Owner && !a.By.Machine() {
		return fault.ErrRole
	}
	u, err := p.Get(ctx, t.Owner)
	if err != nil {
		return err
	}
	if u.State() != store.StateActive {
		return fault.New(fault.Invalid, "",
			"{{.Name}} cannot sign in now, so a token would be of no use", "Name", u.Display())
	}
	err = p.st.AddAPIToken(ctx, t, maxTokens)
	if errors.Is(err, store.ErrLimit) {
		return fault.New(fault.Limit, "", "You cannot have more tokens: revoke one first")
	}
	if err != nil {
		return err
	}
	a.Note(acts.TokenCreate, u.Address(), acts.Detail{"name": t.Name, "scopes": t.Scopes, "expires": t.Expires})
	return nil
}

// Tokens gives a page of the host's API tokens, and how many there are. Administrators may do this.
func (p *People) Tokens(ctx context.Context, a Actor, offset, limit int) ([]store.APIToken, int, error) {
	if !a.Runs() {
		return nil, 0, fault.ErrRole
	}
	return p.st.APITokens(ctx, p.h.Domain, offset, limit)
}

// RevokeToken removes one of the actor's own tokens, or one of a person whom the actor may sign out.
func (p *People) RevokeToken(ctx context.Context, by Actor, owner, hash string) error {
	return p.do(ctx, by, func(ctx context.Context, a *acts.Act) error {
		u, err := p.FindFor(ctx, by, Disable, owner, true)
		if err != nil {
			return err
		}
		ts, err := p.st.APITokensOf(ctx, p.h.Domain, owner)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(ts, func(t store.APIToken) bool { return t.Hash == hash })
		if i < 0 {
			return fault.New(fault.NotFound, "", "There is no such token")
		}
		if err := p.st.DeleteAPIToken(ctx, p.h.Domain, owner, hash); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		a.Note(acts.TokenRevoke, u.Address(), acts.Detail{"name": ts[i].Name})
		return nil
	})
}
