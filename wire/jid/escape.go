package jid

import "strings"

// A localpart contains forbidden characters as a backslash and two hexadecimal digits (XEP-0106).
var (
	escapes = strings.NewReplacer(escaped(false)...)
	plains  = strings.NewReplacer(escaped(true)...)
)

const escapable = ` "&'/:<>@\`

func escaped(back bool) (pairs []string) {
	const digits = "0123456789abcdef"
	for _, c := range []byte(escapable) {
		code := `\` + string(digits[c>>4]) + string(digits[c&15])
		switch {
		case back:
			pairs = append(pairs, code, string(c))
		case c != '\\':
			pairs = append(pairs, string(c), code)
		}
		if !back { // a backslash only where it would look like an escape (section 4.2)
			pairs = append(pairs, code, `\5c`+code[1:])
		}
	}
	return pairs
}

// Escape turns a name into a valid localpart: a space becomes \20, and so on (XEP-0106). It removes spaces around the
// name.
func Escape(name string) string { return escapes.Replace(strings.TrimSpace(name)) }

// Unescape returns a localpart as people read it. The result is for display and never an address.
func Unescape(local string) string {
	if strings.IndexByte(local, '\\') < 0 || strings.HasPrefix(local, `\20`) || strings.HasSuffix(local, `\20`) {
		return local // section 4.3: no escaped name begins or ends with a space
	}
	return plains.Replace(local)
}

// Typed returns the localpart for the text that a person typed: the name as it is displayed, or the localpart itself.
func Typed(name string) string {
	if Unescape(name) != name {
		return name
	}
	return Escape(name)
}

// Name returns the localpart as people read it.
func (j JID) Name() string { return Unescape(j.Local()) }
