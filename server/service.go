package server

import (
	"context"
	"slices"

	"parley/wire"
	"parley/wire/jid"
)

// Service is an entity with a domain of its own that only answers requests, such as upload.<host>. It answers disco and
// ping itself.
type Service struct {
	Host     *Host
	JID      jid.JID // set by Open
	Identity Identity
	Features []string        // besides those of every service
	Forms    []*wire.Element // in its disco#info (XEP-0128)
	// Answer answers every other request to the service. Nil without an error is an empty result.
	Answer func(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error)
}

// Open puts the service on the router and into the host's disco#items. It fails if the domain is taken.
func (s *Service) Open(domain string) (err error) {
	if s.JID, err = jid.New("", domain, ""); err != nil {
		return err
	}
	if err := s.Host.Router.Add(domain, s); err != nil {
		return err
	}
	s.Host.AddItem(Item{JID: s.JID, Name: s.Identity.Name})
	return nil
}

// Receive takes a stanza to the service. An address with a localpart or resource does not exist here.
func (s *Service) Receive(ctx context.Context, st *wire.Stanza) error {
	switch {
	case st.Kind == wire.IQ:
		return AnswerIQ(ctx, s.Host.Router, st, s.serve)
	case st.Kind == wire.Message && st.Type != "error" && st.Type != "headline":
		return ServiceUnavailable
	}
	return nil
}

func (s *Service) serve(ctx context.Context, st *wire.Stanza, e *wire.Element) (*wire.Element, error) {
	if st.To != s.JID {
		return nil, ServiceUnavailable
	}
	switch st.Type + " " + e.Name.Space + " " + e.Name.Local {
	case "get " + wire.NSDiscoInfo + " query":
		if e.Attr("node") != "" {
			return nil, ItemNotFound
		}
		return Info{
			Identities: []Identity{s.Identity},
			Features:   slices.Concat([]string{wire.NSDiscoInfo, wire.NSDiscoItems, "urn:xmpp:ping"}, s.Features),
			Forms:      s.Forms,
		}.Element(""), nil
	case "get " + wire.NSDiscoItems + " query":
		if e.Attr("node") != "" {
			return nil, ItemNotFound
		}
		return ItemsElement("", nil), nil
	case "get urn:xmpp:ping ping":
		return nil, nil
	}
	return s.Answer(ctx, st, e)
}

// AnswerIQ passes a request's payload to answer and sends the result; it drops everything that is no request. A request
// without an id or with more than one payload gets bad-request (RFC 6120, section 8.2.3).
func AnswerIQ(ctx context.Context, r *Router, st *wire.Stanza,
	answer func(context.Context, *wire.Stanza, *wire.Element) (*wire.Element, error)) error {
	if st.Type != "get" && st.Type != "set" {
		return nil
	}
	if len(st.Children) != 1 || st.ID == "" {
		return BadRequest
	}
	name := st.Children[0].Name
	e := st.Element(name.Space, name.Local)
	if e == nil {
		return BadRequest
	}
	result, err := answer(ctx, st, e)
	if err != nil {
		return err
	}
	reply := st.Reply()
	if result != nil {
		reply.Add(result)
	}
	r.Send(ctx, reply)
	return nil
}
