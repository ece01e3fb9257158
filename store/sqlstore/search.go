package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"strings"

	"parley/store"
	"parley/store/fulltext"
)

// SearchMessages gives the newest messages first, and whether there are no older ones.
func (s *Store) SearchMessages(ctx context.Context, f store.Find) ([]store.Found, bool, error) {
	q, err := fulltext.Parse(f.Text)
	if err != nil || q.Empty() {
		return nil, true, err
	}
	if err := s.settleAll(ctx); err != nil {
		return nil, false, err
	}
	n := &search{
		s:       s,
		f:       f,
		query:   q,
		match:   q.MatchStanza,
		account: localUser(f.Host, f.Asker),
		max:     f.Max + 1,
		seen:    make(map[foundKey]bool),
	}
	n.low, n.high = span(store.Page{Start: f.After, End: f.Before})
	if f.Older != 0 {
		n.high = min(n.high, int64(f.Older)-1)
	}
	if n.low > n.high {
		return nil, true, nil
	}
	if err := n.own(ctx); err != nil {
		return nil, false, err
	}
	if err := n.rooms(ctx); err != nil {
		return nil, false, err
	}
	n.cut()
	if len(n.found) > f.Max {
		return n.found[:f.Max], false, nil
	}
	return n.found, true, nil
}

// search is one search: found are the newest so far.
type search struct {
	s         *Store
	f         store.Find
	query     fulltext.Query
	match     func(stanza []byte) bool
	account   string
	low, high int64
	max       int
	found     []store.Found
	seen      map[foundKey]bool
	may       map[string]*mayRead // rooms, by name
}

type foundKey struct {
	owner string
	id    int64
}

func (n *search) add(f store.Found) {
	if k := (foundKey{f.Room, int64(f.ID)}); !n.seen[k] {
		n.seen[k] = true
		if n.found = append(n.found, f); len(n.found) >= 4*n.max {
			n.cut()
		}
	}
}

// cut leaves the newest.
func (n *search) cut() {
	slices.SortFunc(n.found, func(a, b store.Found) int {
		return cmp.Or(cmp.Compare(b.ID, a.ID), strings.Compare(a.Room, b.Room))
	})
	if len(n.found) >= n.max {
		clear(n.found[n.max:])
		n.found = n.found[:n.max]
		n.low = max(n.low, int64(n.found[n.max-1].ID)) // older messages are not wanted
	}
}

// own searches the asker's archive.
func (n *search) own(ctx context.Context) error {
	f := &n.f
	if n.account == "" || f.Group != "" || f.Theme != "" || f.Room != "" {
		return nil
	}
	var one int64
	err := n.s.row(ctx, []any{&one},
		"SELECT 1 FROM users WHERE host = $1 AND name = $2 AND disabled = 0", f.Host, n.account)
	if err != nil {
		return ignoreNotFound(err)
	}
	l := accountLog
	l.columns = "id, stanza, with_bare, incoming, ''"
	m := &matcher{s: n.s, l: l, host: f.Host, owner: n.account, query: n.query, low: n.low, high: n.high}
	count := 0
	return m.run(ctx, true, func(e store.Archived) bool {
		g := store.Found{ID: e.ID, Stanza: e.Stanza, With: e.Sender, Incoming: e.Seq == 1, Sender: f.Asker}
		if g.Incoming {
			g.Sender = g.With
		}
		if g.With == f.Except && f.Except != "" || f.From != "" && g.Sender != f.From ||
			f.With != "" && g.With != f.With {
			return true
		}
		n.add(g)
		count++
		return count < n.max
	})
}

func ignoreNotFound(err error) error {
	if err == store.ErrNotFound {
		return nil
	}
	return err
}

// rooms searches the rooms: first the messages that are not in the index, then those that the index names.
func (n *search) rooms(ctx context.Context) (err error) {
	if n.f.With != "" {
		return nil
	}
	if n.may, err = n.s.readables(ctx, n.f, n.account); err != nil {
		return err
	}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(n.may)), lookUps) {
		if err := n.tails(ctx, names); err != nil {
			return err
		}
	}
	n.cut()
	named, err := n.named(ctx)
	if err != nil {
		return err
	}
	return n.lookUp(ctx, named)
}

const foundColumns = "a.id, a.stanza, a.room, a.nick, a.sender"

