package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
)

// TokenMechanisms gives the mechanisms of draft-schmaus-kitten-sasl-ht that this connection can have, those that bind
// its channel first. They are for tokens (XEP-0484), never for passwords.
func TokenMechanisms(b Binding) []string {
	var out []string
	for _, m := range []string{"HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP"} {
		if b.token(m) != nil {
			out = append(out, m)
		}
	}
	return append(out, "HT-SHA-256-NONE")
}

// token gives the channel-binding data that a mechanism goes with; nil where there is none.
func (b Binding) token(mechanism string) []byte {
	switch strings.TrimPrefix(mechanism, "HT-SHA-256-") {
	case "EXPR":
		return b.Exporter
	case "UNIQ":
		return b.Unique
	case "ENDP":
		return b.EndPoint
	}
	return nil
}

// Token is a secret that a client may have been given.
type Token struct {
	Secret []byte
	// Use takes the token as used by who has it; it is called when that is proven. An *Error is what the client is told.
	Use func(ctx context.Context) error
}

// Tokens finds those of a user (prepared localpart) that this mechanism may be used with; none if nobody can sign in as
// that. An error is temporary-auth-failure.
type Tokens func(ctx context.Context, user, mechanism string) ([]Token, error)

// ht proves to each side that the other has the token, in one round trip.
type ht struct {
	shown
	o    Options
	name string
	done bool
}

func (h *ht) Next(ctx context.Context, message []byte) ([]byte, bool, error) {
	name, proof, ok := strings.Cut(string(message), "\x00")
	if !ok || h.done || name == "" {
		return nil, false, errMalformed
	}
	h.done = true
	if err := h.named(Options{}, name); err != nil { // a token is no password: nobody guesses at 256 bits
		return nil, false, err
	}
	if len(proof) != sha256.Size { // of another hash, or cut: clients take not-authorized as a reason to ask for the password
		return nil, false, errNotAuthorized
	}
	tokens, err := h.o.Tokens(ctx, h.user, h.name)
	if err != nil {
		return nil, false, &Error{Condition: "temporary-auth-failure"}
	}
	binding := h.o.Binding.token(h.name)
	say := func(who string, secret []byte) []byte {
		return mac(sha256.New, secret, append([]byte(who), binding...))
	}
	for _, t := range tokens {
		if !hmac.Equal([]byte(proof), say("Initiator", t.Secret)) {
			continue
		}
		if err := t.Use(ctx); err != nil {
			return nil, false, err
		}
		return say("Responder", t.Secret), true, nil
	}
	return nil, false, errNotAuthorized
}
