// Package jid is the address of everything in XMPP (RFC 7622), as a small comparable value.
//
// mellium's jid.JID cannot be a map key and normalises on each parse; addresses are compared and looked up several
// times for each stanza here. So a JID is one string and two lengths; what is plain ASCII in canonical form is taken
// as it is, and everything else goes through mellium's PRECIS profiles.
package jid

import (
	"errors"
	"strings"

	mjid "mellium.im/xmpp/jid"
)

// MaxPart is the largest length of a localpart, domainpart or resourcepart, in bytes (RFC 7622, sections 3.2 to 3.4).
const MaxPart = 1023

// JID is an address in canonical form. It is comparable: two JIDs are equal exactly if they are the same address. The
// zero value is no address. JIDs are immutable and safe from any goroutine.
type JID struct {
	s      string // local@domain/resource
	local  uint16 // length of the localpart; 0: none
	domain uint16 // length of the domainpart
}

// ErrInvalid is the error for a malformed address. Its stanza error is jid-malformed.
var ErrInvalid = errors.New("jid: malformed address")

// Parse returns the canonical form of an address from the wire, or ErrInvalid.
func Parse(s string) (JID, error) {
	local, domain, resource, ok := split(s)
	if !ok {
		return JID{}, ErrInvalid
	}
	return make3(s, local, domain, resource)
}

// New makes a JID from its parts and normalises each. local and resource may be empty. The error is ErrInvalid.
func New(local, domain, resource string) (JID, error) {
	if domain == "" {
		return JID{}, ErrInvalid
	}
	return make3("", local, domain, resource)
}

// MustParse is Parse for constants. It panics if s is not an address.
func MustParse(s string) JID {
	j, err := Parse(s)
	if err != nil {
		panic(err.Error() + ": " + s)
	}
	return j
}

// split cuts at the first slash, then at the first at-sign before it (RFC 7622, section 3.1).
func split(s string) (local, domain, resource string, ok bool) {
	domain = s
	if i := strings.IndexByte(s, '/'); i >= 0 {
		domain, resource = s[:i], s[i+1:]
		if resource == "" {
			return "", "", "", false
		}
	}
	if i := strings.IndexByte(domain, '@'); i >= 0 {
		local, domain = domain[:i], domain[i+1:]
		if local == "" {
			return "", "", "", false
		}
	}
	return local, domain, resource, domain != ""
}

func make3(whole, local, domain, resource string) (JID, error) {
	if len(local) > MaxPart || len(domain) > MaxPart || len(resource) > MaxPart {
		return JID{}, ErrInvalid
	}
	if !plainLocal(local) || !plainDomain(domain) || !plainResource(resource) {
		// A trailing dot is the DNS root and not part of the name (RFC 7622, section 3.2).
		domain = strings.TrimSuffix(domain, ".")
		if emptyLabel(domain) {
			return JID{}, ErrInvalid
		}
		m, err := mjid.New(local, domain, resource)
		if err != nil {
			return JID{}, ErrInvalid
		}
		local, domain, resource, whole = m.Localpart(), m.Domainpart(), m.Resourcepart(), ""
		if emptyLabel(domain) || len(local) > MaxPart || len(domain) > MaxPart || len(resource) > MaxPart ||
			strings.ContainsAny(domain, "@/") {
			return JID{}, ErrInvalid
		}
	}
	if whole == "" {
		whole = join(local, domain, resource)
	}
	return JID{s: whole, local: uint16(len(local)), domain: uint16(len(domain))}, nil
}

// emptyLabel reports whether a domain begins or ends with a dot, or has two dots side by side.
func emptyLabel(domain string) bool {
	return domain == "" || domain[0] == '.' || domain[len(domain)-1] == '.' || strings.Contains(domain, "..")
}

func join(local, domain, resource string) string {
	switch {
	case local == "" && resource == "":
		return domain
	case local == "":
		return domain + "/" + resource
	case resource == "":
		return local + "@" + domain
	}
	return local + "@" + domain + "/" + resource
}

// plainLocal reports whether a localpart is ASCII that the PRECIS profile does not change. plainDomain and
// plainResource do the same for the other parts.
func plainLocal(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '.', c == '-', c == '_', c == '+', c == '=', c == '~',
			c == '!', c == '#', c == '$', c == '%', c == '*':
		default:
			return false
		}
	}
	return true
}

func plainDomain(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
		case c == '-' && i > 0 && s[i-1] != '.' && i+1 < len(s) && s[i+1] != '.':
			if i >= 3 && s[i-1] == '-' { // xn--: IDNA decides
				return false
			}
		case c == '.' && i > 0 && s[i-1] != '.' && i+1 < len(s):
		default:
			return false
		}
	}
	return true
}

func plainResource(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// String returns the whole address. It does not allocate.
func (j JID) String() string { return j.s }

// IsZero reports whether j is the zero value, which is no address.
func (j JID) IsZero() bool { return j.s == "" }

// Local returns the localpart, or "".
func (j JID) Local() string { return j.s[:j.local] }

func (j JID) domainStart() int {
	if j.local == 0 {
		return 0
	}
	return int(j.local) + 1
}

// Domain returns the domainpart.
func (j JID) Domain() string {
	i := j.domainStart()
	return j.s[i : i+int(j.domain)]
}

// Resource returns the resourcepart, or "" for a bare JID.
func (j JID) Resource() string {
	i := j.domainStart() + int(j.domain)
	if i >= len(j.s) {
		return ""
	}
	return j.s[i+1:]
}

// IsBare reports whether the address has no resourcepart.
func (j JID) IsBare() bool { return j.domainStart()+int(j.domain) == len(j.s) }

// Bare returns the address without its resourcepart. It does not allocate.
func (j JID) Bare() JID {
	return JID{s: j.s[:j.domainStart()+int(j.domain)], local: j.local, domain: j.domain}
}

// Host returns the address of the domain alone. It does not allocate.
func (j JID) Host() JID {
	return JID{s: j.Domain(), domain: j.domain}
}

// WithResource returns the bare address with this resource, which it normalises. The error is ErrInvalid.
func (j JID) WithResource(resource string) (JID, error) {
	return New(j.Local(), j.Domain(), resource)
}

// MarshalText returns the address as text, for configuration and JSON.
func (j JID) MarshalText() ([]byte, error) { return []byte(j.s), nil }

// UnmarshalText parses b like Parse. Empty text gives the zero JID.
func (j *JID) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*j = JID{}
		return nil
	}
	*j, err = Parse(string(b))
	return err
}
