// Package transfer carries accounts from one server to another in files of XEP-0227 (Portable Import/Export). It writes
// accounts with everything that belongs to them, and reads the files of parley, Prosody and ejabberd.
//
// What clients can do for their account, an import does in the account's name (server.Host.Do), so that the same limits
// apply.
package transfer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"parley/server"
)

// XEPs lists what the package implements, for docs/xeps.md.
var XEPs = []server.XEP{{
	Number:  227,
	Title:   "Portable Import/Export Format for XMPP-IM Servers",
	Version: "1.1",
	Notes:   "by `parley user export` and `import`; of privacy lists what blocks addresses",
	Partial: true,
}}

// Namespaces of the format.
const (
	ns        = "urn:xmpp:pie:0"
	nsScram   = "urn:xmpp:pie:0#scram"
	nsArchive = "urn:xmpp:pie:0#mam"
	nsAccount = "urn:parley:account:0" // parley's own element
	nsPrivate = "jabber:iq:private"
	nsPrivacy = "jabber:iq:privacy"
	nsOwner   = "http://jabber.org/protocol/pubsub#owner"
	nsVCard   = "vcard-temp"
	nsBlock   = "urn:xmpp:blocking"
)

// Config holds the limits of imported accounts; zero values mean the defaults.
type Config struct {
	Store         Store
	Iterations    int // SCRAM iterations for keys made from passwords, default 4096
	MaxContacts   int // per account, default 2000
	MaxOffline    int // waiting messages per account, default 1000
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

// Report is the result of an import.
type Report struct {
	Users    []string // addresses of accounts that were made or added to
	Messages int      // archived messages
	Problems []string // what was left out and why; at most maxProblems
	More     int      // further problems
	Kinds    []Kind   // how much was imported and left out, in a fixed order, without kinds that did not occur
}

// Kind counts things of one kind.
type Kind struct {
	Name    string // in the plural
	Taken   int
	LeftOut int
}

// Kinds of things, in the order of a report.
const (
	kindAccounts  = "accounts"
	kindPasswords = "passwords"
	kindProfiles  = "profiles"
	kindContacts  = "contacts"
	kindBlocked   = "lists of blocked addresses"
	kindCards     = "cards"
	kindPictures  = "pictures"
	kindBookmarks = "bookmarks"
	kindPrivate   = "private data"
	kindItems     = "items of nodes"
	kindNodes     = "settings of nodes"
	kindMessages  = "messages"
	kindWaiting   = "waiting messages"
	kindOther     = "other things"
)

var kinds = []string{
	kindAccounts, kindPasswords, kindProfiles, kindContacts, kindBlocked, kindCards, kindPictures,
	kindBookmarks, kindPrivate, kindItems, kindNodes, kindMessages, kindWaiting, kindOther,
}

const maxProblems = 1000

func (r *Report) problem(kind, format string, args ...any) {
	r.count(kind, 0, 1)
	if len(r.Problems) >= maxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (r *Report) count(kind string, taken, leftOut int) {
	at := func(k string) int { return slices.Index(kinds, k) }
	i, ok := slices.BinarySearchFunc(r.Kinds,
		kind, func(k Kind, name string) int { return cmp.Compare(at(k.Name), at(name)) })
	if !ok {
		r.Kinds = slices.Insert(r.Kinds, i, Kind{Name: kind})
	}
	r.Kinds[i].Taken += taken
	r.Kinds[i].LeftOut += leftOut
}

// ErrFormat is returned for a file that is not in the format, or not whole.
var ErrFormat = errors.New("this is not an XEP-0227 file")
