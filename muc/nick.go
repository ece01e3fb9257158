package muc

import (
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"parley/server"
	"parley/wire/jid"
)

// Nicknames: which can be one, which look alike, whose they are (XEP-0045, sections 7.2.8, 7.10, 7.12, 17.1).

const maxNick = 1023 // bytes

// errNoNick refuses a nick.
var errNoNick = server.WithText(server.NotAcceptable, "this cannot be a nickname")

// CheckNick gives a nick as rooms have it (PRECIS), or a stanza error if it cannot be one.
func CheckNick(nick string) (string, error) {
	if nick == "" || len(nick) > maxNick {
		return "", server.WithText(server.NotAcceptable, "a nickname is missing or too long")
	}
	j, err := jid.New("r", "s.example", nick)
	if err != nil || NickKey(nick) == "" {
		return "", errNoNick
	}
	return j.Resource(), nil
}

// NickKey is equal for nicks that people would take for the same: whatever their case, width and spaces, and with what
// cannot be seen left out. It is "" for a nick of which nothing can be seen (section 17.1 forbids these).
func NickKey(nick string) string {
	if plainNick(nick) {
		return strings.ToLower(nick)
	}
	s := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r), unicode.Is(unicode.Variation_Selector, r), blank(r):
			return -1
		}
		return r
	}, cases.Fold().String(norm.NFKC.String(nick)))
	return strings.Join(strings.Fields(s), " ")
}

// blank is a letter or symbol that is drawn as nothing.
func blank(r rune) bool {
	switch r {
	case '\u034f', '\u115f', '\u1160', '\u2800', '\u3164', '\uffa0':
		return true
	}
	return false
}

// plainNick is one of letters and digits that needs no table.
func plainNick(nick string) bool {
	for i := range len(nick) {
		if c := nick[i]; c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}

// taken says whether somebody else is here under this nick, or under one that looks like it, or speaks under it.
func (r *Room) taken(nick string, who jid.JID) bool {
	key := NickKey(nick)
	o := r.keys[key]
	return o != nil && o.bare != who || r.spokenFor(key, who, time.Now())
}

// nameAs gives an occupant its nick.
func (r *Room) nameAs(o *Occupant, nick string, j jid.JID) {
	r.unname(o)
	o.nick, o.jid = nick, j
	r.nicks[nick] = o
	r.keys[NickKey(nick)] = o
}

// unname takes an occupant's nick away. One person may be here under two nicks that look alike: the
// key stays with the other.
func (r *Room) unname(o *Occupant) {
	if o.nick == "" || r.nicks[o.nick] != o {
		return
	}
	delete(r.nicks, o.nick)
	key := NickKey(o.nick)
	if r.keys[key] != o {
		return
	}
	delete(r.keys, key)
	for _, other := range r.nicks {
		if other.bare == o.bare && NickKey(other.nick) == key {
			r.keys[key] = other
		}
	}
}
