package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
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
	l.high = min(l.high, int64(store.FirstID(s.now().Add(time.Hour))))
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
	with := f.With
	if with == "" && f.From != f.Asker {
		with = f.From // the other side of a conversation: the index has it
	}
	w := newFilter(accountLog, f.Host, l.account, store.Page{With: with})
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
	high := l.high
	if len(l.may) == 1 || l.f.Mentioned {
		stretch = math.MaxInt64
	} else if high, err = l.newest(ctx); err != nil {
		return err
	}
	for high >= l.floor() {
		low := l.floor()
		if stretch <= high-low {
			low = high - stretch + 1
		}
		es, err := l.entries(ctx, low, high, left+1)
		if err != nil {
			return err
		}
		if len(es) > left {
			es, low = es[:left], es[left].id+1
		}
		few := len(es) < left/8
		if left -= len(es); left <= 0 {
			l.reached = max(l.reached, low)
		}
		var keys []foundKey
		for _, e := range es {
			if e.wanted {
				keys = append(keys, e.foundKey)
			}
		}
		if err := l.through(ctx, keys); err != nil {
			return err
		}
		if high = low - 1; few && stretch < math.MaxInt64/8 {
			stretch *= 8
		}
	}
	return nil
}

// newest gives the id of the newest message of the rooms that is asked for, at which the first stretch ends.
func (l *look) newest(ctx context.Context) (high int64, err error) {
	places := make(map[string]store.ID, len(l.may))
	for room, m := range l.may {
		places[room] = store.ID(max(l.low, m.since))
	}
	with, list, err := l.s.list(places)
	if err != nil {
		return 0, err
	}
	err = l.s.row(ctx, []any{&high}, with+` SELECT COALESCE(MAX(n.id), 0) FROM (SELECT (SELECT MAX(a.id)
		FROM room_archive a WHERE a.host = $1 AND a.room = l.name AND a.id <= $2 AND a.id >= l.past) AS id
		FROM l) AS n`, l.f.Rooms, l.high, list)
	return high, err
}

// floor is how far back it looks.
func (l *look) floor() int64 { return max(l.low, l.reached) }

// lookedAt is an entry that is looked at. It is wanted if its author is.
type lookedAt struct {
	foundKey
	wanted bool
}

// entries gives the newest entries of the rooms between two ids, at most limit. It counts what it looks at, not what is
// wanted: a LIMIT behind a condition that is seldom true would bound nothing.
func (l *look) entries(ctx context.Context, low, high int64, limit int) (es []lookedAt, err error) {
	if l.f.Mentioned {
		return l.mentions(ctx, low, high, limit)
	}
	sender := "''" // an index has the rest
	if l.f.From != "" {
		sender = "a.sender"
	}
	take := func(r *sql.Rows) error {
		var e lookedAt
		var said string
		if err := r.Scan(&e.owner, &e.id, &said); err != nil {
			return err
		}
		e.wanted = said == l.f.From
		es = append(es, e)
		return nil
	}
	if len(l.may) == 1 { // in the order of the index
		for room, m := range l.may {
			err = l.s.rows(ctx, take, "SELECT a.room, a.id, "+sender+" FROM room_archive a WHERE a.host = $1 "+
				"AND a.room = $2 AND a.id >= $3 AND a.id <= $4 ORDER BY a.id DESC LIMIT $5",
				l.f.Rooms, room, max(low, m.since), high, limit)
		}
		return es, err
	}
	places := make(map[string]store.ID, len(l.may))
	for room, m := range l.may {
		places[room] = store.ID(max(low, m.since))
	}
	with, list, err := l.s.list(places)
	if err != nil {
		return nil, err
	}
	err = l.s.rows(ctx, take, with+" SELECT a.room, a.id, "+sender+` FROM l CROSS JOIN room_archive a WHERE a.host = $1
		AND a.room = l.name AND a.id >= l.past AND a.id <= $2 ORDER BY a.id DESC LIMIT $4`, l.f.Rooms, high, list, limit)
	return inOrder(es), err
}

// mentions is entries for those that mention the asker.
func (l *look) mentions(ctx context.Context, low, high int64, limit int) (es []lookedAt, err error) {
	places := make(map[string]store.ID, len(l.may))
	for room, m := range l.may {
		places[room+"@"+l.f.Rooms] = store.ID(max(low, m.since))
	}
	with, list, err := l.s.list(places)
	if err != nil {
		return nil, err
	}
	err = l.s.rows(ctx, func(r *sql.Rows) error {
		e := lookedAt{wanted: true}
		err := r.Scan(&e.owner, &e.id)
		e.owner = strings.TrimSuffix(e.owner, "@"+l.f.Rooms)
		es = append(es, e)
		return err
	}, with+` SELECT DISTINCT m.room, m.id FROM l CROSS JOIN mentions m WHERE m.host = $1 AND m.owner IN ($2, '')
		AND m.room = l.name AND m.id >= l.past AND m.id <= $4 ORDER BY m.id DESC LIMIT $5`,
		l.f.Host, l.account, list, high, limit)
	return inOrder(es), err
}

// inOrder puts entries into the order in which they are found.
func inOrder(es []lookedAt) []lookedAt {
	slices.SortFunc(es, func(a, b lookedAt) int {
		return cmp.Or(cmp.Compare(b.id, a.id), strings.Compare(a.owner, b.owner))
	})
	return es
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
