// Package extdisco tells clients of other services (XEP-0215), such as STUN and TURN, which calls need.
package extdisco

import (
	"context"
	"strconv"
	"strings"
	"time"

	"parley/auth"
	"parley/server"
	"parley/wire"
)

const ns = "urn:xmpp:extdisco:2"

// Service is a service that clients are told of.
type Service struct {
	Type, Host, Transport string
	Port                  int
	Username, Password    string
	Secret                string // of a TURN server with time-limited credentials; Username is empty then
}

// Config says which services there are.
type Config struct {
	Services func() []Service // the services now
	// Lifetime is how long generated credentials are valid, default a day. Clients that asked for services get new ones
	// before that.
	Lifetime time.Duration
}

type extdisco struct {
	h   *server.Host
	cfg Config
}

// New makes the feature.
func New(h *server.Host, c Config) *server.Feature {
	if c.Lifetime <= 0 {
		c.Lifetime = 24 * time.Hour
	}
	x := extdisco{h, c}
	return &server.Feature{
		Name: "extdisco",
		XEP: []server.XEP{{
			Number:  215,
			Title:   "External Service Discovery",
			Version: "1.0.0",
			Notes:   "those of the configuration and the TURN server that is built in",
		}},
		Disco: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "services"}:    x.list,
			{To: server.ToHost, Type: "get", Space: ns, Local: "credentials"}: x.credentials,
		},
		Run: x.renew,
	}
}

// asked says what a client asked for, and until when its credentials are valid.
type asked struct {
	typ   string
	until time.Time
}

type askedKey struct{}

// may refuses people of other hosts: credentials cost bandwidth.
func (x extdisco) may(r *server.Request) error {
	if r.From.Domain() != x.h.Domain || r.From.Local() == "" {
		return server.Forbidden
	}
	return nil
}

func (x extdisco) list(_ context.Context, r *server.Request) (*wire.Element, error) {
	if err := x.may(r); err != nil {
		return nil, err
	}
	typ := r.Payload.Attr("type")
	e, until := x.services(typ, r.From.Local(), "")
	if r.Session != nil && !until.IsZero() {
		r.Session.SetValue(askedKey{}, asked{typ, until})
	}
	return e, nil
}

// services lists the services of a type ("": all), and gives when the first of their credentials expires; zero if none
// does.
func (x extdisco) services(typ, who, action string) (*wire.Element, time.Time) {
	e := wire.E(ns, "services").Set("type", typ)
	until := x.h.Clock.Now().Add(x.cfg.Lifetime)
	ends := false
	for _, s := range x.cfg.Services() {
		if (typ == "" || typ == s.Type) && (action == "" || s.Secret != "") {
			e.Add(s.element(who+"@"+x.h.Domain, until).Set("action", action))
			ends = ends || s.Secret != ""
		}
	}
	if !ends {
		until = time.Time{}
	}
	return e, until
}

// credentials answers for one service (section 3.3). A service without credentials is returned without any; that is not
// an error.
func (x extdisco) credentials(_ context.Context, r *server.Request) (*wire.Element, error) {
	if err := x.may(r); err != nil {
		return nil, err
	}
	q := r.Payload.Child(ns, "service")
	if q.Attr("type") == "" || q.Attr("host") == "" || len(r.Payload.Elements()) != 1 {
		return nil, server.BadRequest
	}
	e := wire.E(ns, "credentials")
	for _, s := range x.cfg.Services() {
		if s.Type == q.Attr("type") && strings.EqualFold(s.Host, q.Attr("host")) &&
			(q.Attr("port") == "" || q.Attr("port") == strconv.Itoa(s.Port)) {
			e.Add(s.element(r.From.Local()+"@"+x.h.Domain, x.h.Clock.Now().Add(x.cfg.Lifetime)))
		}
	}
	if len(e.Nodes) == 0 {
		return nil, server.ItemNotFound
	}
	return e, nil
}

// renew pushes new credentials to clients whose own expire soon (section 3.2).
func (x extdisco) renew(ctx context.Context) error {
	t := time.NewTicker(x.cfg.Lifetime / 8)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		x.h.Accounts(func(a *server.Account) bool {
			for _, s := range a.Sessions() {
				if had, ok := s.Value(askedKey{}).(asked); ok && had.until.Sub(x.h.Clock.Now()) < x.cfg.Lifetime/4 {
					x.push(s, had.typ)
				}
			}
			return ctx.Err() == nil
		})
	}
}

func (x extdisco) push(s *server.Session, typ string) {
	e, until := x.services(typ, s.JID.Local(), "modify")
	s.SetValue(askedKey{}, asked{typ, until})
	st := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: "set",
		ID:   x.h.NewID(),
		From: x.h.JID,
		To:   s.JID,
	}
	_ = s.Send(st.Add(e)) // a client that is gone asks again
}

func (s *Service) element(who string, until time.Time) *wire.Element {
	e := wire.E(ns, "service").Set("type", s.Type).Set("host", s.Host).Set("transport", s.Transport)
	if s.Port > 0 {
		e.Set("port", strconv.Itoa(s.Port))
	}
	switch {
	case s.Secret != "":
		name, password := auth.RelayCredentials(s.Secret, who, until)
		e.Set("username", name).Set("password", password).Set("expires", until.UTC().Format(time.RFC3339)).
			Set("restricted", "true")
	case s.Username != "":
		e.Set("username", s.Username).Set("password", s.Password).Set("restricted", "true")
	}
	return e
}
