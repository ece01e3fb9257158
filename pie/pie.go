// Package pie carries accounts from one server to another (XEP-0227, Portable Import/Export): it writes them with all
// that is theirs, and reads what parley, Prosody and ejabberd have written.
//
// What an account may do by itself is done in its name when it is read (server.Host.Do), so that the limits are those
// that clients have.
package pie

import (
	"errors"
	"fmt"
	"time"

	"parley/server"
)

// XEPs is what the package implements, for docs/xeps.md.
var XEPs = []server.XEP{{Number: 227, Title: "Portable Import/Export Format for XMPP-IM Servers", Version: "1.1", Notes: "by `parley user export` and `import`; of privacy lists what blocks addresses", Partial: true}}

// Namespaces of the format.
const (
	ns        = "urn:xmpp:pie:0"
	nsScram   = "urn:xmpp:pie:0#scram"
	nsArchive = "urn:xmpp:pie:0#mam"
	nsAccount = "urn:parley:account:0" // what an account has here and the format does not know
	nsPrivate = "jabber:iq:private"
	nsPrivacy = "jabber:iq:privacy"
	nsOwner   = "http://jabber.org/protocol/pubsub#owner"
	nsVCard   = "vcard-temp"
	nsBlock   = "urn:xmpp:blocking"
)

// Config is what is not the account's own business; zero values mean the defaults.
type Config struct {
	Iterations    int // of keys made from passwords, default 4096
	MaxContacts   int // of one account, default 2000
	MaxOffline    int // messages that wait for one account, default 1000
	OfflineExpiry time.Duration
}

func (c Config) withDefaults() Config {
	if c.MaxContacts <= 0 {
		c.MaxContacts = 2000
	}
	if c.MaxOffline <= 0 {
		c.MaxOffline = 1000
	}
	if c.OfflineExpiry <= 0 {
		c.OfflineExpiry = 90 * 24 * time.Hour
	}
	return c
}

// Report says what became of an import.
type Report struct {
	Users    []string // addresses of accounts that were made, or added to
	Messages int      // archived ones
	Problems []string // what was left out, and why; at most maxProblems
	More     int      // problems that are not listed
}

const maxProblems = 1000

func (r *Report) problem(format string, args ...any) {
	if len(r.Problems) >= maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// ErrFormat is returned for a file that is not in the format, or not whole.
var ErrFormat = errors.New("pie: this is no XEP-0227 file")
