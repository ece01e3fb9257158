package jid

import "strings"

// Signs that no localpart may have are written in it as a backslash and two digits (XEP-0106).
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
		if !back { // a backslash only where it would be taken for an escape (section 4.2)
			pairs = append(pairs, code, `\5c`+code[1:])
		}
	}
	return pairs
}

// Escape writes a name as a localpart can have it: signs that no localpart may have become \20 and the like. Spaces about the
// name are left out.
func Escape(name string) string { return escapes.Replace(strings.TrimSpace(name)) }

// Unescape gives a localpart as people read it: it is for showing, never for addressing.
func Unescape(local string) string {
	if strings.IndexByte(local, '\\') < 0 || strings.HasPrefix(local, `\20`) || strings.HasSuffix(local, `\20`) {
		return local // section 4.3: no escaped name begins or ends with a space
	}
	return plains.Replace(local)
}

// Typed gives the localpart for what a person has typed: the name as it is shown, or the localpart itself.
func Typed(name string) string {
	if Unescape(name) != name {
		return name
	}
	return Escape(name)
}

// Name is the localpart as people read it.
func (j JID) Name() string { return Unescape(j.Local()) }
