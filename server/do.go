package server

import (
	"context"

	"parley/wire"
	"parley/wire/jid"
)

// Do sends a request in the name of an account, as a client of its owner would, and returns the payload of the answer.
// The rules and limits for clients hold here too. Errors are those that the client would get.
func (h *Host) Do(ctx context.Context, account, typ string, payload *wire.Element) (*wire.Element, error) {
	self, err := jid.New(account, h.Domain, "")
	if err != nil {
		return nil, err
	}
	q := Query{ToSelf, typ, payload.Name.Space, payload.Name.Local}
	fn, ok := h.iq[q]
	if !ok {
		q.To = ToAccount
		if fn, ok = h.iq[q]; !ok {
			return nil, ServiceUnavailable
		}
	}
	st := &wire.Stanza{
		Kind: wire.IQ,
		Name: wire.Name{Space: wire.NSClient, Local: "iq"},
		Type: typ,
		ID:   h.NewID(),
		From: self,
		To:   self,
	}
	st.Add(payload)
	if payload = st.Element(payload.Name.Space, payload.Name.Local); payload == nil { // larger than an element may be
		return nil, NotAcceptable
	}
	return fn.do(ctx, &Request{Host: h, From: self, Account: account, Stanza: st, Payload: payload})
}
