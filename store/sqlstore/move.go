package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
)

// rows are the journal's entries for one table, to be inserted.
type rows struct {
	table *table
	list  []row
	order []int // of list, as it is inserted
}

// mover holds the buffers, which every move uses again.
type mover struct {
	all  [len(moves)]rows
	args []any
}

func newMover() *mover {
	m := new(mover)
	for i := range moves {
		m.all[i].table = &moves[i]
	}
	return m
}

// free drops the references to the entries.
func (m *mover) free() {
	for i := range m.all {
		r := &m.all[i]
		clear(r.list)
		r.list, r.order = r.list[:0], r.order[:0]
		if cap(r.list) > 4*moveBytes/512 {
			r.list, r.order = nil, nil
		}
	}
	clear(m.args[:cap(m.args)])
	m.args = m.args[:0]
}

// row holds the columns of one row, with the key apart.
type row struct {
	host, owner string
	id          int64
	columns     [roomColumnCount]any
}

const roomColumnCount = 11 // of room_archive, the table with the most

// move writes entries and the position that they reach to into the database, in one transaction that is on the disk
// when it returns. The caller holds moving.
func (s *Store) move(ctx context.Context, entries []byte, upTo position) error {
	m := s.mover
	defer m.free()
	d := decoder{b: entries, names: make(map[string]any)}
	for len(d.b) > 0 {
		kind, err := d.kind()
		if err != nil {
			return err
		}
		l := &m.all[kind-1].list
		*l = append(*l, row{})
		if err := d.row(kind, &(*l)[len(*l)-1]); err != nil {
			return err
		}
	}
	if err := s.prepareMoves(ctx); err != nil {
		return err
	}
	highest := m.highest()
	err := s.tx(ctx, func(tx *sql.Tx) error {
		for i := range m.all {
			if err := s.insertRows(ctx, tx, m, &m.all[i]); err != nil {
				return err
			}
		}
		if highest > s.marked.Load() {
			if _, err := tx.ExecContext(ctx, raiseMark, highest); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE journal SET number = ?, off = ?", upTo.number, upTo.off)
		return err
	})
	if err == nil {
		s.noteMark(highest)
	}
	return err
}

// highest gives the highest id of all rows.
func (m *mover) highest() (id int64) {
	for i := range m.all {
		for _, r := range m.all[i].list {
			id = max(id, r.id)
		}
	}
	return id
}

func (s *Store) insertRows(ctx context.Context, tx *sql.Tx, m *mover, rs *rows) error {
	for i := range rs.list {
		rs.order = append(rs.order, i)
	}
	// The keys are trees: entries of one owner, one after the other, touch few of their pages.
	slices.SortFunc(rs.order, func(i, j int) int {
		a, b := &rs.list[i], &rs.list[j]
		return cmp.Or(strings.Compare(a.host, b.host), strings.Compare(a.owner, b.owner), cmp.Compare(a.id, b.id))
	})
	n := rs.table.columns
	m.args = m.args[:0]
	for _, i := range rs.order {
		m.args = append(m.args, rs.list[i].columns[:n]...)
		if len(m.args) == sizes[0]*n {
			if err := s.insert(ctx, tx, rs.table, m.args); err != nil {
				return err
			}
			m.args = m.args[:0]
		}
	}
	return s.insert(ctx, tx, rs.table, m.args)
}

// table describes a table that moves write. Its statements have a few fixed sizes, so that each is prepared once.
type table struct {
	columns int
	texts   [len(sizes)]string
}

var sizes = [...]int{64, 16, 4, 1}

// moves are the tables for the journal's entries. An entry conflicts only with itself: the numbers of rooms were
// checked before. SQLite looks parameters like $1 up one after the other; ? has no name.
var moves = [...]table{newTable(archiveInto), newTable(offlineInto), newTable(roomInto)}

const (
	archiveInto = "archive (host, owner, id, with_bare, with_res, incoming, origin_id, stanza, refers)"
	offlineInto = "offline (host, owner, id, expires, stanza)"
	roomInto    = "room_archive (host, room, seq, id, nick, occupant_id, sender, origin_id, subject, stanza, refers)"
)

func newTable(into string) table {
	t := table{columns: strings.Count(into, ",") + 1}
	for i, rows := range sizes {
		b := []byte("INSERT INTO " + into + " VALUES ")
		for n := range rows * t.columns {
			switch {
			case n == 0:
				b = append(b, '(')
			case n%t.columns == 0:
				b = append(b, "),("...)
			default:
				b = append(b, ',')
			}
			b = append(b, '?')
		}
		t.texts[i] = string(append(b, ") ON CONFLICT DO NOTHING"...))
	}
	return t
}

// prepareMoves prepares everything that a move to SQLite needs: a transaction occupies the only connection that writes.
func (s *Store) prepareMoves(ctx context.Context) error {
	for i := range moves {
		for _, q := range moves[i].texts {
			if _, err := s.stmt(ctx, s.w, q); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) insert(ctx context.Context, tx *sql.Tx, t *table, args []any) error {
	for len(args) > 0 {
		i := 0
		for len(args) < sizes[i]*t.columns {
			i++
		}
		n := sizes[i] * t.columns
		st, err := s.stmt(ctx, s.w, t.texts[i])
		if err != nil {
			return err
		}
		if _, err := tx.StmtContext(ctx, st).ExecContext(ctx, args[:n]...); err != nil {
			return err
		}
		args = args[n:]
	}
	return nil
}
