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

// Tokens that a client signs in with instead of a password (XEP-0484). One is good for one installation of a client and
// one mechanism. TLS early data is never taken, so that nothing of this can be replayed with it.

const nsFAST = "urn:xmpp:fast:0"

const (
	// maxTokenClients is how many installations of one account have tokens; who has not signed in for longest loses its.
	maxTokenClients = 50
	// tokenRotation is the age from which a token that is used is replaced; half its life if that is less.
	tokenRotation = 24 * time.Hour
)

// fast is what a client asks for with its <authenticate/>.
type fast struct {
	token      bool   // <fast/>: it signs in with one
	count      int64  // 0: none
	invalidate bool   // the token that it signs in with is to be no more
	request    string // <request-token/>: for this mechanism
}

func newFast(x *wire.Stanza) (f fast, err error) {
	if e := x.Element(nsFAST, "fast"); e != nil {
		f.token, f.invalidate = true, yes(e.Attr("invalidate"))
		if c := e.Attr("count"); c != "" {
			if f.count, err = strconv.ParseInt(c, 10, 64); err != nil || f.count <= 0 {
				return f, &auth.Error{Condition: "malformed-request", Text: "count is no positive integer"}
			}
		}
	}
	if e := x.Element(nsFAST, "request-token"); e != nil {
		f.request = e.Attr("mechanism")
	}
	return f, nil
}

// offerFast gives <fast/>; nil if there are no tokens.
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

// tokens finds those of the installation that signs in; used is told which it was.
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
			// A token is worth what the password is that it was got with.
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
	if !time.Now().Before(t.Expires) {
		return &auth.Error{Condition: "credentials-expired"}
	}
	err := st.srv.cfg.Store.UseToken(ctx, t, count)
	switch {
	case errors.Is(err, store.ErrConflict): // a count that has come before, or a token that has just been replaced
		return &auth.Error{Condition: "not-authorized"}
	case err != nil:
		return &auth.Error{Condition: "temporary-auth-failure"}
	}
	return nil
}

// tokenSecret gives the token itself, which is not kept: it is made of what is.
func (s *Server) tokenSecret(t store.Token) string {
	sum := auth.Derive(s.cfg.Secret, "token", t.Host, t.Owner, t.Client, t.Mechanism, string(base64.RawStdEncoding.AppendEncode(nil, t.Salt)))
	return base64.RawURLEncoding.EncodeToString(sum)
}

// renew does what is to be done with tokens once the client is signed in: it gives <token/> if the client has asked for
// one or if its own is due for another, and nil otherwise. used is the token that it has signed in with.
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
	now := time.Now()
	if used.Salt != nil {
		due := now.Sub(used.Issued) >= min(tokenRotation, st.srv.cfg.TokenLifetime/2)
		switch {
		case f.invalidate:
			if err := st.srv.cfg.Store.DeleteTokens(ctx, st.host.Domain, st.user, st.client.ID); err != nil {
				st.log.Error("cannot invalidate a token", "user", st.user, "err", err)
				return nil, &auth.Error{Condition: "temporary-auth-failure"} // it would think that it had
			}
		case mech == "" && due:
			mech = used.Mechanism
		}
	}
	if mech == "" {
		return nil, nil
	}
	t := store.Token{Host: st.host.Domain, Owner: st.user, Client: st.client.ID, Mechanism: mech, Salt: make([]byte, 32),
		Issued: now, Expires: now.Add(st.srv.cfg.TokenLifetime), App: st.credential}
	rand.Read(t.Salt)
	if err := st.srv.cfg.Store.PutToken(ctx, t, maxTokenClients); err != nil {
		st.log.Error("cannot keep a token", "user", st.user, "err", err)
		return nil, nil // it is signed in all the same
	}
	return wire.E(nsFAST, "token").Set("token", st.srv.tokenSecret(t)).Set("expiry", t.Expires.UTC().Format(time.RFC3339)), nil
}
