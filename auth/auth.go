// Package auth is passwords, SASL and throttling.
package auth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"errors"
	"strings"

	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
)

// Error is a SASL failure (RFC 6120, section 6.5). Text is for people, in English; it never says whether an account
// exists, but to who has shown a password of it.
type Error struct {
	Condition, Text string
	Known           bool // who has failed knows a password of the account: nothing was guessed at
}

func (e *Error) Error() string {
	if e.Text == "" {
		return "sasl: " + e.Condition
	}
	return "sasl: " + e.Condition + ": " + e.Text
}

// ErrBinding is returned for a kind of channel binding that this connection does not have. Nothing was guessed at: it
// does not count as a failed attempt.
var ErrBinding = &Error{Condition: "not-authorized", Text: "unsupported channel binding"}

var (
	errNotAuthorized = &Error{Condition: "not-authorized"}
	errMalformed     = &Error{Condition: "malformed-request"}
	errAuthzid       = &Error{Condition: "invalid-authzid"}
)

// ErrPassword is returned for a password that no client could send: empty, or with characters that PRECIS forbids.
var ErrPassword = errors.New("auth: the password is empty or has characters that are not allowed")

// prepare is OpaqueString (RFC 8265, section 4.2).
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

// ErrTwoForms is returned for a new password that clients write in two ways: RFC 5802 has them prepare it with SASLprep,
// RFC 8265, which came later, with OpaqueString. Only one of the two would sign in.
var ErrTwoForms = errors.New("auth: the password has signs that apps write in two ways, such as ², ½, ﬁ or full-width digits: use others")

// fresh is prepare for a password that is set now.
func fresh(password string) (string, error) {
	p, err := prepare(password)
	if err == nil && saslprep(p) != p {
		return "", ErrTwoForms
	}
	return p, err
}

// saslprep is what SASLprep (RFC 4013) makes of a text that OpaqueString has made: some signs go, and those that look like
// others become them.
func saslprep(p string) string {
	return norm.NFKC.String(strings.Map(func(r rune) rune {
		if strings.ContainsRune(unprinted, r) || r >= 0x200b && r <= 0x200d || r >= 0xfe00 && r <= 0xfe0f {
			return -1
		}
		return r
	}, p))
}

// unprinted are the signs that SASLprep leaves out (RFC 3454, table B.1), but for two rows of them.
const unprinted = "\u00ad\u034f\u1806\u180b\u180c\u180d\u2060\ufeff"

// Derive gives 32 bytes that only who has the secret can know, other ones for each label and each list of parts, none of
// which has a NUL in it.
func Derive(secret []byte, label string, parts ...string) []byte {
	return mac(sha256.New, secret, []byte("parley\x00"+label+"\x00"+strings.Join(parts, "\x00")))
}

// Secret is one of the passwords of an account.
type Secret struct {
	ID   string // of an app password; "" is the account's own
	Keys Keys
	// Refuse says why this one does not sign in, to who has shown that they know it; "" if it does.
	Refuse string
}

// Lookup finds the passwords of a username (prepared localpart). The first says with which salt and how many iterations a
// client is to go about it: any other is found only where it has the same (see KeysLike). With none nobody can sign in as
// that: the exchange then goes on with a Faker's keys. An error is temporary-auth-failure.
type Lookup func(ctx context.Context, username string) ([]Secret, error)

// known says whether somebody who has shown this password may sign in.
func (s Secret) known() error {
	if s.Refuse != "" {
		return &Error{Condition: "not-authorized", Text: s.Refuse, Known: true}
	}
	return nil
}

// Faker gives users that do not exist salts that stay the same, so that they look like those that do.
type Faker struct {
	secret     []byte
	iterations int
}

// NewFaker makes one; the secret is to be kept between starts, iterations are those of new accounts.
func NewFaker(secret []byte, iterations int) *Faker {
	return &Faker{secret: secret, iterations: max(iterations, 4096)}
}

// Keys gives keys that no password has.
func (f *Faker) Keys(host, username string) Keys {
	part := func(what string, n int) []byte {
		return mac(sha512.New, f.secret, []byte(what+"\x00"+host+"\x00"+username))[:n]
	}
	salt := part("salt", saltLen)
	return Keys{SHA1: Key{salt, f.iterations, part("1", 20), part("2", 20)}, SHA256: Key{salt, f.iterations, part("3", 32), part("4", 32)}}
}

// Binding is the channel-binding data of a connection; nil where there is none.
type Binding struct {
	Exporter []byte // tls-exporter, RFC 9266
	EndPoint []byte // tls-server-end-point, RFC 5929
	Unique   []byte // tls-unique, RFC 5929: only for tokens, see TokenMechanisms
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

// ServerEndPoint gives the hash of a certificate that RFC 5929, section 4.1, wants: with the hash of its signature, but
// SHA-256 for MD5 and SHA-1; nil where that is not defined.
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
