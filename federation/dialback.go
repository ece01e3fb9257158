package federation

import (
	"context"
	"errors"
	"time"

	"parley/wire"
)

// answer replies to a db:result or db:verify with exchanged addresses.
func (in *incoming) answer(x *wire.Stanza, kind, condition string) {
	_ = in.conn.WriteRaw(dialback(x.Name.Local, x.Attr("to"), x.Attr("from"), x.Attr("id"), kind, condition))
}

// maxAsked is how many keys of one stream may be under verification at once.
const maxAsked = 20

// result handles a key: the other server asks to speak for a pair (XEP-0220, section 2.2.1). The pair may differ from
// that of the stream header, if it is proven (section 2.5).
func (in *incoming) result(x *wire.Stanza) error {
	if x.Attr("type") != "" { // section 4.1: an answer without a question
		return &wire.StreamError{
			Condition: "policy-violation",
			Text:      "an answer to a key that this server did not send",
		}
	}
	p := pair{parseDomain(x.Attr("from")), parseDomain(x.Attr("to"))}
	if p.from == "" || p.to == "" {
		return &wire.StreamError{Condition: "improper-addressing"}
	}
	s := in.srv
	switch {
	case !in.authz.claimable(p.from):
		return &wire.StreamError{Condition: "invalid-from"}
	case !s.cfg.Router.Local(p.to):
		in.answer(x, "error", "item-not-found")
		return nil
	case !s.dialbackWith(p.from), !s.permits(p.from):
		in.answer(x, "error", "policy-violation")
		return nil
	case in.certificate(p.from) == nil: // no callback is needed: the certificate proves more
		return in.settled(verdict{pair: p})
	case s.certificateFrom(p.from):
		in.answer(x, "error", "not-authorized")
		return nil
	}
	if !in.asks(p) {
		in.answer(x, "error", "resource-constraint")
		return nil
	}
	key, id := x.Text, in.id
	s.wg.Go(func() {
		v := verdict{p, s.ask(p, id, key)}
		<-s.asks
		in.mu.Lock()
		defer in.mu.Unlock()
		delete(in.asked, p)
		in.verdict = append(in.verdict, v)
		// wakes the reader, which owns authz: nothing is proven in this goroutine
		_ = in.raw.SetReadDeadline(time.Unix(1, 0))
	})
	return nil
}

// asks reports whether a key may be verified now, and reserves a place for that.
func (in *incoming) asks(p pair) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.asked[p] || len(in.asked) >= maxAsked || len(in.authz.pairs) >= maxPairs {
		return false
	}
	select {
	case in.srv.asks <- struct{}{}:
	default:
		return false // the key may be verified when there is room
	}
	if in.asked == nil {
		in.asked = make(map[pair]bool)
	}
	in.asked[p] = true
	return true
}

// settle tells the other server the outcome for its keys.
func (in *incoming) settle() error {
	in.mu.Lock()
	vs := in.verdict
	in.verdict = nil
	if len(vs) > 0 {
		in.waitLocked()
	}
	in.mu.Unlock()
	for _, v := range vs {
		if err := in.settled(v); err != nil {
			return err
		}
	}
	return nil
}

func (in *incoming) settled(v verdict) error {
	tell := func(kind, condition string) {
		_ = in.conn.WriteRaw(dialback("result", v.to, v.from, "", kind, condition))
	}
	switch v.condition {
	case "":
	case "invalid":
		in.authz.revoke(v.pair)
		in.noWayBack(pair{v.to, v.from})
		in.srv.refused.WithLabelValues("invalid key").Inc()
		in.log.Info("the dialback key is invalid", "from", v.from, "to", v.to)
		tell("invalid", "")
		if !in.authz.any() {
			return errInvalidKey // XEP-0220, section 2.2.1: the stream is closed
		}
		return nil
	default:
		tell("error", v.condition)
		return nil
	}
	switch err := in.authz.provePair(v.pair); {
	case errors.Is(err, errTooManyPairs):
		tell("error", "resource-constraint")
	case err != nil:
		return err
	default:
		in.trusted("dialback", v.pair)
		in.conn.Cork() // the way back opens as soon as the other server knows that the key is valid
		tell("valid", "")
		in.wayBack(pair{v.to, v.from})
		in.conn.Uncork()
	}
	in.wait()
	return nil
}

var errInvalidKey = errors.New("federation: the dialback key is invalid")

// verify answers, as the authoritative server, whether a key is ours (XEP-0220, section 2.2.2).
func (in *incoming) verify(x *wire.Stanza) error {
	if x.Attr("type") != "" {
		return &wire.StreamError{
			Condition: "policy-violation",
			Text:      "an answer to a key that this server did not send",
		}
	}
	to, from := parseDomain(x.Attr("to")), parseDomain(x.Attr("from"))
	switch {
	case to == "" || from == "":
		return &wire.StreamError{Condition: "improper-addressing"}
	case !in.srv.cfg.Router.Local(to):
		in.answer(x, "error", "item-not-found")
	case in.srv.keys.valid(x.Text, from, to, x.Attr("id")):
		in.answer(x, "valid", "")
	default:
		in.answer(x, "invalid", "")
	}
	return nil
}

// ask verifies a key by asking the authoritative server of p.from about it (XEP-0220, section 2.1.2). It uses a stream
// of its own, since a stream that must be proven first could wait for itself. It returns "" for a valid key, "invalid",
// or the error condition for the other server.
func (s *Server) ask(p pair, id, key string) string {
	ctx, cancel := context.WithTimeout(s.ctx, s.cfg.AuthTimeout)
	defer cancel()
	out, err := s.open(ctx, pair{p.to, p.from})
	if err != nil {
		s.log.Info("cannot verify a dialback key", "from", p.from, "to", p.to, "err", err)
		var re *remoteError
		switch {
		case errors.Is(err, errNotFound), errors.As(err, &re) && re.condition == "host-unknown":
			return "remote-server-not-found"
		case errors.Is(err, errDial):
			return "remote-connection-failed"
		}
		return "remote-server-timeout"
	}
	defer out.close(nil)
	_ = out.conn.WriteRaw(dialback("verify", p.to, p.from, id, "", key))
	for {
		x, err := out.rd.Next()
		if err != nil || isStreamError(x) {
			return "remote-server-timeout"
		}
		if x.Name != (wire.Name{Space: nsDialback, Local: "verify"}) || parseDomain(x.Attr("from")) != p.from ||
			parseDomain(x.Attr("to")) != p.to || x.Attr("id") != id {
			continue // an unrelated element
		}
		switch x.Attr("type") {
		case "valid":
			return ""
		case "invalid":
			return "invalid"
		}
		return "remote-server-not-found" // section 2.4: an error in step 3
	}
}
