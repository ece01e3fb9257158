package federation

import (
	"errors"

	"parley/wire"
)

// pair is a domain that sends and one that receives.
type pair struct{ from, to string }

// proof says how a stream has shown that it may speak for a domain.
type proof uint8

const (
	byNothing  proof = iota
	byDialback       // XEP-0220: for one pair
	bySASL           // EXTERNAL: for the domain, to whatever is served here
)

// maxPairs is how many pairs one stream may have proven by dialback.
const maxPairs = 500

var errTooManyPairs = errors.New("federation: too many domain pairs on one stream")

// voice decides which domains an incoming stream may speak for. It is the only place where that is decided: nothing is
// taken from a stream that its voice does not allow. It belongs to the stream's goroutine.
type voice struct {
	local func(domain string) bool // is served here
	sasl  string                   // the domain proven by SASL EXTERNAL
	pairs map[pair]bool            // proven by dialback
	last  pair                     // the pair that was allowed last: most stanzas of a stream are of one pair
}

// claimable says whether a domain may be spoken for by another server at all: it is one, and none of ours. Not even a
// certificate for our own domain lets a stranger speak for it.
func (v *voice) claimable(domain string) bool { return domain != "" && !v.local(domain) }

// proveSASL notes that SASL EXTERNAL has proven the domain; false if nobody may.
func (v *voice) proveSASL(domain string) bool {
	if !v.claimable(domain) {
		return false
	}
	v.sasl = domain
	return true
}

// provePair notes that dialback, or a certificate in its stead, has proven the pair.
func (v *voice) provePair(p pair) error {
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

// revoke takes a pair back whose key has turned out invalid.
func (v *voice) revoke(p pair) {
	delete(v.pairs, p)
	v.last = pair{}
}

// any says whether the stream has proven anything.
func (v *voice) any() bool { return v.sasl != "" || len(v.pairs) > 0 }

// proof says how a pair is proven.
func (v *voice) proof(p pair) proof {
	switch {
	case !v.claimable(p.from):
	case p.from == v.sasl:
		return bySASL
	case v.pairs[p]:
		return byDialback
	}
	return byNothing
}

// allows says whether a stanza may come in; if not, the stream error that answers it (RFC 6120, sections 4.9.3 and
// 8.1). A stanza for a domain that is not served here ends the stream: nothing is relayed between other servers.
func (v *voice) allows(st *wire.Stanza) error {
	if st.Malformed || st.From.IsZero() || st.To.IsZero() {
		return &wire.StreamError{Condition: "improper-addressing", Text: "between servers each stanza has a valid from and to"}
	}
	p := pair{st.From.Domain(), st.To.Domain()}
	if p == v.last && v.local(p.to) {
		return nil
	}
	if !v.any() {
		return &wire.StreamError{Condition: "not-authorized", Text: "no domain is proven on this stream"}
	}
	if p.from != v.sasl && !v.speaksFor(p.from) {
		return &wire.StreamError{Condition: "invalid-from", Text: "the sender's domain is not proven on this stream"}
	}
	if !v.local(p.to) {
		return &wire.StreamError{Condition: "host-unknown", Text: "the recipient's domain is not served here"}
	}
	if v.proof(p) == byNothing {
		return &wire.StreamError{Condition: "invalid-from", Text: "the pair of domains is not proven on this stream"}
	}
	v.last = p
	return nil
}

// speaksFor says whether any pair of the domain is proven by dialback.
func (v *voice) speaksFor(domain string) bool {
	for p := range v.pairs {
		if p.from == domain {
			return true
		}
	}
	return false
}
