package server

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"mellium.im/xmpp/stanza"

	"parley/wire"
	"parley/wire/jid"
)

var errConflict = stanza.Error{Type: stanza.Modify, Condition: stanza.Conflict}

func (h *Host) receiveIQ(ctx context.Context, st *wire.Stanza) error {
	if err := checkIQ(st); err != nil {
		return err
	}
	if st.To.Local() == "" {
		return h.hostIQ(ctx, nil, st)
	}
	if st.To.IsBare() {
		return h.accountIQ(ctx, nil, st, st.To.Local())
	}
	p := &Pass{Host: h, Account: st.To.Local(), Stanza: st}
	if err := h.run(ctx, ReceivedCheck, p); err != nil {
		return err
	}
	s := h.Account(st.To.Local()).Session(st.To.Resource())
	if s == nil || !h.give(ctx, p, s) {
		return ServiceUnavailable // RFC 6121, section 8.5.3.2.3; a result or an error gets no answer
	}
	return nil
}

func (h *Host) hostIQ(ctx context.Context, s *Session, st *wire.Stanza) error {
	if st.Type == "result" || st.Type == "error" {
		h.answered(st)
		return nil
	}
	return h.answer(ctx, &Request{Host: h, Session: s, From: st.From, Stanza: st}, ToHost)
}

func (h *Host) accountIQ(ctx context.Context, s *Session, st *wire.Stanza, name string) error {
	if st.Type == "result" || st.Type == "error" {
		h.answered(st)
		return nil
	}
	r := &Request{Host: h, Session: s, From: st.From, Account: name, Stanza: st}
	if !r.Self() {
		// The answer must not tell strangers whether the account exists (RFC 6120, section 8.5.1).
		if ok, err := h.Exists(ctx, name); err != nil {
			return err
		} else if !ok {
			return h.nobody(ctx, r)
		}
		if err := h.run(ctx, ReceivedCheck, &Pass{Host: h, Account: name, Stanza: st}); err != nil {
			return err
		}
	} else if r.Session == nil {
		r.Session = h.Account(name).Session(st.From.Resource())
	}
	err := h.answer(ctx, r, ToAccount)
	if err == nil || r.Self() || errors.Is(err, ErrReplied) || errors.Is(err, ErrHandled) {
		return err
	}
	// A feature's own error must not tell them either.
	known, fault := h.knownTo(ctx, name, st.From.Bare())
	if fault != nil {
		return fault
	}
	if known {
		return err
	}
	return h.nobody(ctx, r)
}

// errUnseen is the answer of a node to somebody who may not see the presence of its account.
var errUnseen = &AppError{Stanza: stanza.Error{Type: stanza.Auth, Condition: stanza.NotAuthorized},
	App: wire.E("http://jabber.org/protocol/pubsub#errors", "presence-subscription-required")}

// knownTo reports whether somebody already knows that an account exists: the account shows them its presence, or
// admitted them to one of its nodes.
func (h *Host) knownTo(ctx context.Context, name string, who jid.JID) (bool, error) {
	cs, err := h.Contacts(ctx, name)
	if err != nil || cs.SubscribedFrom(who) {
		return err == nil, err
	}
	roles, err := h.Store.NodeRoles(ctx, h.Domain, name, who.String())
	for _, r := range roles {
		if r.Affiliation != "outcast" {
			return true, nil
		}
	}
	if err != nil {
		return false, err
	}
	subs, err := h.Store.SubscriptionsOf(ctx, h.Domain, name, who.String())
	return len(subs) > 0, err
}

// nobody answers for an account that does not exist, exactly like an account that shows nothing to the asker.
func (h *Host) nobody(ctx context.Context, r *Request) error {
	switch n := r.Stanza.Children[0].Name; n.Space {
	case wire.NSDiscoItems: // XEP-0030, section 8
		if e := r.Stanza.Element(n.Space, "query"); e != nil && r.Stanza.Type == "get" {
			h.Router.Send(ctx, r.Stanza.Reply().Add(ItemsElement(e.Attr("node"), nil)))
			return nil
		}
	case wire.NSPubSub, wire.NSPubSub + "#owner":
		// XEP-0060, section 6.1.3.2: like a node for those who see the presence
		return errUnseen
	case "vcard-temp": // XEP-0054, section 3.2
		if r.Stanza.Type == "set" {
			return Forbidden
		}
	case "jabber:iq:private", wire.NSRoster, wire.NSMAM, "jabber:iq:last":
		// RFC 6121, section 2.3.3; XEP-0313, section 8; XEP-0012, section 3
		return Forbidden
	}
	return ServiceUnavailable
}

// answer finds the feature that answers a request, and sends the result. The caller reports errors.
func (h *Host) answer(ctx context.Context, r *Request, to Target) error {
	name := r.Stanza.Children[0].Name
	q := Query{to, r.Stanza.Type, name.Space, name.Local}
	fn, ok := h.iq[q]
	if r.Self() { // handlers for the account's own clients come first
		q.To = ToSelf
		if own, has := h.iq[q]; has {
			fn, ok = own, true
		}
	}
	if !ok {
		return ServiceUnavailable
	}
	r.Payload = r.Stanza.Element(name.Space, name.Local)
	if r.Payload == nil {
		return BadRequest
	}
	e, err := fn.do(ctx, r)
	if errors.Is(err, ErrReplied) {
		return nil
	}
	if err != nil {
		return err
	}
	reply := r.Stanza.Reply()
	if e != nil {
		reply.Add(e)
	}
	if r.Session != nil {
		_ = r.Session.SendTo(reply, r.From)
		return nil
	}
	h.Router.Send(ctx, reply)
	return nil
}

// asks holds the host's own requests that wait for answers.
type asks struct {
	mu sync.Mutex
	m  map[askKey]chan *wire.Stanza
}

type askKey struct {
	id   string
	from jid.JID
}

// answer takes an answer. It returns false if nobody waits for it.
func (a *asks) answer(st *wire.Stanza) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	k := askKey{st.ID, st.From}
	c, ok := a.m[k]
	if ok {
		delete(a.m, k)
		c <- st // the channel has room for one
	}
	return ok
}

// answered takes an answer to a request of the host, which another node may have sent.
func (h *Host) answered(st *wire.Stanza) {
	if !h.asks.answer(st) && h.Others != nil && strings.HasPrefix(st.ID, idPrefix) {
		h.Others.Answered(h, st)
	}
}

// ErrNoAnswer is the error of Ask when no answer came in time.
var ErrNoAnswer = errors.New("server: no answer")

// Ask sends a request and waits for its answer, no longer than timeout. The caller sets `to`; Ask sets `from` and `id`.
// It returns an answer of type error like any other. Never call it from the goroutine of a stream or a room.
func (h *Host) Ask(ctx context.Context, st *wire.Stanza, timeout time.Duration) (*wire.Stanza, error) {
	if st.From.IsZero() {
		st.From = h.JID
	}
	st.ID = h.NewID()
	c := make(chan *wire.Stanza, 1)
	k := askKey{st.ID, st.To}
	h.asks.mu.Lock()
	if h.asks.m == nil {
		h.asks.m = make(map[askKey]chan *wire.Stanza)
	}
	h.asks.m[k] = c
	h.asks.mu.Unlock()
	defer func() {
		h.asks.mu.Lock()
		delete(h.asks.m, k)
		h.asks.mu.Unlock()
	}()
	if err := h.Router.Route(ctx, st); err != nil {
		return nil, err
	}
	t := time.NewTimer(timeout)
	defer t.Stop()
	select {
	case r := <-c:
		return r, nil
	case <-t.C:
		return nil, ErrNoAnswer
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
