package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/store"
)

// Limits of one look without words. Entries are cheap, their stanzas are not: an author's name is read without them.
const (
	lookEntries = 20_000
	lookStanzas = 2_000
	lookBytes   = 8 << 20
)

// lookFirst is how much time, in ids, the first look at many rooms covers. The next one covers more if it found little.
const lookFirst = int64(time.Hour/time.Microsecond) << 12

// LookMessages gives messages by filters alone, the newest first.
func (s *Store) LookMessages(ctx context.Context, f store.Find) (store.Looked, error) {
	if err := s.settleAll(ctx); err != nil {
		return store.Looked{}, err
	}
	l := &look{stanzas: lookStanzas, bytes: lookBytes, search: search{
		s:       s,
		f:       f,
		account: localUser(f.Host, f.Asker),
		max:     f.Max + 1,
		seen:    make(map[foundKey]bool),
	}}
	l.match = l.wanted
	l.low, l.high = span(store.Page{Start: f.After, End: f.Before})
	l.high = min(l.high, int64(store.FirstID(time.Now().Add(time.Hour))))
	if f.Older != 0 {
		l.high = min(l.high, int64(f.Older)-1)
	}
	if l.low > l.high {
		return store.Looked{}, nil
	}
	for _, part := range []func(context.Context) error{l.own, l.rooms} {
		if err := part(ctx); err != nil {
			return store.Looked{}, err
		}
	}
	return l.looked(), nil
}

// look is a search without words. Its stanzas and bytes are what may still be read.
type look struct {
	search
	stanzas, bytes int
	reached        int64 // what is older was not looked at: the budget is spent
}

// looked gives what was found no further back than everything was looked at.
func (l *look) looked() store.Looked {
	l.cut()
	found := l.found
	if n := slices.IndexFunc(found, func(m store.Found) bool { return int64(m.ID) < l.reached }); n >= 0 {
		found = found[:n]
	}
	if len(found) > l.f.Max {
		found = found[:l.f.Max]
		return store.Looked{Found: found, Upto: found[l.f.Max-1].ID}
	}
	return store.Looked{Found: found, Upto: store.ID(l.reached)}
}

// wanted says whether a stanza shows something, and has one of the texts that are asked for.
func (l *look) wanted(stanza []byte) bool {
	l.stanzas--
	l.bytes -= len(stanza)
	text := string(stanza)
	if !strings.Contains(text, "<body") {
		return false
	}
	return len(l.f.Any) == 0 || slices.ContainsFunc(l.f.Any, func(s string) bool { return strings.Contains(text, s) })
}

// own looks through the asker's archive.
func (l *look) own(ctx context.Context) error {
	f := &l.f
	if l.account == "" || f.Group != "" || f.Theme != "" || f.Room != "" || f.Mentioned {
		return nil
	}
	var one int64
	err := l.s.row(ctx, []any{&one},
		"SELECT 1 FROM users WHERE host = $1 AND name = $2 AND disabled = 0", f.Host, l.account)
	if err != nil {
		return ignoreNotFound(err)
	}
	w := newFilter(accountLog, f.Host, l.account, store.Page{With: f.With})
	switch f.From {
	case "":
	case f.Asker:
		w.and("incoming =", 0)
	default: // the other side of a conversation: the index has it
		if f.With == "" {
			w.and("with_bare =", f.From)
		}
		w.and("incoming =", 1)
	}
	w.and("id >=", l.low)
	w.and("id <=", l.high)
	w.args = append(w.args, lookStanzas+1)
	count := 0
	_, err = l.s.rowsUntil(ctx, func(e store.Archived) bool {
		if l.stanzas <= 0 || l.bytes <= 0 {
			l.reached = int64(e.ID) + 1
			return false
		}
		g := store.Found{ID: e.ID, Stanza: e.Stanza, With: e.Sender, Incoming: e.Seq == 1, Sender: f.Asker}
		if g.Incoming {
			g.Sender = g.With
		}
		if l.wanted(e.Stanza) && (f.Except == "" || g.With != f.Except) && (f.From == "" || g.Sender == f.From) {
			l.add(g)
			count++
		}
		return count < l.max
	}, "SELECT id, stanza, with_bare, incoming, '' FROM archive"+w.where.String()+" ORDER BY id DESC LIMIT $"+
		strconv.Itoa(len(w.args)), w.args...)
	l.cut()
	return err
}

