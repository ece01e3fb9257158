package auth

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"golang.org/x/text/secure/precis"

	"parley/wire/jid"
)

// Mechanisms lists all mechanisms, in order of preference.
var Mechanisms = []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}

// Offer returns the configured mechanisms that this connection can use: -PLUS needs channel binding, PLAIN needs TLS.
func Offer(configured []string, secure bool, b Binding) []string {
	var out []string
	for _, m := range configured {
		switch {
		case !slices.Contains(Mechanisms, m):
		case strings.HasSuffix(m, "-PLUS") && !b.any():
		case m == "PLAIN" && !secure:
		default:
			out = append(out, m)
		}
	}
	return out
}

// Options holds the settings of one exchange.
type Options struct {
	Host          string
	Mechanisms    []string // as offered to the client
	Binding       Binding
	Secure        bool // PLAIN is allowed
	Lookup        Lookup
	Faker         *Faker
	DowngradeHash bool // XEP-0474
	BindingFailed bool // the client has got ErrBinding on this stream
	// From is the bare JID in the client's stream header. A request to act as another user is refused (XEP-0388,
	// section 2.3). "" means unknown or not checked.
	From string
	// Tokens looks up tokens, for the mechanisms that use one instead of a password.
	Tokens Tokens
	// Attempt begins to count one try at a user's password, once the user is known. Its error refuses the try before
	// the password is looked at. nil counts nothing.
	Attempt func(user string) (*Attempt, error)
	// Upgrade gets the complete keys of a password that the client sent, if some were missing. nil ignores them.
	Upgrade func(ctx context.Context, user string, k Keys)
}

// Exchange is the server's side of one authentication. Only one goroutine may use it.
type Exchange interface {
	// Next takes the client's next message, beginning with the initial response. It returns the challenge or, with
	// done, the data that goes with success. Errors are of type *Error.
	Next(ctx context.Context, message []byte) (challenge []byte, done bool, err error)
	// Username returns the localpart, or "" if it is not known yet. It is proven only after Next has returned done.
	Username() string
	// Typed returns the name as the client sent it, or "" if it has not yet.
	Typed() string
	// Attempt returns the result of Options.Attempt, or nil if no password was guessed.
	Attempt() *Attempt
	// Secret returns the id of the app password that was used; "" for the account's own password, or for a token.
	Secret() string
}

// Start begins an exchange. It returns invalid-mechanism if the mechanism was not offered.
func Start(mechanism string, o Options) (Exchange, error) {
	if !slices.Contains(o.Mechanisms, mechanism) {
		if mechanism == "PLAIN" && !o.Secure {
			return nil, &Error{Condition: "encryption-required"}
		}
		return nil, &Error{Condition: "invalid-mechanism"}
	}
	if mechanism == "PLAIN" {
		return &plain{o: o}, nil
	}
	if strings.HasPrefix(mechanism, "HT-") {
		return &ht{o: o, name: mechanism}, nil
	}
	return newScram(mechanism, o), nil
}

// username prepares a SASL username as a localpart (UsernameCaseMapped, RFC 8265, section 3.3).
func username(s string) (string, error) {
	if s == "" || len(s) > 1023 {
		return "", errMalformed
	}
	u, err := precis.UsernameCaseMapped.String(s)
	if err != nil || strings.ContainsAny(u, "\"&'/:<>@") {
		return "", errNotAuthorized
	}
	return u, nil
}

// checkAuthzid refuses to act for another user (RFC 6120, section 6.3.8).
func (o Options) checkAuthzid(authzid, user string) error {
	if authzid == "" {
		return nil
	}
	self := user + "@" + o.Host
	if authzid != self {
		if j, err := jid.Parse(authzid); err != nil || j.String() != self {
			return errAuthzid
		}
	}
	if o.From != "" && o.From != self {
		return errAuthzid
	}
	return nil
}

// secrets returns an account's passwords. For an account that does not exist, or has none, it returns a fake one that
// looks real and that nothing matches.
func (o Options) secrets(ctx context.Context, user string) (ss []Secret, known bool, err error) {
	ss, err = o.Lookup(ctx, user)
	if err != nil {
		return nil, false, &Error{Condition: "temporary-auth-failure"}
	}
	if len(ss) == 0 {
		return []Secret{{Keys: o.Faker.Keys(o.Host, user)}}, false, nil
	}
	return ss, true, nil
}

// signIn is what an exchange knows of the user who signs in.
type signIn struct {
	typed, user, secret string
	attempt             *Attempt
}

// Username returns the localpart, or "".
func (s *signIn) Username() string { return s.user }

// Typed returns the name as the client sent it.
func (s *signIn) Typed() string { return s.typed }

// Secret returns the id of the app password that was used.
func (s *signIn) Secret() string { return s.secret }

// Attempt returns the counted try, or nil.
func (s *signIn) Attempt() *Attempt { return s.attempt }

// named takes the name that a client sends, and begins the attempt.
func (s *signIn) named(o Options, name string) (err error) {
	s.typed = name
	if s.user, err = username(name); err != nil {
		return err
	}
	if o.Attempt != nil {
		s.attempt, err = o.Attempt(s.user)
	}
	return err
}

// plain is the mechanism PLAIN (RFC 4616).
type plain struct {
	signIn
	o Options
}

// Next checks the client's only message.
func (p *plain) Next(ctx context.Context, message []byte) ([]byte, bool, error) {
	parts := bytes.Split(message, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 || len(parts[2]) == 0 {
		return nil, false, errMalformed
	}
	if err := p.named(p.o, string(parts[1])); err != nil {
		return nil, false, err
	}
	user := p.user
	secrets, known, err := p.o.secrets(ctx, user)
	if err != nil {
		return nil, false, err
	}
	if !p.attempt.Worth(string(parts[2]), fingerprint(secrets)) {
		return nil, false, errNotAuthorized
	}
	found := verify(secrets, string(parts[2]))
	if found == nil || !known { // both conditions are evaluated, so that the time is the same
		return nil, false, errNotAuthorized
	}
	if err := found.known(); err != nil {
		return nil, false, err
	}
	if err := p.o.checkAuthzid(string(parts[0]), user); err != nil {
		return nil, false, err
	}
	p.secret = found.ID
	if k := found.Keys; p.o.Upgrade != nil && found.ID == "" && len(k.Missing()) > 0 {
		if full, err := k.complete(string(parts[2]), secrets); err == nil {
			p.o.Upgrade(ctx, user, full)
		}
	}
	return nil, true, nil
}

// fingerprint returns a value that changes when a password of an account does.
func fingerprint(ss []Secret) []byte {
	var b []byte
	for _, s := range ss {
		b = append(append(b, s.Keys.SHA256.Stored...), s.Keys.SHA1.Stored...)
	}
	return b
}
