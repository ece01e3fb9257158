package server

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"parley/wire"
	"parley/wire/jid"
)

// sentPresence sorts a client's presence: to everyone, to one address, or about a subscription (RFC 6121, sections 3
// and 4).
func (h *Host) sentPresence(ctx context.Context, s *Session, st *wire.Stanza) error {
	p := &Pass{Host: h, Account: s.JID.Local(), Sent: true, Session: s, Stanza: st}
	switch st.Type {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		if st.To.IsZero() {
			return BadRequest
		}
		// RFC 6121, section 3.1.2: from the bare address, to the bare address.
		st.To, st.From = st.To.Bare(), s.JID.Bare()
		if err := h.run(ctx, SentCheck, p); err != nil {
			return err
		}
		return h.run(ctx, Subscribing, p)
	case "", "unavailable":
		if !st.To.IsZero() {
			return h.sendDirected(ctx, p)
		}
		begins := s.begins(st)
		err := h.announce(ctx, p)
		if begins && isFailure(err) {
			// Others may not know that the client is here, and what waits for it may not have been read. Clients do not
			// send their presence again for an error, but all of them connect again.
			s.Close(&wire.StreamError{Condition: "internal-server-error", Text: "you could not be made available"})
		}
		return err
	case "probe", "error":
		if st.To.IsZero() {
			return ErrHandled
		}
		if st.Type == "probe" { // only servers probe (RFC 6121, section 4.3)
			return ErrHandled
		}
		return h.Router.Route(ctx, st)
	}
	return BadRequest
}

// begins says whether a presence makes the session available, or makes it take messages, which it did not before.
func (s *Session) begins(st *wire.Stanza) bool {
	if st.Type != "" {
		return false
	}
	was, before := s.Presence()
	now, err := priority(st)
	return was == nil || err == nil && before < 0 && now >= 0
}

func (h *Host) sendDirected(ctx context.Context, p *Pass) error {
	st := p.Stanza
	for _, stage := range [...]Stage{SentCheck, SentStamp} {
		if err := h.run(ctx, stage, p); err != nil {
			return err
		}
	}
	// RFC 6121, section 4.6.3: when the session ends, everyone who got directed presence learns of it.
	if !p.Session.direct(p.Stanza.To, p.Stanza.Type == "") {
		return PolicyViolation
	}
	p.receipt(st)
	return h.Router.Route(ctx, p.Stanza)
}

func (h *Host) announce(ctx context.Context, p *Pass) error {
	prio, err := priority(p.Stanza)
	if err != nil {
		return err
	}
	for _, stage := range [...]Stage{SentCheck, SentStamp} {
		if err := h.run(ctx, stage, p); err != nil {
			return err
		}
	}
	if p.Stanza.Type == "unavailable" {
		p.Was = p.Session.setPresence(nil, 0)
		p.Session.announce(false)
		if err := h.run(ctx, Announce, p); err != nil {
			return err
		}
		if p.Was != nil { // RFC 6121, section 4.5.2: also to the resource that sent it
			_ = p.Session.SendTo(p.Stanza, p.Session.JID.Bare())
		}
		h.undirect(ctx, p.Session, p.Stanza)
		return nil
	}
	if err := h.arrive(ctx, p, prio); err != nil {
		return err
	}
	if p.Stanza.Has(wire.NSCaps, "c") {
		h.learn(ctx, p.Session, p.Stanza)
	}
	return nil
}

// arrive makes the session take the messages that its priority allows, beginning with those that waited. Later work,
// such as items of its contacts' nodes, delays no message.
func (h *Host) arrive(ctx context.Context, p *Pass, prio int8) error {
	if pr, was := p.Session.Presence(); prio >= 0 && (pr == nil || was < 0) {
		within, over := p.Session.arrives(ctx)
		defer over()
		ctx = within
	}
	_, before := p.Session.Presence()
	p.Was = p.Session.setPresence(p.Stanza, prio)
	p.Initial = p.Was == nil
	// Other nodes keep for later what no client takes: they have to know before what waits is read.
	p.Session.announce(p.Initial || before < 0)
	err := h.run(ctx, Announce, p)
	if p.Session.closed.Load() { // it has ended meanwhile, and others may have heard of that first
		h.gone(context.WithoutCancel(ctx), p.Session, p.Stanza)
	}
	return errors.Join(err, h.run(ctx, Arrival, p))
}

// priority reads <priority/> (RFC 6121, section 4.7.2.3).
func priority(st *wire.Stanza) (int8, error) {
	c, ok := st.Child(wire.NSClient, "priority")
	if !ok {
		return 0, nil
	}
	e, err := wire.ParseElement(st.Raw(c), wire.NSClient)
	if err != nil {
		return 0, BadRequest
	}
	text := strings.TrimSpace(e.Text())
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 8)
	if err != nil {
		return 0, BadRequest
	}
	return int8(n), nil
}

// withdraw sends unavailable presence for an ending session to everyone who saw it. was is the presence that it had;
// nil if it was unavailable. It returns false if it could not tell everyone.
func (h *Host) withdraw(ctx context.Context, s *Session, was *wire.Stanza) (all bool) {
	all = was == nil || h.gone(ctx, s, was)
	h.undirect(ctx, s, unavailable(s))
	return all
}

