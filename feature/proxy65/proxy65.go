// Package proxy65 is a proxy for SOCKS5 bytestreams (XEP-0065): clients that cannot reach each other send files through
// it.
package proxy65

import (
	"context"
	"crypto/sha1" // the name of a stream, not a secret (section 11.4)
	"encoding/hex"
	"errors"
	"strconv"

	"parley/server"
	"parley/wire"
	"parley/wire/jid"
)

const ns = "http://jabber.org/protocol/bytestreams"

// XEPs lists what the service implements, for docs/xeps.md.
var XEPs = []server.XEP{{
	Number:  65,
	Title:   "SOCKS5 Bytestreams",
	Version: "1.8.2",
	Notes:   "the proxy, for people of the hosts, where it is configured; TCP only",
}}

// Errors of activation (section 6.3.7).
var (
	errNotConnected = server.WithText(server.ItemNotFound, "nobody is connected for this stream")
	errOneConnected = server.WithText(server.NotAllowed, "only one of the two is connected")
)

// maxSID is the longest stream id in bytes.
const maxSID = 1024

// Service is the proxy of one host: an entity on the router.
type Service struct {
	server.Service
	relay *Relay
	where func() (host string, port int)
}

// New makes the service for domain, and adds it to the router and the host's disco#items. where gives the address that
// clients connect to; port 0: the proxy does not listen.
func New(h *server.Host, domain string, relay *Relay, where func() (host string, port int)) (*Service, error) {
	s := &Service{relay: relay, where: where}
	s.Service = server.Service{
		Host:     h,
		Identity: server.Identity{Category: "proxy", Type: "bytestreams", Name: "File transfer proxy"},
		Features: []string{ns},
		Answer:   s.answer,
	}
	if err := s.Open(domain); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Service) answer(_ context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if e.Name != (wire.Name{Space: ns, Local: "query"}) {
		return nil, server.ServiceUnavailable
	}
	if st.From.Domain() != s.Host.Domain || st.From.Local() == "" {
		return nil, server.Forbidden
	}
	if st.Type == "get" {
		return s.address()
	}
	return nil, s.activate(st.From, e)
}

// address answers where the proxy is (section 4).
func (s *Service) address() (*wire.Element, error) {
	host, port := s.where()
	if port == 0 {
		return nil, server.NotAllowed
	}
	return wire.E(ns, "query",
		wire.E(ns, "streamhost").Set("host", host).Set("jid", s.JID.String()).Set("port", strconv.Itoa(port))), nil
}

// activate starts a stream (section 6.3.7). It derives the stream's name from the requester's address, so that nobody
// else can start it.
func (s *Service) activate(from jid.JID, q *wire.Element) error {
	sid, a := q.Attr("sid"), q.Child(ns, "activate")
	if a == nil || sid == "" || len(sid) > maxSID {
		return server.BadRequest
	}
	target, err := jid.Parse(a.Text())
	if err != nil {
		return server.MalformedJID
	}
	sum := sha1.Sum([]byte(sid + from.String() + target.String()))
	switch err := s.relay.Activate(hex.EncodeToString(sum[:])); {
	case errors.Is(err, ErrNobody):
		return errNotConnected
	case errors.Is(err, ErrOne):
		return errOneConnected
	case err != nil:
		return server.Internal
	}
	return nil
}
