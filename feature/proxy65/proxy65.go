// Package proxy65 is a proxy for SOCKS5 bytestreams (XEP-0065): clients that cannot reach each other send files through it.
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

// XEPs is what the service implements, for docs/xeps.md.
var XEPs = []server.XEP{{Number: 65, Title: "SOCKS5 Bytestreams", Version: "1.8.2", Notes: "the proxy, for people of the hosts, where it is configured; TCP only"}}

// Errors of activation (section 6.3.7).
var (
	errNotConnected = server.WithText(server.ItemNotFound, "nobody is connected for this stream")
	errOneConnected = server.WithText(server.NotAllowed, "only one of the two is connected")
)

// maxSID is the longest stream id in bytes.
const maxSID = 1024

// Service is the proxy as people of one host see it: an entity on the router.
type Service struct {
	h     *server.Host
	jid   jid.JID
	relay *Relay
	where func() (host string, port int)
}

// New makes it for domain, puts it on the router and into the host's disco#items. where gives what clients are told to
// connect to; port 0: it does not listen.
func New(h *server.Host, domain string, relay *Relay, where func() (host string, port int)) (*Service, error) {
	j, err := jid.New("", domain, "")
	if err != nil {
		return nil, err
	}
	s := &Service{h: h, jid: j, relay: relay, where: where}
	if err := h.Router.Add(domain, s); err != nil {
		return nil, err
	}
	h.AddItem(server.Item{JID: j, Name: name})
	return s, nil
}

const name = "File transfer proxy"

// Receive answers what is sent to the service.
func (s *Service) Receive(ctx context.Context, st *wire.Stanza) error {
	if st.Kind != wire.IQ {
		if st.Kind == wire.Message && st.Type != "error" && st.Type != "headline" {
			return server.ServiceUnavailable
		}
		return nil
	}
	if st.Type != "get" && st.Type != "set" {
		return nil
	}
	if len(st.Children) != 1 || st.ID == "" {
		return server.BadRequest
	}
	n := st.Children[0].Name
	e := st.Element(n.Space, n.Local)
	if e == nil {
		return server.BadRequest
	}
	answer, err := s.serve(st, e)
	if err != nil {
		return err
	}
	r := st.Reply()
	if answer != nil {
		r.Add(answer)
	}
	s.h.Router.Send(ctx, r)
	return nil
}

func (s *Service) serve(st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if st.To != s.jid {
		return nil, server.ServiceUnavailable
	}
	switch st.Type + " " + e.Name.Space + " " + e.Name.Local {
	case "get " + wire.NSDiscoInfo + " query":
		if e.Attr("node") != "" {
			return nil, server.ItemNotFound
		}
		return server.Info{Identities: []server.Identity{{Category: "proxy", Type: "bytestreams", Name: name}},
			Features: []string{wire.NSDiscoInfo, wire.NSDiscoItems, ns, "urn:xmpp:ping"}}.Element(""), nil
	case "get " + wire.NSDiscoItems + " query":
		return server.ItemsElement(e.Attr("node"), nil), nil
	case "get urn:xmpp:ping ping":
		return nil, nil
	case "get " + ns + " query", "set " + ns + " query":
		if st.From.Domain() != s.h.Domain || st.From.Local() == "" {
			return nil, server.Forbidden
		}
		if st.Type == "get" {
			return s.address()
		}
		return nil, s.activate(st.From, e)
	}
	return nil, server.ServiceUnavailable
}

// address is section 4: where the proxy is.
func (s *Service) address() (*wire.Element, error) {
	host, port := s.where()
	if port == 0 {
		return nil, server.NotAllowed
	}
	return wire.E(ns, "query", wire.E(ns, "streamhost").Set("host", host).Set("jid", s.jid.String()).Set("port", strconv.Itoa(port))), nil
}

// activate is section 6.3.7: what the requester says is made into the name that both have connected with, so that nobody
// else starts a stream.
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
