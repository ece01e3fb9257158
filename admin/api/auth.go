package api

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"parley/acts"
	"parley/auth"
	"parley/internal/door"
	"parley/internal/fault"
	"parley/people"
	"parley/store"
	"parley/webchat"
	"parley/wire/jid"
)

// caller asks the API: a person, or the operator of the machine.
type caller struct {
	p     *people.People // the host that the request is about
	me    store.Person   // zero for the operator
	actor people.Actor
	any   bool // the operator has named no host

	credential webchat.Credential          // what the person has signed in with
	say        func(f *fault.Error) string // nil: in English
}

// said gives a refusal in the caller's language.
func (c caller) said(f *fault.Error) string {
	if c.say == nil {
		return f.Error()
	}
	return c.say(f)
}

type callerKey struct{}

func who(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

func (c caller) host() string { return c.p.Host() }

// hosts gives the hosts for an operation on the whole deployment: the host that the request names, or all hosts.
func (c caller) hosts(s *Server) []*people.People {
	if c.any {
		return s.People
	}
	return []*people.People{c.p}
}

// self is the caller's address; zero of the operator.
func (c caller) self() jid.JID { return c.actor.Who }

// addressOf reads the address of a person. A name without a domain is an account of the caller's host.
func (c caller) addressOf(field, address string) (jid.JID, error) {
	if !strings.Contains(address, "@") {
		address += "@" + c.host()
	}
	j, err := jid.Parse(address)
	if err != nil || j.Local() == "" {
		return jid.JID{}, invalid(field, "{{.Address}} is not the address of a person", "Address", address)
	}
	return j.Bare(), nil
}

const (
	touchEvery = time.Minute // how exactly it is known when a token was last used
	serverFail = "the server failed: its log says why"
)

// authorize finds out whose token it is, and whether it has the operation's scope.
func (s *Server) authorize(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		hc.SetHeader("Cache-Control", "no-store")
		r, w := humago.Unwrap(hc)
		refuse := func(status int, text string) { _ = huma.WriteErr(a, hc, status, text) }
		if b, done := s.byCookie(a, hc, r, w); done {
			return
		} else if b != nil {
			door.Allow(r.Context(), requestTime, requestTime)
			next(huma.WithValue(hc, callerKey{},
				caller{p: b.People, me: b.Me, actor: b.Actor, credential: b.Credential, say: b.Say}))
			return
		}
		token, _ := strings.CutPrefix(hc.Header("Authorization"), "Bearer ")
		me, have, err := s.byToken(hc.Context(), token)
		if err != nil {
			door.Failed(hc.Context(), s.Log, "api", "err", err)
			refuse(http.StatusInternalServerError, serverFail)
			return
		}
		if me == nil {
			s.stranger(a, hc, token)
			return
		}
		p := s.host(me.Host)
		if needs, err := p.NeedsFactor(hc.Context(), *me); err != nil {
			door.Failed(hc.Context(), s.Log, "api", "err", err)
			refuse(http.StatusInternalServerError, serverFail)
			return
		} else if needs {
			refuse(http.StatusForbidden, "your role needs the second step: set it up at "+p.URL()+"/me/security")
			return
		}
		for _, need := range hc.Operation().Security {
			for _, scope := range need["token"] {
				if !slices.Contains(have, scope) {
					refuse(http.StatusForbidden, "this token lacks the scope "+scope)
					return
				}
			}
		}
		door.Allow(r.Context(), requestTime, requestTime)
		remote := ""
		if from := remoteOf(r); from.IsValid() {
			remote = from.String()
		}
		next(huma.WithValue(hc, callerKey{}, caller{
			p:     p,
			me:    *me,
			actor: people.As(*me, acts.API, remote),
			credential: webchat.Credential{
				ID:      people.HashToken(token),
				Remote:  remote,
				Agent:   r.UserAgent(),
				Program: true,
			},
		}))
	}
}

// stranger refuses a request that has no valid token.
func (s *Server) stranger(a huma.API, hc huma.Context, token string) {
	if token != "" {
		r, _ := humago.Unwrap(hc)
		from := remoteOf(r)
		s.Failures.Note(from, "api", "no such token", "")
		if ok, wait := s.Throttle.Wrong(from, auth.APIToken); !ok {
			hc.SetHeader("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
			_ = huma.WriteErr(a, hc, http.StatusTooManyRequests, "too many attempts with wrong tokens")
			return
		}
	}
	hc.SetHeader("WWW-Authenticate", "Bearer")
	_ = huma.WriteErr(a, hc, http.StatusUnauthorized, "a token is needed")
}

// remoteOf returns the address that a request comes from; it is not valid if there is none.
func remoteOf(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// byToken returns a token's owner and scopes; nil if the token is not valid.
func (s *Server) byToken(ctx context.Context, token string) (*store.Person, []string, error) {
	if !strings.HasPrefix(token, people.TokenPrefix) || len(token) > 100 {
		return nil, nil, nil
	}
	now, hash := s.Clock.Now().UTC(), people.HashToken(token)
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

// HostHeader names the host that an operation on the control socket is about. Clients leave it out if the deployment
// has only one host, or for an operation on the whole deployment.
const HostHeader = "Parley-Host"

const anyHostKey = "any host"

// operate makes the operator of the machine the caller.
func (s *Server) operate(a huma.API) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		name := hc.Header(HostHeader)
		p, err := s.operated(name, hc.Operation().Metadata[anyHostKey] != nil)
		if err != nil {
			s.refuse(a, hc, err)
			return
		}
		next(huma.WithValue(hc, callerKey{}, caller{p: p, actor: acts.Operator, any: name == ""}))
		if hc.Method() != http.MethodGet { // without the request's body
			s.Log.Info("control", "do", hc.Operation().OperationID, "host", p.Host(), "status", hc.Status())
		}
	}
}

// operated finds the host that the operator means; with any, all hosts if the request names none.
func (s *Server) operated(name string, any bool) (*people.People, error) {
	if name == "" {
		if len(s.People) == 1 || any {
			return s.People[0], nil
		}
		return nil, invalid("host",
			"several domains are hosted here: name one, like alice@{{.Host}} or --host {{.Host}}",
			"Host", s.People[0].Host())
	}
	j, err := jid.Parse(name)
	if err != nil {
		return nil, invalid("host", "{{.Host}} is not a domain", "Host", strconv.Quote(name))
	}
	if p := s.host(j.Domain()); p != nil {
		return p, nil
	}
	var have []string
	for _, p := range s.People {
		have = append(have, p.Host())
	}
	return nil, missing("host", "{{.Host}} is not hosted here: the hosted domains are {{.Hosts}}", "Host", j.Domain(),
		"Hosts", strings.Join(have, ", "))
}
