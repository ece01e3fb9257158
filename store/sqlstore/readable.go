package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"

	"parley/store"
	"parley/store/words"
)

// readable is the rooms that a person may read, as a subquery: $1 the organization's domain, $2 its rooms' domain, $3 who
// asks, $4 that one's account ("" if it is of another server). It says the same as org.Access and, for free rooms, muc's
// rules for archives, and for those one is not in, for lists. A room may be in it twice.
const readable = "(" + asMember + " UNION ALL " + asGuest + " UNION ALL " + asAdmin + " UNION ALL " + asAnyone + " UNION ALL " + asOccupant + " UNION ALL " + asVisitor + ") AS r"

const (
	groupRoom = ` r.name, g.id, g.name, r.theme, COALESCE(t.name, ''), `
	// ofGroups joins what a group's rooms are to g, with the asker's place in group and theme.
	ofGroups = ` JOIN rooms r ON r.host = $2 AND r.group_id = g.id AND r.destroyed = 0
		LEFT JOIN group_settings s ON s.host = $1 AND s.group_id = g.id
		LEFT JOIN group_history h ON h.host = $1 AND h.group_id = g.id
		LEFT JOIN themes t ON t.host = $1 AND t.theme_key = r.theme
		LEFT JOIN theme_people p ON p.host = $1 AND p.theme_key = r.theme AND p.jid = $3 `
	notBanned = ` (r.theme = '' OR t.theme_key IS NOT NULL) AND COALESCE(p.role, '') <> 'banned' `
	inNoGroup = ` AND NOT EXISTS (SELECT 1 FROM members m WHERE m.host = $1 AND m.group_id = g.id AND m.jid = $3) `
	// forVisitors: who is in no group is added at no time, and finds nothing where members find what is newer than that.
	forVisitors = ` COALESCE(h.since_join, 0) = 0 AND `
	hidden      = ` COALESCE(s.kind, '') = 'federated' ` // addresses are shown to moderators only

	asMember = `SELECT r.name AS owner, g.id AS group_id, g.name AS group_name, r.theme AS theme, COALESCE(t.name, '') AS theme_name,
			CASE WHEN m.role = 'member' AND ` + hidden + ` THEN 0 ELSE 1 END AS named,
			CASE WHEN m.role = 'member' AND COALESCE(h.since_join, 0) = 1 THEN (m.since - 1577836800000000) * 4096 ELSE 0 END AS since
		FROM members m JOIN org_groups g ON g.host = m.host AND g.id = m.group_id AND g.deleted = 0` + ofGroups + `
		WHERE m.host = $1 AND m.jid = $3 AND ` + notBanned + ` AND ` + enabled + `
			AND (m.role IN ('owner', 'moderator') OR m.role = 'member' AND (r.theme = '' OR t.restricted = 0 OR p.role IS NOT NULL))`

	asGuest = `SELECT` + groupRoom + `CASE WHEN ` + hidden + ` THEN 0 ELSE 1 END, 0
		FROM theme_people p JOIN themes t ON t.host = p.host AND t.theme_key = p.theme_key
		JOIN org_groups g ON g.host = t.host AND g.id = t.group_id AND g.deleted = 0
		JOIN rooms r ON r.host = $2 AND r.group_id = g.id AND r.theme = t.theme_key AND r.destroyed = 0
		LEFT JOIN group_settings s ON s.host = $1 AND s.group_id = g.id
		LEFT JOIN group_history h ON h.host = $1 AND h.group_id = g.id
		WHERE p.host = $1 AND p.jid = $3 AND p.role = 'guest' AND ` + forVisitors + enabled + inNoGroup

	asAdmin = `SELECT` + groupRoom + `1, 0
		FROM users u JOIN org_groups g ON g.host = u.host AND g.deleted = 0` + ofGroups + `
		WHERE u.host = $1 AND u.name = $4 AND u.admin = 1 AND u.disabled = 0 AND ` + notBanned + ` AND COALESCE(p.role, '') <> 'guest'` + inNoGroup

	// Large groups are read by everyone of the organization.
	asAnyone = `SELECT` + groupRoom + `1, 0
		FROM group_settings l JOIN org_groups g ON g.host = l.host AND g.id = l.group_id AND g.deleted = 0` + ofGroups + `
		WHERE l.host = $1 AND l.kind = 'large' AND $4 <> '' AND ` + forVisitors + notBanned + ` AND (r.theme = '' OR t.restricted = 0) AND ` + enabled + inNoGroup

	// since is the first id that may be read: store.FirstID in SQL.
	asOccupant = `SELECT r.name, '', '', '', '', CASE WHEN a.affiliation IN ('owner', 'admin') THEN 1 ELSE COALESCE(x.named, 0) END,
			CASE WHEN a.affiliation = 'member' AND x.since_added = 1 THEN COALESCE((s.since - 1577836800000000) * 4096, 0) ELSE 0 END
		FROM affiliations a JOIN rooms r ON r.host = a.host AND r.name = a.room AND r.group_id = '' AND r.destroyed = 0
		LEFT JOIN room_readers x ON x.host = a.host AND x.room = a.room
		LEFT JOIN affiliation_since s ON s.host = a.host AND s.room = a.room AND s.jid = a.jid
		WHERE a.host = $2 AND a.jid = $3 AND ` + enabled + `
			AND (a.affiliation IN ('owner', 'admin') OR a.affiliation = 'member' AND COALESCE(x.readers, 'members') <> 'admins')`

	// Of free rooms that everyone may enter, those that are listed too.
	asVisitor = `SELECT r.name, '', '', '', '', x.named, 0
		FROM room_readers x JOIN rooms r ON r.host = x.host AND r.name = x.room AND r.group_id = '' AND r.destroyed = 0
		WHERE x.host = $2 AND x.readers = 'anyone' AND x.since_added = 0 AND $4 <> '' AND ` + enabled + `
			AND NOT EXISTS (SELECT 1 FROM affiliations a WHERE a.host = x.host AND a.room = x.room
				AND (a.jid = $3 AND a.affiliation IN ('owner', 'admin', 'member', 'outcast') OR a.jid = $1 AND a.affiliation = 'outcast'))`
)