// gone tells everyone who sees presence of a session that it is over, unless another session with the same address has
// become available meanwhile. It returns false if it could not tell everyone.
func (h *Host) gone(ctx context.Context, s *Session, was *wire.Stanza) bool {
	st := unavailable(s)
	p := &Pass{Host: h, Account: s.JID.Local(), Sent: true, Session: s, Stanza: st, Was: was}
	err := h.surely(func() error {
		if now := h.Account(p.Account).Session(s.JID.Resource()); now != nil && now != s && now.Available() {
			return nil
		}
		return h.run(ctx, Announce, p)
	})
	h.logFault(ctx, st, err)
	return !isFailure(err)
}

func unavailable(s *Session) *wire.Stanza {
	return &wire.Stanza{
		Kind: wire.Presence,
		Name: wire.Name{Space: wire.NSClient, Local: "presence"},
		Type: "unavailable",
		From: s.JID,
	}
}

// surely does again what fails, for about three seconds. Nobody else will do it, and contacts would see the session as
// available for ever.
func (h *Host) surely(do func() error) (err error) {
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		if err = do(); !isFailure(err) || pause > 2*time.Second {
			return err
		}
		time.Sleep(pause)
	}
}

func (h *Host) undirect(ctx context.Context, s *Session, st *wire.Stanza) {
	for _, to := range s.takeDirected() {
		c := st.Copy()
		c.To, c.Type = to, "unavailable"
		h.Router.Send(ctx, c)
	}
}

// Subscribe asks for somebody's presence in the name of an account, as its own client would (RFC 6121, section 3.1).
func (h *Host) Subscribe(ctx context.Context, account string, to jid.JID) error {
	from, err := jid.New(account, h.Domain, "")
	if err != nil {
		return err
	}
	st := &wire.Stanza{
		Kind: wire.Presence,
		Name: wire.Name{Space: wire.NSClient, Local: "presence"},
		Type: "subscribe",
		ID:   h.NewID(),
		From: from,
		To:   to.Bare(),
	}
	return h.run(ctx, Subscribing, &Pass{Host: h, Account: account, Sent: true, Stanza: st})
}

// receivePresence handles arriving presence (RFC 6121, sections 8.5.1 to 8.5.3).
func (h *Host) receivePresence(ctx context.Context, st *wire.Stanza) error {
	if st.To.Local() == "" {
		return nil // a domain has no presence
	}
	if v := h.responders[st.To.Local()]; v != nil {
		return v(ctx, st)
	}
	p := &Pass{Host: h, Account: st.To.Local(), Stanza: st}
	a := h.Account(p.Account)
	switch st.Type {
	case "subscribe", "subscribed", "unsubscribe", "unsubscribed":
		return h.receiveAbout(ctx, p, Subscription)
	case "probe":
		return h.receiveAbout(ctx, p, Probe)
	case "", "unavailable":
		if a == nil {
			h.watch(ctx, p.Account, st)
			return nil
		}
	case "error":
		if a == nil || st.To.IsBare() {
			return nil
		}
	default:
		return BadRequest
	}
	if err := h.run(ctx, ReceivedCheck, p); err != nil {
		return ErrHandled // a blocked sender must not learn of the block
	}
	if st.Type != "error" {
		h.watch(ctx, p.Account, p.Stanza)
	}
	if !st.To.IsBare() {
		if s := a.Session(st.To.Resource()); s != nil {
			h.give(ctx, p, s)
		}
		return nil
	}
	h.Shown(a, p.Stanza)
	return nil
}

func (h *Host) receiveAbout(ctx context.Context, p *Pass, stage Stage) error {
	p.Stanza = p.Stanza.Copy()
	p.Stanza.To = p.Stanza.To.Bare()
	if stage == Subscription {
		p.Stanza.From = p.Stanza.From.Bare()
	}
	if ok, err := h.Exists(ctx, p.Account); err != nil {
		return err
	} else if !ok {
		return nil // RFC 6121, section 8.5.1
	}
	if err := h.run(ctx, ReceivedCheck, p); err != nil {
		return ErrHandled
	}
	return h.run(ctx, stage, p)
}

// Shown sends a presence to all available sessions of an account, addressed to its bare address.
func (h *Host) Shown(a *Account, st *wire.Stanza) {
	for _, s := range a.Sessions() {
		if s.Available() && s.SendTo(st, s.JID.Bare()) == nil {
			h.Metrics.delivered(wire.Presence)
		}
	}
}

// MayReceive reports whether an account takes a stanza that goes to many recipients.
func (h *Host) MayReceive(ctx context.Context, st *wire.Stanza, to jid.JID) bool {
	return !h.Blocked(ctx, to.Local(), st.From)
}

// Blocked reports whether an account has blocked the address who.
func (h *Host) Blocked(ctx context.Context, account string, who jid.JID) bool {
	for _, f := range h.blocks {
		if f(ctx, account, who) {
			return true
		}
	}
	return false
}
