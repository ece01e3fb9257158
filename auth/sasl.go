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

// plain is RFC 4616.
type plain struct {
	o      Options
	user   string
	secret string
}

func (p *plain) Username() string { return p.user }
func (p *plain) Secret() string   { return p.secret }

func (p *plain) Next(ctx context.Context, message []byte) ([]byte, bool, error) {
	parts := bytes.Split(message, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 || len(parts[2]) == 0 {
		return nil, false, errMalformed
	}
	user, err := username(string(parts[1]))
	if err != nil {
		return nil, false, err
	}
	p.user = user
	secrets, known, err := p.o.secrets(ctx, user)
	if err != nil {
		return nil, false, err
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
