package c2s

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"time"

	"parley/auth"
	"parley/store"
	"parley/wire"
)

// Clients can sign in with tokens instead of a password (XEP-0484). A token serves one installation of a client and one
// mechanism. The server never accepts TLS early data, so no token can be replayed with it.

const nsFAST = "urn:xmpp:fast:0"

const (
	// maxTokenClients is how many installations of one account may have tokens. The installation that signed in longest
	// ago loses its token.
	maxTokenClients = 50
	// tokenRotation is the age at which a used token is replaced; half its lifetime if that is less.
	tokenRotation = 24 * time.Hour
)

// fast holds what a client asks for in its <authenticate/>.
type fast struct {
	token      bool   // <fast/>: the client signs in with a token
	count      int64  // 0: none
	invalidate bool   // the client gives up the token that it signs in with
	request    string // <request-token/>: the mechanism of the token that it asks for
}

func newFast(x *wire.Stanza) (f fast, err error) {
	if e := x.Element(nsFAST, "fast"); e != nil {
		f.token, f.invalidate = true, yes(e.Attr("invalidate"))
		if c := e.Attr("count"); c != "" {
			if f.count, err = strconv.ParseInt(c, 10, 64); err != nil || f.count <= 0 {
				return f, &auth.Error{Condition: "malformed-request", Text: "count is not a positive integer"}
			}
		}
	}
	if e := x.Element(nsFAST, "request-token"); e != nil {
		f.request = e.Attr("mechanism")
	}
	return f, nil
}

// offerFast returns <fast/>, or nil if there are no tokens.
func (st *stream) offerFast(binding auth.Binding) *wire.Element {
	if st.srv.cfg.TokenLifetime <= 0 {
		return nil
	}
	e := wire.E(nsFAST, "fast")
	for _, m := range auth.TokenMechanisms(binding) {
		e.Add(wire.T(nsFAST, "mechanism", m))
	}
	return e
}

// tokens returns the lookup for the tokens of the installation that signs in. It stores the token that matched in used.
func (st *stream) tokens(client string, count int64, used *store.Token) auth.Tokens {
	return func(ctx context.Context, user, mechanism string) ([]auth.Token, error) {
		kept, err := st.srv.cfg.Store.Tokens(ctx, st.host.Domain, user, client)
		if err != nil {
			return nil, err
		}
		secrets, err := st.srv.lookup(st.host)(ctx, user)
		if err != nil {
			return nil, err
		}
		var ts []auth.Token
		for _, t := range kept {
			// A token is valid only as long as the password that it was issued for.
			if s := secret(secrets, t.App); s != nil && t.Mechanism == mechanism {
				ts = append(ts, auth.Token{Secret: []byte(st.srv.tokenSecret(t)), Use: func(ctx context.Context) error {
					if s.Refuse != "" {
						return &auth.Error{Condition: "not-authorized", Text: s.Refuse, Known: true}
					}
					*used = t
					return st.useToken(ctx, t, count)
				}})
			}
		}
		return ts, nil
	}
}

func (st *stream) useToken(ctx context.Context, t store.Token, count int64) error {
	if !st.host.Clock.Now().Before(t.Expires) {
		return &auth.Error{Condition: "credentials-expired"}
	}
	err := st.srv.cfg.Store.UseToken(ctx, t, count)
	switch {
	case errors.Is(err, store.ErrConflict): // a repeated count, or a token that was replaced just now
		return &auth.Error{Condition: "not-authorized"}
	case err != nil:
		return &auth.Error{Condition: "temporary-auth-failure"}
	}
	return nil
}

// tokenSecret computes a token's secret, which is never stored.
func (s *Server) tokenSecret(t store.Token) string {
	sum := auth.Derive(s.cfg.Secret, "token", t.Host, t.Owner, t.Client, t.Mechanism,
		string(base64.RawStdEncoding.AppendEncode(nil, t.Salt)))
	return base64.RawURLEncoding.EncodeToString(sum)
}

// renew manages the tokens of a client that signed in. It returns <token/> if the client asked for a token or its own
// is due for replacement, and nil otherwise. used is the token that the client signed in with.
func (st *stream) renew(f fast, used *store.Token, binding auth.Binding) (*wire.Element, error) {
	if st.srv.cfg.TokenLifetime <= 0 || st.client.ID == "" {
		return nil, nil
	}
	ctx, cancel := st.within()
	defer cancel()
	mech := ""
	if slices.Contains(auth.TokenMechanisms(binding), f.request) {
		mech = f.request
	}
	now := st.host.Clock.Now()
	if used.Salt != nil {
		due := now.Sub(used.Issued) >= min(tokenRotation, st.srv.cfg.TokenLifetime/2)
		switch {
		case f.invalidate:
			if err := st.srv.cfg.Store.DeleteTokens(ctx, st.host.Domain, st.user, st.client.ID); err != nil {
				st.log.Error("cannot invalidate a token", "user", st.user, "err", err)
				// otherwise the client would believe that the token is invalid
				return nil, &auth.Error{Condition: "temporary-auth-failure"}
			}
		case mech == "" && due:
			mech = used.Mechanism
		}
	}
	if mech == "" {
		return nil, nil
	}
	t := store.Token{
		Host:      st.host.Domain,
		Owner:     st.user,
		Client:    st.client.ID,
		Mechanism: mech,
		Salt:      make([]byte, 32),
		Issued:    now,
		Expires:   now.Add(st.srv.cfg.TokenLifetime),
		App:       st.credential,
	}
	rand.Read(t.Salt)
	if err := st.srv.cfg.Store.PutToken(ctx, t, maxTokenClients); err != nil {
		st.log.Error("cannot keep a token", "user", st.user, "err", err)
		return nil, nil // the sign-in succeeds all the same
	}
	return wire.E(nsFAST, "token").Set("token", st.srv.tokenSecret(t)).
		Set("expiry", t.Expires.UTC().Format(time.RFC3339)), nil
}
