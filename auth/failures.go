package auth

import (
	"log/slog"
	"net/netip"
	"unicode/utf8"
)

// Failures logs failed sign-ins, each in one line that other programs can parse. A nil value logs nothing. It is safe
// from any goroutine.
type Failures struct{ Log *slog.Logger }

// maxTyped is how much of a typed account name is logged, in bytes.
const maxTyped = 100

// Note logs a failed sign-in: the address, the way in, the reason, and the account as it was typed, or "". The account
// comes last and is quoted, so that nobody can forge another line.
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
