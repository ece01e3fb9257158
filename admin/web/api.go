package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/admin"
	"parley/org"
	"parley/people"
	"parley/store"
	"parley/wire/jid"
)

// caller is who asks the API.
type caller struct {
	p     *people.People
	me    store.Person
	actor people.Actor
}

type callerKey struct{}

func who(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func (c caller) self() jid.JID {
	j, err := jid.New(c.me.Name, c.me.Host, "")
	if err != nil { // it is kept as it is
		return jid.JID{}
	}
	return j
}

// api serves JSON below /api, with its description in OpenAPI 3.1 at /api/openapi.json. There are no pages for it: those that
// come with huma load from elsewhere.
func (s *Server) api() {
	cfg := huma.DefaultConfig("parley", "1")
	cfg.Info.Description = "People, groups and what is said in them. Tokens are made on the page of one's own tokens, /me/tokens."
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath, cfg.CreateHooks = "/api/openapi", "", "", nil
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}}
	a := humago.New(s.mux, cfg)
	a.UseMiddleware(s.authorize(a))
	s.apiPeople(a)
	s.apiInvitations(a)
	s.apiGroups(a)
	s.apiTeams(a)
	s.apiShares(a)
	s.apiWebhooks(a)
	s.apiFederation(a)
	s.apiSystem(a)
	s.apiTokens(a)
}

// authorize finds out whose token it is, and whether it has the operation's scope.
func (s *Server) authorize(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		hc.SetHeader("Cache-Control", "no-store")
		r, _ := humago.Unwrap(hc)
		c := s.begin(nil, r)
		refuse := func(status int, text string) { _ = huma.WriteErr(a, hc, status, text) }
		if ok, _ := s.Throttle.Allow(c.addr(), ""); !ok {
			refuse(http.StatusTooManyRequests, "too many attempts with tokens that are none")
			return
		}
		token, _ := strings.CutPrefix(hc.Header("Authorization"), "Bearer ")
		me, have, err := s.byToken(hc.Context(), token)
		if err != nil {
			s.Log.Error("api", "err", err)
			refuse(http.StatusInternalServerError, "the server failed: its log says why")
			return
		}
		if me == nil {
			if token != "" {
				s.Throttle.Failed(c.addr(), "")
			}
			hc.SetHeader("WWW-Authenticate", "Bearer")
			refuse(http.StatusUnauthorized, "a token is needed")
			return
		}
		if needs, err := s.people(me.Host).NeedsFactor(hc.Context(), *me); err != nil {
			s.Log.Error("api", "err", err)
			refuse(http.StatusInternalServerError, "the server failed: its log says why")
			return
		} else if needs {
			refuse(http.StatusForbidden, "your role needs the second step: set it up at "+s.people(me.Host).URL()+"/me/security")
			return
		}
		for _, need := range hc.Operation().Security {
			for _, scope := range need["token"] {
				if !slices.Contains(have, scope) {
					refuse(http.StatusForbidden, "this token has not the scope "+scope)
					return
				}
			}
		}
		next(huma.WithValue(hc, callerKey{}, caller{s.people(me.Host), *me, people.As(*me, c.remote())}))
	}
}

// byToken gives a token's owner and its scopes; nil if it is none that is good.
func (s *Server) byToken(ctx context.Context, token string) (*store.Person, []string, error) {
	if !strings.HasPrefix(token, people.TokenPrefix) || len(token) > 100 {
		return nil, nil, nil
	}
	now, hash := time.Now().UTC(), people.HashToken(token)
	for _, p := range s.People {
		t, err := s.Store.APIToken(ctx, p.Host(), hash, now)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		u, err := s.Store.Person(ctx, t.Host, t.Owner)
		if errors.Is(err, store.ErrNotFound) || err == nil && u.State() != store.StateActive {
			return nil, nil, nil
		}
		if err == nil && now.Sub(t.Used) > touchEvery {
			err = s.Store.UseAPIToken(ctx, t.Host, t.Hash, now)
		}
		return &u, strings.Fields(t.Scopes), err
	}
	return nil, nil, nil
}

// operation describes one, with the scope it needs.
func operation(id, method, path, scope, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Security: []map[string][]string{{"token": {scope}}},
		Errors: []int{401, 403, 404, 409, 422, 429}}
}

// apiError turns mistakes of who asked into answers; the rest is ours.
func (s *Server) apiError(err error) error {
	var pe *people.Error
	var oe *org.Error
	var ae *admin.Error
	var dead *people.Dead
	kind, field := org.Kind(0), ""
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pe):
		kind, field = pe.Kind, pe.Field
	case errors.As(err, &oe):
		kind, field = oe.Kind, oe.Field
	case errors.As(err, &ae):
		return huma.NewError(ae.Status, ae.Text)
	case errors.As(err, &dead), errors.Is(err, store.ErrNotFound):
		return huma.Error404NotFound("there is no such thing")
	default:
		s.Log.Error("api", "err", err)
		return huma.Error500InternalServerError("the server failed: its log says why")
	}
	status := map[org.Kind]int{org.NotFound: 404, org.Exists: 409, org.Forbidden: 403}[kind]
	if status == 0 {
		status = 422
	}
	if field != "" {
		return huma.NewError(status, err.Error(), &huma.ErrorDetail{Message: err.Error(), Location: "body." + field})
	}
	return huma.NewError(status, err.Error())
}

// body is an answer with a value.
type body[T any] struct{ Body T }

// The page of one's tokens.

func (s *Server) tokens() {
	s.handle("GET /me/tokens", member, (*ctx).tokenPage)
	s.handle("POST /me/tokens", member, (*ctx).makeToken)
	s.handle("POST /me/tokens/revoke", member, (*ctx).revokeToken)
}

func (c *ctx) tokenData() (map[string]any, error) {
	ts, err := c.s.Store.APITokensOf(c.r.Context(), c.host(), c.Me.Name)
	return map[string]any{"Tokens": ts, "Scopes": people.Scopes}, err
}

func (c *ctx) tokenPage() error {
	d, err := c.tokenData()
	if err != nil {
		return err
	}
	return c.show("tokens", c.T("API tokens"), d)
}

// makeToken shows the token in the answer itself: this once.
func (c *ctx) makeToken() error {
	if err := c.r.ParseForm(); err != nil {
		return badForm
	}
	refuse := func(err error) error {
		d, derr := c.tokenData()
		if derr != nil {
			return derr
		}
		text, field, ok := c.explain(err)
		if !ok {
			return err
		}
		d["Error"], d["Field"] = text, field
		return c.page(http.StatusUnprocessableEntity, "tokens", c.T("API tokens"), d)
	}
	keep, ok := map[string]time.Duration{"30": 30 * 24 * time.Hour, "90": 90 * 24 * time.Hour, "365": 365 * 24 * time.Hour}[c.form("days")]
	if !ok {
		return badForm
	}
	token, _, err := c.P.CreateToken(c.r.Context(), c.Actor, c.Me.Name, c.form("name"), c.r.Form["scope"], keep)
	if err != nil {
		return refuse(err)
	}
	d, err := c.tokenData()
	if err != nil {
		return err
	}
	d["Made"] = token
	return c.show("tokens", c.T("API tokens"), d)
}

func (c *ctx) revokeToken() error {
	if err := c.P.RevokeToken(c.r.Context(), c.Actor, c.Me.Name, c.form("token")); err != nil {
		return c.oops("/me/tokens", err)
	}
	return c.done("/me/tokens", "The token is no good any more")
}