// rooms looks through the rooms, from the newest messages on, through one stretch of time after the other.
func (l *look) rooms(ctx context.Context) (err error) {
	if l.f.With != "" {
		return nil
	}
	if l.may, err = l.s.readables(ctx, l.f, l.account); err != nil || len(l.may) == 0 {
		return err
	}
	l.stanzas, l.bytes = lookStanzas, lookBytes // of their own
	left := lookEntries
	stretch := lookFirst
	if len(l.may) == 1 || l.f.Mentioned {
		stretch = math.MaxInt64
	}
	for high := l.high; high >= l.floor(); {
		low := l.floor()
		if stretch <= high-low {
			low = high - stretch + 1
		}
		keys, err := l.entries(ctx, low, high, left+1)
		if err != nil {
			return err
		}
		if len(keys) > left {
			keys, low = keys[:left], keys[left].id+1
		}
		if left -= len(keys); left <= 0 {
			l.reached = max(l.reached, low)
		}
		if err := l.through(ctx, keys); err != nil {
			return err
		}
		if high = low - 1; len(keys) < left/8 && stretch < math.MaxInt64/8 {
			stretch *= 8
		}
	}
	return nil
}

// floor is how far back it looks.
func (l *look) floor() int64 { return max(l.low, l.reached) }

// entries gives the newest entries of the rooms between two ids, at most limit.
func (l *look) entries(ctx context.Context, low, high int64, limit int) (keys []foundKey, err error) {
	places := make(map[string]store.ID, len(l.may))
	names := make(map[string]string, len(l.may))
	for _, room := range slices.Sorted(maps.Keys(l.may)) {
		name := room
		if l.f.Mentioned {
			name += "@" + l.f.Rooms
		}
		places[name], names[name] = store.ID(max(low, l.may[room].since)), room
	}
	with, list, err := l.s.list(places)
	if err != nil {
		return nil, err
	}
	q := with + ` SELECT a.room, a.id FROM l CROSS JOIN room_archive a WHERE a.host = $1 AND a.room = l.name
		AND a.id >= l.past AND a.id <= $4 AND ($2 = '' OR a.sender = $2) ORDER BY a.id DESC LIMIT $5`
	host, who := l.f.Rooms, l.f.From
	if l.f.Mentioned {
		q = with + ` SELECT DISTINCT m.room, m.id FROM l CROSS JOIN mentions m WHERE m.host = $1
			AND m.owner IN ($2, '') AND m.room = l.name AND m.id >= l.past AND m.id <= $4 ORDER BY m.id DESC LIMIT $5`
		host, who = l.f.Host, l.account
	}
	err = l.s.rows(ctx, func(r *sql.Rows) error {
		var k foundKey
		err := r.Scan(&k.owner, &k.id)
		k.owner = names[k.owner]
		keys = append(keys, k)
		return err
	}, q, host, who, list, high, limit)
	slices.SortFunc(keys, func(a, b foundKey) int {
		return cmp.Or(cmp.Compare(b.id, a.id), strings.Compare(a.owner, b.owner))
	})
	return keys, err
}

// through reads entries, the newest first, until enough is found or the budget is spent.
func (l *look) through(ctx context.Context, keys []foundKey) error {
	for len(keys) > 0 && keys[0].id >= l.floor() {
		if l.stanzas <= 0 || l.bytes <= 0 {
			l.reached = max(l.reached, keys[0].id+1)
			return nil
		}
		some := keys[:min(len(keys), lookUps)]
		keys = keys[len(some):]
		if err := l.lookUp(ctx, some); err != nil {
			return err
		}
		if len(l.found) >= l.max {
			l.cut()
		}
	}
	return nil
}
