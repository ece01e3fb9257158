package auth

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"golang.org/x/text/secure/precis"

	"parley/wire/jid"
)

// Mechanisms that there are, in order of preference.
var Mechanisms = []string{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"}

// Offer gives those of the configured mechanisms that this connection can have: -PLUS with channel binding, PLAIN
// inside TLS.
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

// Options of one exchange.
type Options struct {
	Host          string
	Mechanisms    []string // as offered
	Binding       Binding
	Secure        bool // PLAIN may be used
	Lookup        Lookup
	Faker         *Faker
	DowngradeHash bool // XEP-0474
	BindingFailed bool // the client has met ErrBinding on this stream
	// From is the bare JID in the client's stream header; who asks to act as another than that is refused (XEP-0388,
	// section 2.3). "" if it is not known, or not to be looked at.
	From string
	// Tokens are for the mechanisms that take one instead of a password.
	Tokens Tokens
	// Attempt begins the count of one try at a user's password, when it is known whose; an error refuses it before anything is
	// looked at. nil: nothing is counted.
	Attempt func(user string) (*Attempt, error)
	// Upgrade is told the complete keys of who has shown the password itself and lacked some; nil: nobody wants to know.
	Upgrade func(ctx context.Context, user string, k Keys)
}

// Exchange is the server's side of one authentication. It is for one goroutine.
type Exchange interface {
	// Next takes the client's message, the initial response first, and gives the challenge, or with done the data that
	// goes with success. Errors are *Error.
	Next(ctx context.Context, message []byte) (challenge []byte, done bool, err error)
	// Username is the localpart once it is known; it has proven nothing before Next gave done.
	Username() string
	// Typed is the name as the client has given it, "" while it has not.
	Typed() string
	// Attempt is what Options.Attempt gave; nil where no password is guessed at.
	Attempt() *Attempt
	// Secret is the id of the app password that was shown; "" for the account's own, or for a token.
	Secret() string
}

// Start begins an exchange; invalid-mechanism if it was not offered.
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

// checkAuthzid: nobody may act for another (RFC 6120, section 6.3.8).
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

// secrets finds an account's passwords; for one that there is not, or that has none, one that looks like an account's and
// that nothing signs in with.
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

// shown is what an exchange knows of who signs in.
type shown struct {
	typed, user, secret string
	attempt             *Attempt
}

func (s *shown) Username() string  { return s.user }
func (s *shown) Typed() string     { return s.typed }
func (s *shown) Secret() string    { return s.secret }
func (s *shown) Attempt() *Attempt { return s.attempt }

// named takes the name that a client gives, and begins the attempt.
func (s *shown) named(o Options, name string) (err error) {
	s.typed = name
	if s.user, err = username(name); err != nil {
		return err
	}
	if o.Attempt != nil {
		s.attempt, err = o.Attempt(s.user)
	}
	return err
}

// plain is RFC 4616.
type plain struct {
	shown
	o Options
}

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
	if found == nil || !known { // both, so that it takes the same time
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

// fingerprint changes when a password of an account does.
func fingerprint(ss []Secret) []byte {
	var b []byte
	for _, s := range ss {
		b = append(append(b, s.Keys.SHA256.Stored...), s.Keys.SHA1.Stored...)
	}
	return b
}