// enabled: an account of the host has to be there and not disabled.
const enabled = `($4 = '' OR EXISTS (SELECT 1 FROM users e WHERE e.host = $1 AND e.name = $4 AND e.disabled = 0))`

func (s *Store) SearchMessages(ctx context.Context, f store.Find) ([]store.Found, bool, error) {
	q, err := words.Parse(f.Text)
	if err != nil || q.Empty() {
		return nil, true, err
	}
	if err := s.settleAll(ctx); err != nil {
		return nil, false, err
	}
	n := &search{s: s, f: f, query: q, account: localUser(f.Host, f.Asker), max: f.Max + 1, seen: make(map[foundKey]bool)}
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
	query     words.Query
	account   string
	low, high int64
	max       int
	found     []store.Found
	seen      map[foundKey]bool
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
		n.low = max(n.low, int64(n.found[n.max-1].ID)) // nothing older is wanted any more
	}
}

// own searches the asker's archive.
func (n *search) own(ctx context.Context) error {
	f := &n.f
	if n.account == "" || f.Group != "" || f.Theme != "" || f.Room != "" {
		return nil
	}
	var one int64
	err := n.s.row(ctx, []any{&one}, "SELECT 1 FROM users WHERE host = $1 AND name = $2 AND disabled = 0", f.Host, n.account)
	if err != nil {
		return ignoreNotFound(err)
	}
	l := accountLog
	l.columns = "id, stanza, with_bare, incoming"
	m := &matcher{s: n.s, l: l, host: f.Host, owner: n.account, query: n.query, low: n.low, high: n.high}
	count := 0
	return m.run(ctx, true, func(e store.Archived) bool {
		g := store.Found{ID: e.ID, Stanza: e.Stanza, With: e.Sender, Incoming: e.Seq == 1, Sender: f.Asker}
		if g.Incoming {
			g.Sender = g.With
		}
		if g.With == f.Except && f.Except != "" || f.From != "" && g.Sender != f.From {
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

// scope gives the arguments of readable, and what of it is asked for.
func (n *search) scope() (*filter, string) {
	w := &filter{args: []any{n.f.Host, n.f.Rooms, n.f.Asker, n.account}}
	for _, c := range []struct{ column, value string }{{"r.group_id", n.f.Group}, {"r.theme", n.f.Theme}, {"r.owner", n.f.Room}} {
		if c.value != "" {
			w.and(c.column+" =", c.value)
		}
	}
	return w, readable
}

const foundColumns = "a.id, a.stanza, a.room, r.group_id, r.group_name, r.theme, r.theme_name, a.nick, CASE WHEN r.named = 1 THEN a.sender ELSE '' END"

// rooms searches the rooms: first what is not in the index, then what the index names.
func (n *search) rooms(ctx context.Context) error {
	w, from := n.scope()
	n.said(w)
	w.and("a.id >=", n.low)
	w.and("a.id <=", n.high)
	err := n.read(ctx, "SELECT "+foundColumns+" FROM "+from+` LEFT JOIN search_marks k ON k.host = $2 AND k.owner = r.owner
		JOIN room_archive a ON a.host = $2 AND a.room = r.owner AND a.id >= r.since AND a.id > COALESCE(k.upto, 0) WHERE 1 = 1`+w.where.String(), w.args)
	if err != nil {
		return err
	}
	n.cut()
	named, err := n.named(ctx)
	if err != nil {
		return err
	}
	return n.lookUp(ctx, named)
}

// said is the filter for who has said it.
func (n *search) said(w *filter) {
	if n.f.From != "" {
		w.and("r.named = 1 AND a.sender =", n.f.From)
	}
}

// read takes rows of foundColumns that have the words.
func (n *search) read(ctx context.Context, q string, args []any) error {
	return n.s.rows(ctx, func(r *sql.Rows) error {
		var f store.Found
		if err := r.Scan(&f.ID, &f.Stanza, &f.Room, &f.Group, &f.GroupName, &f.Theme, &f.ThemeName, &f.Nick, &f.Sender); err != nil {
			return err
		}
		if int64(f.ID) >= n.low && n.query.Match(words.Of(f.Stanza)) {
			n.add(f)
		}
		return nil
	}, q, args...)
}

// named gives what the index has under all of the words, newest first.
func (n *search) named(ctx context.Context) (named []foundKey, err error) {
	exact, prefixes := n.query.Terms()
	var have map[string][]int64
	for i, t := range append(exact, prefixes...) {
		w, from := n.scope()
		w.and("t.high >=", n.low)
		w.and("t.low <=", n.high)
		cond, more := termIs("t.term", t, i >= len(exact), len(w.args))
		some := make(map[string][]int64)
		err := n.s.rows(ctx, func(r *sql.Rows) error {
			var owner string
			var b sql.RawBytes
			if err := r.Scan(&owner, &b); err != nil {
				return err
			}
			if _, ok := have[owner]; i > 0 && !ok {
				return nil
			}
			ids, err := unpackIDs(some[owner], b)
			some[owner] = ids
			return err
		}, "SELECT r.owner, t.ids FROM "+from+" JOIN search_terms t ON t.host = $2 AND t.owner = r.owner AND "+cond+" WHERE 1 = 1"+w.where.String(), append(w.args, more...)...)
		if err != nil {
			return nil, err
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
		have = some
	}
	for owner, ids := range have {
		for _, id := range ids {
			if id >= n.low && id <= n.high && !n.seen[foundKey{owner, id}] {
				named = append(named, foundKey{owner, id})
			}
		}
	}
	slices.SortFunc(named, func(a, b foundKey) int { return cmp.Or(cmp.Compare(b.id, a.id), strings.Compare(a.owner, b.owner)) })
	return named, nil
}

// lookUp reads what the index names, until there is nothing newer to be found.
func (n *search) lookUp(ctx context.Context, named []foundKey) error {
	for len(named) > 0 && named[0].id >= n.low {
		some := named[:min(len(named), lookUps)]
		named = named[len(some):]
		var ids []int64
		var rooms []string
		for _, k := range some {
			ids, rooms = append(ids, k.id), append(rooms, k.owner)
		}
		w, from := n.scope()
		n.said(w)
		oneOf(w, "a.id", ids)
		oneOf(w, "r.owner", rooms)
		err := n.read(ctx, "SELECT "+foundColumns+" FROM "+from+" JOIN room_archive a ON a.host = $2 AND a.room = r.owner AND a.id >= r.since WHERE 1 = 1"+w.where.String(), w.args)
		if err != nil {
			return err
		}
		if len(n.found) >= n.max {
			n.cut()
		}
	}
	return nil
}
