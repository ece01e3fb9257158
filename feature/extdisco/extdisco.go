// Package extdisco tells clients of servers of other protocols (XEP-0215): STUN and TURN, without which calls do not get
// through.
package extdisco

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"

	"parley/server"
	"parley/wire"
)

const ns = "urn:xmpp:extdisco:2"

// ttl is how long credentials made of a secret are good.
const ttl = 24 * time.Hour

// Service is one that clients are told of.
type Service struct {
	Type, Host, Transport string
	Port                  int
	Username, Password    string
	Secret                string // of a TURN server that takes time-limited credentials; then no Username
}

type extdisco struct {
	h        *server.Host
	services []Service
}

// New makes the feature.
func New(h *server.Host, services []Service) *server.Feature {
	x := extdisco{h, services}
	return &server.Feature{
		Name:  "extdisco",
		XEP:   []server.XEP{{Number: 215, Title: "External Service Discovery", Version: "1.0.0", Notes: "from the configuration"}},
		Disco: []string{ns},
		IQ: map[server.Query]server.IQFunc{
			{To: server.ToHost, Type: "get", Space: ns, Local: "services"}:    x.list,
			{To: server.ToHost, Type: "get", Space: ns, Local: "credentials"}: x.credentials,
		},
	}
}

// may: credentials cost bandwidth; they are for people of this host.
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
	e := wire.E(ns, "services").Set("type", typ)
	for _, s := range x.services {
		if typ == "" || typ == s.Type {
			e.Add(s.element(r.From.Local()))
		}
	}
	return e, nil
}

// credentials are for one service (section 3.4).
func (x extdisco) credentials(_ context.Context, r *server.Request) (*wire.Element, error) {
	if err := x.may(r); err != nil {
		return nil, err
	}
	q := r.Payload.Child(ns, "service")
	if q.Attr("type") == "" || q.Attr("host") == "" {
		return nil, server.BadRequest
	}
	e := wire.E(ns, "credentials")
	for _, s := range x.services {
		if s.Type == q.Attr("type") && s.Host == q.Attr("host") && (q.Attr("port") == "" || q.Attr("port") == strconv.Itoa(s.Port)) {
			e.Add(s.element(r.From.Local()))
		}
	}
	if len(e.Nodes) == 0 {
		return nil, server.ItemNotFound
	}
	return e, nil
}

func (s *Service) element(who string) *wire.Element {
	e := wire.E(ns, "service").Set("type", s.Type).Set("host", s.Host).Set("transport", s.Transport)
	if s.Port > 0 {
		e.Set("port", strconv.Itoa(s.Port))
	}
	switch {
	case s.Secret != "":
		until := time.Now().Add(ttl)
		name := strconv.FormatInt(until.Unix(), 10) + ":" + who
		m := hmac.New(sha1.New, []byte(s.Secret))
		m.Write([]byte(name))
		e.Set("username", name).Set("password", base64.StdEncoding.EncodeToString(m.Sum(nil))).
			Set("expires", until.UTC().Format(time.RFC3339)).Set("restricted", "true")
	case s.Username != "":
		e.Set("username", s.Username).Set("password", s.Password).Set("restricted", "true")
	}
	return e
}
