package auth

import (
	"log/slog"
	"net/netip"
	"unicode/utf8"
)

// Failures notes sign-ins that have failed, each in one line that other programs can read. A nil one notes nothing. Safe from
// any goroutine.
type Failures struct{ Log *slog.Logger }

// maxTyped is how much of what somebody has typed as an account is noted, in bytes.
const maxTyped = 100

// Note notes one: from where, by which door, why, and at which account, as it was typed; "" where none was named. It comes
// last and the log quotes it, so that nobody writes the line of another.
func (f *Failures) Note(a netip.Addr, door, why, account string) {
	if f == nil || f.Log == nil {
		return
	}
	if len(account) > maxTyped {
		n := maxTyped
		for n > 0 && !utf8.RuneStart(account[n]) {
			n--
		}
		account = account[:n] + "…"
	}
	remote := "unknown"
	if a.IsValid() {
		remote = a.Unmap().WithZone("").String()
	}
	f.Log.Info("sign-in failed", "remote", remote, "door", door, "why", why, "account", account)
}
