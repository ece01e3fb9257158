package server

import (
	"context"

	"mellium.im/xmpp/stanza"

	"parley/wire"
)

// Sent takes a stanza from a local session, with the session's full address in `from`. It returns when the stanza is
// durable and on its way, so that it may be acknowledged. It reports errors to the session itself.
func (h *Host) Sent(ctx context.Context, s *Session, st *wire.Stanza) {
	h.Metrics.received(st.Kind)
	err := h.sent(ctx, s, st)
	if err == nil {
		return
	}
	h.logFault(ctx, st, err)
	if fenced(st, err) {
		return
	}
	if reply := ErrorReply(st, err); reply != nil {
		reply.To = s.JID
		_ = s.Send(reply) // its stream is closing, so nobody reads the error
	}
}

func (h *Host) sent(ctx context.Context, s *Session, st *wire.Stanza) error {
	if st.Malformed {
		return MalformedJID
	}
	switch st.Kind {
	case wire.Message:
		return h.sentMessage(ctx, s, h.Router.Unforged(st, true))
	case wire.Presence:
		return h.sentPresence(ctx, s, h.Router.Unforged(st, true))
	case wire.IQ:
		return h.sentIQ(ctx, s, st)
	}
	return stanza.Error{Type: stanza.Cancel, Condition: stanza.FeatureNotImplemented}
}

func (h *Host) sentMessage(ctx context.Context, s *Session, st *wire.Stanza) error {
	p, err := h.sending(ctx, s, st)
	if err != nil {
		return err
	}
	if to := h.Router.Host(p.Stanza.To.Domain()); to != nil {
		return to.receiveMessage(ctx, p.Stanza, p)
	}
	return h.passOn(ctx, p, h.Router.Route)
}

// SentTo does for a message to a service what Sent does, and calls service where Sent calls the router. It returns what
// refuses the message, and tells the session nothing.
func (h *Host) SentTo(
	ctx context.Context, s *Session, st *wire.Stanza, service func(ctx context.Context, st *wire.Stanza) error,
) error {
	h.Metrics.received(st.Kind)
	p, err := h.sending(ctx, s, h.Router.Unforged(st, true))
	if err != nil {
		return err
	}
	return h.passOn(ctx, p, service)
}

// sending does the sender's side of a message up to the commit.
func (h *Host) sending(ctx context.Context, s *Session, st *wire.Stanza) (*Pass, error) {
	if st.To.IsZero() { // RFC 6121, section 8.1: to the sender's own bare address
		st.To = s.JID.Bare()
	}
	switch st.Type {
	case "", "normal", "chat", "groupchat", "headline", "error":
	default: // RFC 6121, section 5.2.2: an unknown type counts as normal
		st.Type = "normal"
	}
	if err := h.checkShare(s, st); err != nil {
		return nil, err
	}
	p := &Pass{Host: h, Account: s.JID.Local(), Sent: true, Session: s, Stanza: st}
	for _, stage := range [...]Stage{SentCheck, SentStamp, SentArchive} {
		if err := h.run(ctx, stage, p); err != nil {
			return nil, err
		}
	}
	p.receipt(st)
	return p, nil
}

// passOn ends the sender's side of a message that is not for an account here, and hands it to route.
func (h *Host) passOn(ctx context.Context, p *Pass, route func(ctx context.Context, st *wire.Stanza) error) error {
	if err := h.commit(ctx, p.writes); err != nil {
		return err
	}
	if err := h.sentCopy(ctx, p); err != nil {
		return err
	}
	return route(ctx, p.Stanza)
}

// sentCopy tells the sender's other clients of a committed message, when it is its turn.
func (h *Host) sentCopy(ctx context.Context, p *Pass) error {
	defer p.endTurn()
	p.awaitTurn(ctx)
	return h.run(ctx, SentCopy, p)
}

func (h *Host) sentIQ(ctx context.Context, s *Session, st *wire.Stanza) error {
	if err := checkIQ(st); err != nil {
		return err
	}
	if st.To.IsZero() || st.To == s.JID.Bare() {
		return h.accountIQ(ctx, s, st, s.JID.Local())
	}
	if st.To == h.JID {
		return h.hostIQ(ctx, s, st)
	}
	p := &Pass{Host: h, Account: s.JID.Local(), Sent: true, Session: s, Stanza: st}
	if err := h.run(ctx, SentCheck, p); err != nil {
		return err
	}
	return h.Router.Route(ctx, p.Stanza)
}

// checkIQ enforces the rules of RFC 6120, section 8.2.3.
func checkIQ(st *wire.Stanza) error {
	switch st.Type {
	case "get", "set":
		if st.ID == "" || len(st.Children) != 1 {
			return BadRequest
		}
	case "result":
		if len(st.Children) > 1 {
			return ErrHandled
		}
	case "error":
	default:
		return BadRequest
	}
	return nil
}
