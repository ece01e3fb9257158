package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
)

// rows is what the journal has for one table, to be inserted.
type rows struct {
	table *table
	list  []row
	order []int // of list, as it is inserted
}

// mover is what every move uses again.
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

// free lets the entries go.
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

// row is the columns of one, its key apart.
type row struct {
	host, owner string
	id          int64
	columns     [roomColumnCount]any
}

const roomColumnCount = 10 // of room_archive, the table with the most

// move writes entries to the database, with the position they reach to, in one transaction that is on the disk when it
// returns. It is called with moving held.
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
	return s.tx(ctx, func(tx *sql.Tx) error {
		for i := range m.all {
			if err := s.insertRows(ctx, tx, m, &m.all[i]); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE journal SET number = ?, off = ?", upTo.number, upTo.off)
		return err
	})
}

func (s *Store) insertRows(ctx context.Context, tx *sql.Tx, m *mover, rs *rows) error {
	for i := range rs.list {
		rs.order = append(rs.order, i)
	}
	// The keys are trees: what is of one owner, one after the other, touches few of their pages.
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
