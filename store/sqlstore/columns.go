package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"parley/store"
)

// Inserts on PostgreSQL and CockroachDB take a batch as one array for each column: one text, prepared once, and one
// round trip, however many rows there are. In a list of columns unnest takes one array each on every version.
//
// An entry's key is unique for ever: if the key exists already, an earlier attempt, whose answer was lost, has stored
// the same entry. In a room the number is the key, and two entries with the same number are different ones.
const (
	insertArchive = "INSERT INTO " + archiveInto +
		" SELECT unnest($1::TEXT[]), unnest($2::TEXT[]), unnest($3::INT8[]), unnest($4::TEXT[]), unnest($5::TEXT[]), " +
		"unnest($6::INT8[]), unnest($7::TEXT[]), unnest($8::BYTEA[]), unnest($9::TEXT[])" + ifNew
	insertOffline = "INSERT INTO " + offlineInto +
		" SELECT unnest($1::TEXT[]), unnest($2::TEXT[]), unnest($3::INT8[]), unnest($4::INT8[]), unnest($5::BYTEA[])" + ifNew
	ifNew       = " ON CONFLICT DO NOTHING"
	insertRooms = "INSERT INTO " + roomInto +
		" SELECT unnest($1::TEXT[]), unnest($2::TEXT[]), unnest($3::INT8[]), unnest($4::INT8[]), unnest($5::TEXT[]), " +
		"unnest($6::TEXT[]), unnest($7::TEXT[]), unnest($8::TEXT[]), unnest($9::INT8[]), unnest($10::BYTEA[]), " +
		"unnest($11::TEXT[])"
)

// The same, a row for each statement.
const (
	insertArchiveRow = "INSERT INTO " + archiveInto + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) " +
		"ON CONFLICT DO NOTHING"
	insertOfflineRow = "INSERT INTO " + offlineInto + " VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING"
	insertRoomRow    = "INSERT INTO " + roomInto + " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
)

// batchColumns is what a batch writes, by table and column.
type batchColumns struct {
	archive, offline, rooms columns
	highest                 store.ID
}

// columns holds the texts and numbers of a table, each in the order of its columns, and the stanzas.
type columns struct {
	texts   [7][]string
	numbers [3][]int64
	stanzas [][]byte
}

func (c *columns) text(vs ...string) {
	for i, v := range vs {
		c.texts[i] = append(c.texts[i], v)
	}
}

func (c *columns) number(vs ...int64) {
	for i, v := range vs {
		c.numbers[i] = append(c.numbers[i], v)
	}
}

func (b *batchColumns) add(ws []store.Write) {
	for _, w := range ws {
		switch e := w.(type) {
		case *store.ArchiveEntry:
			c := &b.archive
			b.highest = max(b.highest, e.ID)
			c.text(e.Host, e.Owner, e.With, e.WithRes, e.OriginID, e.Refers)
			c.number(int64(e.ID), bit(e.Incoming))
			c.stanzas = append(c.stanzas, e.Stanza)
		case *store.OfflineEntry:
			c := &b.offline
			b.highest = max(b.highest, e.ID)
			c.text(e.Host, e.Owner)
			c.number(int64(e.ID), micros(e.Expires))
			c.stanzas = append(c.stanzas, e.Stanza)
		case *store.RoomEntry:
			c := &b.rooms
			b.highest = max(b.highest, e.ID)
			c.text(e.Host, e.Room, e.Nick, e.OccupantID, e.Sender, e.OriginID, e.Refers)
			c.number(e.Seq, int64(e.ID), bit(e.Subject || e.Quiet))
			c.stanzas = append(c.stanzas, e.Stanza)
		}
	}
}

// insert is a statement with its arguments.
type insert struct {
	text string
	args []any
}

// inserts gives the statements that write the batch; rows apart if the engine has no arrays.
func (b *batchColumns) inserts(arrays bool) (out []insert) {
	if !arrays {
		return b.rowInserts()
	}
	if c := &b.archive; len(c.stanzas) > 0 {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertArchive, []any{t[0], t[1], n[0], t[2], t[3], n[1], t[4], c.stanzas, t[5]}})
	}
	if c := &b.offline; len(c.stanzas) > 0 {
		out = append(out, insert{insertOffline, []any{c.texts[0], c.texts[1], c.numbers[0], c.numbers[1], c.stanzas}})
	}
	if c := &b.rooms; len(c.stanzas) > 0 {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertRooms,
			[]any{t[0], t[1], n[0], n[1], t[2], t[3], t[4], t[5], n[2], c.stanzas, t[6]}})
	}
	return out
}

