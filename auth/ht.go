package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"strings"
)

// TokenMechanisms returns the mechanisms of draft-schmaus-kitten-sasl-ht that this connection can use, those with
// channel binding first. They are for tokens (XEP-0484), never for passwords.
func TokenMechanisms(b Binding) []string {
	var out []string
	for _, m := range []string{"HT-SHA-256-EXPR", "HT-SHA-256-UNIQ", "HT-SHA-256-ENDP"} {
		if b.token(m) != nil {
			out = append(out, m)
		}
	}
	return append(out, "HT-SHA-256-NONE")
}

// token returns the channel-binding data for a mechanism, or nil.
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

// Token is a secret that a client may hold.
type Token struct {
	Secret []byte
	// Use marks the token as used. It is called when the client has proven that it has the token. The client gets the
	// *Error.
	Use func(ctx context.Context) error
}

// Tokens returns the tokens of a user (a prepared localpart) for this mechanism. The result is empty if nobody can sign
// in as that user. An error becomes temporary-auth-failure.
type Tokens func(ctx context.Context, user, mechanism string) ([]Token, error)

// ht proves to each side that the other one has the token, in one round trip.
type ht struct {
	signIn
	o    Options
	name string
	done bool
}

// Next checks the client's only message and returns the server's proof.
func (h *ht) Next(ctx context.Context, message []byte) ([]byte, bool, error) {
	name, proof, ok := strings.Cut(string(message), "\x00")
	if !ok || h.done || name == "" {
		return nil, false, errMalformed
	}
	h.done = true
	// no attempt is counted: a token has 256 bits and cannot be guessed
	if err := h.named(Options{}, name); err != nil {
		return nil, false, err
	}
	// another hash, or a truncated one; not-authorized would make clients ask for the password
	if len(proof) != sha256.Size {
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