// tails reads what some rooms have that is not in the index. They are in one parameter of text: CockroachDB takes each
// parameter in a WITH for a text, whatever it is cast to.
func (n *search) tails(ctx context.Context, names []string) error {
	after := make(map[string]store.ID, len(names))
	first := n.high
	for _, name := range names {
		m := n.may[name]
		after[name] = store.ID(m.after)
		first = min(first, m.after)
	}
	with, list, err := n.s.list(after)
	if err != nil {
		return err
	}
	w := &filter{args: []any{n.f.Rooms, n.high, list}}
	n.said(w)
	w.and("a.id >=", max(n.low, first)) // for the query planner
	return n.read(ctx, with+" SELECT "+foundColumns+" FROM l CROSS JOIN room_archive a WHERE a.host = $1 "+
		"AND a.room = l.name AND a.id > l.past AND a.id <= $2"+w.where.String(), w.args)
}

// said is the filter for a message's author.
func (n *search) said(w *filter) {
	if n.f.From != "" {
		w.and("a.sender =", n.f.From)
	}
}

// read takes rows of foundColumns that have the words.
func (n *search) read(ctx context.Context, q string, args []any) error {
	return n.s.rows(ctx, func(r *sql.Rows) error {
		var id int64
		var stanza, room, nick, sender sql.RawBytes
		if err := r.Scan(&id, &stanza, &room, &nick, &sender); err != nil {
			return err
		}
		m := n.may[string(room)]
		if m == nil || id < n.low || id < m.since || !n.match(stanza) {
			return nil
		}
		f := m.Found
		f.ID, f.Stanza, f.Nick = store.ID(id), slices.Clone([]byte(stanza)), string(nick)
		f.From = store.ID(m.since)
		if m.named {
			f.Sender = string(sender)
		}
		n.add(f)
		return nil
	}, q, args...)
}

// named returns the entries that the index has under all of the words, newest first.
func (n *search) named(ctx context.Context) (named []foundKey, err error) {
	exact, prefixes := n.query.Terms()
	names := slices.Sorted(maps.Keys(n.may))
	var have map[string][]int64
	for i, t := range append(exact, prefixes...) {
		some := make(map[string][]int64)
		for part := range slices.Chunk(names, lookUps) {
			if err := n.term(ctx, t, i >= len(exact), part, some); err != nil {
				return nil, err
			}
		}
		for owner, ids := range some {
			slices.Sort(ids)
			ids = slices.Compact(ids)
			if i > 0 {
				ids = both(have[owner], ids)
			}
			if some[owner] = ids; len(ids) == 0 {
				delete(some, owner)
			}
		}
		have, names = some, slices.Sorted(maps.Keys(some)) // the search for the next word looks only at those
	}
	for owner, ids := range have {
		for _, id := range ids {
			if id >= max(n.low, n.may[owner].since) && id <= n.high && !n.seen[foundKey{owner, id}] {
				named = append(named, foundKey{owner, id})
			}
		}
	}
	slices.SortFunc(named, func(a, b foundKey) int {
		return cmp.Or(cmp.Compare(b.id, a.id), strings.Compare(a.owner, b.owner))
	})
	return named, nil
}

// term adds the messages of some rooms that the index has under a word.
func (n *search) term(ctx context.Context, term string, prefix bool, names []string, into map[string][]int64) error {
	w := &filter{args: []any{n.f.Rooms}}
	oneOf(w, "owner", names)
	w.and("high >=", n.low)
	w.and("low <=", n.high)
	cond, more := termIs("term", term, prefix, len(w.args))
	return n.s.rows(ctx, func(r *sql.Rows) error {
		var owner string
		var b sql.RawBytes
		if err := r.Scan(&owner, &b); err != nil {
			return err
		}
		ids, err := unpackIDs(into[owner], b)
		into[owner] = ids
		return err
	}, "SELECT owner, ids FROM search_terms WHERE host = $1 AND "+cond+w.where.String(), append(w.args, more...)...)
}

// lookUp reads the entries that the index names, until no newer ones can be found.
func (n *search) lookUp(ctx context.Context, named []foundKey) error {
	for len(named) > 0 && named[0].id >= n.low {
		some := named[:min(len(named), lookUps)]
		named = named[len(some):]
		var ids []int64
		var rooms []string
		for _, k := range some {
			ids, rooms = append(ids, k.id), append(rooms, k.owner)
		}
		w := &filter{args: []any{n.f.Rooms}}
		n.said(w)
		oneOf(w, "a.id", ids)
		oneOf(w, "a.room", rooms)
		if err := n.read(ctx, "SELECT "+foundColumns+" FROM room_archive a WHERE a.host = $1"+
			w.where.String(), w.args); err != nil {
			return err
		}
		if len(n.found) >= n.max {
			n.cut()
		}
	}
	return nil
}
