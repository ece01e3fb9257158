// Package auth checks passwords: policy, SASL, tokens, and throttling of guesses.
package auth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"parley/internal/fault"
	"strings"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Error is a SASL failure (RFC 6120, section 6.5). Text is English for people. It never says whether an account exists,
// except to somebody who has just sent a correct password of the account.
type Error struct {
	Condition, Text string
	Known           bool // the sender knows a password of the account, so nothing was guessed
}

// Error returns "sasl:" with the condition and the text.
func (e *Error) Error() string {
	if e.Text == "" {
		return "sasl: " + e.Condition
	}
	return "sasl: " + e.Condition + ": " + e.Text
}

// ErrBinding is the error for a kind of channel binding that this connection lacks. Nothing was guessed, so it does not
// count as a failed attempt.
var ErrBinding = &Error{Condition: "not-authorized", Text: "unsupported channel binding"}

var (
	errNotAuthorized = &Error{Condition: "not-authorized"}
	errMalformed     = &Error{Condition: "malformed-request"}
	errAuthzid       = &Error{Condition: "invalid-authzid"}
)

// ErrPassword is the error for a password that no client could send: empty, or with characters that PRECIS forbids.
var ErrPassword = fault.New(fault.Invalid, "password", "The password is empty or has characters that are not allowed")

// prepare applies OpaqueString (RFC 8265, section 4.2).
func prepare(password string) (string, error) {
	if password == "" || len(password) > 1024 {
		return "", ErrPassword
	}
	plain := true
	for i := 0; i < len(password); i++ {
		plain = plain && password[i] >= ' ' && password[i] < 0x7f
	}
	if plain {
		return password, nil
	}
	p, err := precis.OpaqueString.String(password)
	if err != nil || p == "" {
		return "", ErrPassword
	}
	return p, nil
}

// ErrTwoForms is the error for a new password that clients encode in two ways: with SASLprep (RFC 5802) or with
// OpaqueString (the later RFC 8265). Only one of the two could sign in.
var ErrTwoForms = fault.New(fault.Invalid, "password",
	"auth: the password has characters that apps write in two ways, such as ², ½, ﬁ or full-width digits: use others")

// fresh is prepare for a new password.
func fresh(password string) (string, error) {
	p, err := prepare(password)
	if err == nil && saslprep(p) != p {
		return "", ErrTwoForms
	}
	return p, err
}

// saslprep applies SASLprep (RFC 4013) to a text that OpaqueString has prepared: it removes some characters and
// replaces others by similar ones.
func saslprep(p string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if strings.ContainsRune(unprinted, r) || r >= 0x200b && r <= 0x200d || r >= 0xfe00 && r <= 0xfe0f {
			return -1
		}
		return r
	}, p))
}

// unprinted are the characters that SASLprep removes (RFC 3454, table B.1), except two rows of the table.
const unprinted = "\u00ad\u034f\u1806\u180b\u180c\u180d\u2060\ufeff"

// Derive returns 32 bytes that cannot be computed without the secret. They differ for each label and each list of
// parts. No part may contain a NUL.
func Derive(secret []byte, label string, parts ...string) []byte {
	return mac(sha256.New, secret, []byte("parley\x00"+label+"\x00"+strings.Join(parts, "\x00")))
}

// Secret is one of the passwords of an account.
type Secret struct {
	ID   string // the id of an app password; "": the account's own password
	Keys Keys
	// Refuse says in English why this password may not sign in; "" if it may. Only somebody who has shown that they
	// know the password sees it.
	Refuse string
}

// Lookup returns the passwords of a username (a prepared localpart). The first one determines the salt and the
// iterations for the client, so others are only found with the same parameters (see KeysLike). With an empty result
// nobody can sign in: the exchange then continues with a Faker's keys. An error becomes temporary-auth-failure.
type Lookup func(ctx context.Context, username string) ([]Secret, error)

// known returns nil if somebody who has shown this password may sign in, and otherwise the error for them.
func (s Secret) known() error {
	if s.Refuse != "" {
		return &Error{Condition: "not-authorized", Text: s.Refuse, Known: true}
	}
	return nil
}

// Faker gives unknown users constant salts, so that they look like users that exist.
type Faker struct {
	secret     []byte
	iterations int
}

// NewFaker returns a Faker. secret must survive restarts; iterations is the number for new accounts.
func NewFaker(secret []byte, iterations int) *Faker {
	return &Faker{secret: secret, iterations: max(iterations, 4096)}
}

// Keys returns keys that match no password. They are always the same for one user.
func (f *Faker) Keys(host, username string) Keys {
	part := func(what string, n int) []byte {
		return mac(sha512.New, f.secret, []byte(what+"\x00"+host+"\x00"+username))[:n]
	}
	salt := part("salt", saltLen)
	return Keys{
		SHA1:   Key{salt, f.iterations, part("1", 20), part("2", 20)},
		SHA256: Key{salt, f.iterations, part("3", 32), part("4", 32)},
	}
}

// Binding holds the channel-binding data of a connection. A kind that the connection lacks is nil.
type Binding struct {
	Exporter []byte // tls-exporter, RFC 9266
	EndPoint []byte // tls-server-end-point, RFC 5929
	Unique   []byte // tls-unique, RFC 5929: only for tokens; see TokenMechanisms
}

func (b Binding) data(kind string) []byte {
	switch kind {
	case "tls-exporter":
		return b.Exporter
	case "tls-server-end-point":
		return b.EndPoint
	}
	return nil
}

func (b Binding) any() bool { return b.Exporter != nil || b.EndPoint != nil }

// ServerEndPoint returns the hash of a certificate for tls-server-end-point (RFC 5929, section 4.1): by the hash of its
// signature, with SHA-256 instead of MD5 and SHA-1. It returns nil where that is undefined.
func ServerEndPoint(cert *x509.Certificate) []byte {
	h := crypto.SHA256
	switch cert.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.ECDSAWithSHA384, x509.SHA384WithRSAPSS:
		h = crypto.SHA384
	case x509.SHA512WithRSA, x509.ECDSAWithSHA512, x509.SHA512WithRSAPSS:
		h = crypto.SHA512
	case x509.PureEd25519, x509.UnknownSignatureAlgorithm:
		return nil
	}
	d := h.New()
	d.Write(cert.Raw)
	return d.Sum(nil)
}