// rowInserts gives a statement for each row, for SQLite without its journal.
func (b *batchColumns) rowInserts() (out []insert) {
	c := &b.archive
	for i, stanza := range c.stanzas {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertArchiveRow, []any{t[0][i], t[1][i], n[0][i], t[2][i], t[3][i], n[1][i], t[4][i],
			stanza, t[5][i]}})
	}
	c = &b.offline
	for i, stanza := range c.stanzas {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertOfflineRow, []any{t[0][i], t[1][i], n[0][i], n[1][i], stanza}})
	}
	c = &b.rooms
	for i, stanza := range c.stanzas {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertRoomRow, []any{t[0][i], t[1][i], n[0][i], n[1][i], t[2][i], t[3][i], t[4][i],
			t[5][i], n[2][i], stanza, t[6][i]}})
	}
	return out
}

// commitAll commits a batch in one transaction. It sets the err of requests that it leaves out. With doubt, the batch
// may have been committed before.
func (s *Store) commitAll(ctx context.Context, batch []*request, doubt bool) error {
	var all batchColumns
	for _, r := range batch {
		r.err = nil
		all.add(r.ws)
	}
	highest := all.highest
	marks := int64(highest) > s.marked.Load()
	// One statement is a transaction by itself. With a room in it there is something to be checked before.
	if ins := all.inserts(s.pg); len(all.rooms.stanzas) == 0 && !marks {
		switch beside := s.beside.Load(); {
		case len(ins) == 1 && !beside:
			_, err := s.alone(ctx, ins[0].text, ins[0].args...)
			return translate(err)
		case beside && s.pg && !doubt:
			if above, err := s.keepAbove(ctx, batch, ins); above || err != nil {
				return translate(err)
			}
		}
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var all batchColumns
		if s.beside.Load() {
			if err := s.aboveHeads(ctx, tx, batch, doubt); err != nil {
				return err
			}
		}
		epochs := map[[2]string]int64{}
		for _, r := range batch {
			r.err = nil
			err := s.checkEpochs(ctx, tx, r, epochs)
			if err != nil {
				return err
			}
			ws := r.ws
			if doubt {
				if ws, err = unkept(ctx, tx, ws); err != nil {
					return err
				}
			}
			if r.err != nil && !slices.ContainsFunc(ws, isOfRoom) { // kept before another node took its rooms over
				r.err = nil
				continue
			}
			if r.err == nil {
				all.add(ws)
			}
		}
		for _, in := range all.inserts(s.pg) {
			if _, err := tx.ExecContext(ctx, in.text, in.args...); err != nil {
				return err
			}
		}
		highest = max(highest, all.highest)
		return s.raiseIn(ctx, tx, highest)
	})
	if err == nil && (marks || int64(highest) > s.marked.Load()) {
		s.noteMark(ahead(highest))
	}
	return err
}

// isOfRoom says whether a write is an entry of a room.
func isOfRoom(w store.Write) bool {
	_, is := w.(*store.RoomEntry)
	return is
}

// unkept leaves out entries of rooms that exist already. The inserts of other entries do so by themselves.
func unkept(ctx context.Context, tx *sql.Tx, ws []store.Write) (out []store.Write, err error) {
	for _, w := range ws {
		if e, ok := w.(*store.RoomEntry); ok {
			var id int64
			err := tx.QueryRowContext(ctx, "SELECT id FROM room_archive WHERE host = $1 AND room = $2 AND seq = $3",
				e.Host, e.Room, e.Seq).Scan(&id)
			if err == nil && id == int64(e.ID) {
				continue
			}
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return nil, err
			}
		}
		out = append(out, w)
	}
	return out, nil
}

// checkEpochs sets r.err to ErrConflict if another node has taken over one of its rooms.
func (s *Store) checkEpochs(ctx context.Context, tx *sql.Tx, r *request, known map[[2]string]int64) error {
	for _, w := range r.ws {
		e, ok := w.(*store.RoomEntry)
		if !ok {
			continue
		}
		k := [2]string{e.Host, e.Room}
		epoch, ok := known[k]
		if !ok {
			err := tx.QueryRowContext(ctx, "SELECT epoch FROM rooms WHERE host = $1 AND name = $2 AND destroyed = 0"+
				s.forUpdate(), e.Host, e.Room).Scan(&epoch)
			if errors.Is(err, sql.ErrNoRows) {
				epoch = -1
			} else if err != nil {
				return err
			}
			known[k] = epoch
		}
		if epoch != e.Epoch {
			r.err = store.ErrConflict
		}
	}
	return nil
}
