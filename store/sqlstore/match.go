package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"

	"parley/store"
	"parley/store/fulltext"
)

// readFound reads a page of messages with some words.
func (s *Store) readFound(ctx context.Context, l log, host, owner string,
	p store.Page) (es []store.Archived, complete bool, total int, err error) {
	q, err := fulltext.Parse(p.Text)
	if err != nil {
		return nil, false, 0, err
	}
	m := matcher{s: s, l: l, host: host, owner: owner, query: q, with: p.With}
	m.low, m.high = span(p)
	if p.Count {
		if err := m.run(ctx, false, func(store.Archived) bool { total++; return true }); err != nil {
			return nil, false, 0, err
		}
	}
	m.low = max(m.low, int64(p.After)+1)
	if p.Before != 0 {
		m.high = min(m.high, int64(p.Before)-1)
	}
	complete = true
	err = m.run(ctx, p.Backwards, func(e store.Archived) bool {
		if complete = len(es) < p.Max; complete {
			es = append(es, e)
		}
		return complete
	})
	if p.Backwards {
		slices.Reverse(es)
	}
	return es, complete, total, err
}

// matcher finds the messages of one archive that have some words: by the index, and by reading messages that are not
// indexed yet. Every message is checked before it is returned, so errors of the index do no harm.
type matcher struct {
	s           *Store
	l           log
	host, owner string
	query       fulltext.Query
	with        string // see store.Page
	low, high   int64  // ids, both included
}

// run calls f for the found messages in order, until f returns false.
func (m *matcher) run(ctx context.Context, backwards bool, f func(store.Archived) bool) error {
	if m.query.Empty() || m.low > m.high {
		return nil
	}
	upto, err := m.s.mark(ctx, m.host, m.owner)
	if err != nil {
		return err
	}
	look := func(e store.Archived) bool { return !m.query.MatchStanza(e.Stanza) || f(e) }
	parts := []func(context.Context, int64, bool, func(store.Archived) bool) (bool, error){m.indexed, m.tail}
	if backwards {
		slices.Reverse(parts)
	}
	for _, part := range parts {
		if more, err := part(ctx, upto, backwards, look); err != nil || !more {
			return err
		}
	}
	return nil
}

var errEnough = errors.New("store: enough")

// rowsUntil is rows until f returns false; then more is false.
func (s *Store) rowsUntil(ctx context.Context, f func(store.Archived) bool, q string,
	args ...any) (more bool, err error) {
	var one []store.Archived
	scan := scanArchived(&one)
	err = s.rows(ctx, func(r *sql.Rows) error {
		one = one[:0]
		if err := scan(r); err != nil {
			return err
		}
		if !f(one[0]) {
			return errEnough
		}
		return nil
	}, q, args...)
	if errors.Is(err, errEnough) {
		return false, nil
	}
	return true, err
}

// tail reads the messages that are not in the index.
func (m *matcher) tail(ctx context.Context, upto int64, backwards bool,
	f func(store.Archived) bool) (more bool, err error) {
	w := m.filter()
	w.and("id >=", max(m.low, upto+1))
	w.and("id <=", m.high)
	order := " ORDER BY id"
	if backwards {
		order += " DESC"
	}
	return m.s.rowsUntil(ctx, f, "SELECT "+m.l.columns+" FROM "+m.l.table+w.where.String()+order, w.args...)
}

func (m *matcher) filter() *filter {
	return newFilter(m.l, m.host, m.owner, store.Page{With: m.with})
}

// lookUps is how many messages named by the index are read at once.
const lookUps = 32

// indexed reads the messages that the index names.
func (m *matcher) indexed(ctx context.Context, upto int64, backwards bool,
	f func(store.Archived) bool) (more bool, err error) {
	ids, err := m.named(ctx, upto)
	if err != nil {
		return false, err
	}
	if backwards {
		slices.Reverse(ids)
	}
	for len(ids) > 0 {
		some := ids[:min(lookUps, len(ids))]
		ids = ids[len(some):]
		w := m.filter()
		oneOf(w, "id", some)
		order := " ORDER BY id"
		if backwards {
			order += " DESC"
		}
		if more, err := m.s.rowsUntil(ctx, f,
			"SELECT "+m.l.columns+" FROM "+m.l.table+w.where.String()+order, w.args...); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// named gives the messages that the index has under all of the words.
func (m *matcher) named(ctx context.Context, upto int64) (ids []int64, err error) {
	high := min(m.high, upto)
	if m.low > high {
		return nil, nil
	}
	exact, prefixes := m.query.Terms()
	for i, t := range append(exact, prefixes...) {
		some, err := m.s.readTerm(ctx, m.host, m.owner, t, i >= len(exact), m.low, high)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			some = both(ids, some)
		}
		if ids = some; len(ids) == 0 {
			return nil, nil
		}
	}
	i, _ := slices.BinarySearch(ids, m.low)
	j, _ := slices.BinarySearch(ids, high+1)
	return ids[i:j], nil
}

// both gives the common elements of two rising lists.
func both(a, b []int64) []int64 {
	out := a[:0:0]
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			out = append(out, a[0])
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// oneOf says that a column is one of some values. The text is the same for any number of them, so
// that it is prepared once.
func oneOf[T int64 | string](f *filter, column string, values []T) {
	f.where.WriteString(" AND " + column + " IN (")
	for i := range lookUps {
		if i > 0 {
			f.where.WriteByte(',')
		}
		f.args = append(f.args, values[min(i, len(values)-1)])
		f.where.WriteString("$" + strconv.Itoa(len(f.args)))
	}
	f.where.WriteByte(')')
}

// termIs is the condition for a word, or for all that begin like it, its arguments behind n others. Words are bytes: no
// engine has a collation for those.
func termIs(column, term string, prefix bool, n int) (cond string, args []any) {
	if !prefix {
		return column + " = $" + strconv.Itoa(n+1), []any{[]byte(term)}
	}
	return column + " >= $" + strconv.Itoa(n+1) + " AND " + column + " < $" + strconv.Itoa(n+2),
		[]any{[]byte(term), []byte(term + "\xff")}
}
