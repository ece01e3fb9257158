package federation

import (
	"errors"

	"parley/wire"
)

// pair is a sending and a receiving domain.
type pair struct{ from, to string }

// proof says how a stream has proven that it may speak for a domain.
type proof uint8

const (
	byNothing  proof = iota
	byDialback       // XEP-0220: for one pair
	bySASL           // EXTERNAL: for the domain, to every domain served here
)

// maxPairs is how many pairs one stream may have proven by dialback.
const maxPairs = 500

var errTooManyPairs = errors.New("federation: too many domain pairs on one stream")

// authz decides which domains an incoming stream may speak for. No other code decides that: a stream's stanza is
// accepted only if its authz allows it. It belongs to the stream's goroutine.
type authz struct {
	local func(domain string) bool // reports whether a domain is served here
	sasl  string                   // the domain proven by SASL EXTERNAL
	pairs map[pair]bool            // proven by dialback
	last  pair                     // the pair that was allowed last, since most stanzas of a stream are of one pair
}

// claimable reports whether another server may speak for a domain at all: it must not be ours. Not even a certificate
// for our own domain lets a stranger speak for it.
func (v *authz) claimable(domain string) bool { return domain != "" && !v.local(domain) }

// proveSASL notes that SASL EXTERNAL has proven the domain. It returns false if no other server may speak for it.
func (v *authz) proveSASL(domain string) bool {
	if !v.claimable(domain) {
		return false
	}
	v.sasl = domain
	return true
}

// provePair notes that dialback, or a certificate instead, has proven the pair.
func (v *authz) provePair(p pair) error {
	if !v.claimable(p.from) || !v.local(p.to) {
		return &wire.StreamError{Condition: "invalid-from"}
	}
	if len(v.pairs) >= maxPairs && !v.pairs[p] {
		return errTooManyPairs
	}
	if v.pairs == nil {
		v.pairs = make(map[pair]bool)
	}
	v.pairs[p] = true
	return nil
}

// revoke removes a pair whose key turned out to be invalid.
func (v *authz) revoke(p pair) {
	delete(v.pairs, p)
	v.last = pair{}
}

// any reports whether the stream has proven anything.
func (v *authz) any() bool { return v.sasl != "" || len(v.pairs) > 0 }

// proof returns how a pair is proven.
func (v *authz) proof(p pair) proof {
	switch {
	case !v.claimable(p.from):
	case p.from == v.sasl:
		return bySASL
	case v.pairs[p]:
		return byDialback
	}
	return byNothing
}

// allows returns nil if a stanza may come in, and otherwise the stream error for it (RFC 6120, sections 4.9.3 and 8.1).
// A stanza to a domain that is not served here ends the stream: nothing is relayed between other servers.
func (v *authz) allows(st *wire.Stanza) error {
	if st.Malformed || st.From.IsZero() || st.To.IsZero() {
		return &wire.StreamError{
			Condition: "improper-addressing",
			Text:      "a stanza between servers needs a valid from and to",
		}
	}
	p := pair{st.From.Domain(), st.To.Domain()}
	if p == v.last && v.local(p.to) {
		return nil
	}
	if !v.any() {
		return &wire.StreamError{Condition: "not-authorized", Text: "this stream has not proven a domain"}
	}
	if p.from != v.sasl && !v.speaksFor(p.from) {
		return &wire.StreamError{Condition: "invalid-from", Text: "this stream has not proven the sender's domain"}
	}
	if !v.local(p.to) {
		return &wire.StreamError{Condition: "host-unknown", Text: "this server does not serve the recipient's domain"}
	}
	if v.proof(p) == byNothing {
		return &wire.StreamError{Condition: "invalid-from", Text: "this stream has not proven the pair of domains"}
	}
	v.last = p
	return nil
}

// speaksFor reports whether dialback has proven any pair of the domain.
func (v *authz) speaksFor(domain string) bool {
	for p := range v.pairs {
		if p.from == domain {
			return true
		}
	}
	return false
}
