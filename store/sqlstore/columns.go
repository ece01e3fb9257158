package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/cockroachdb/cockroach-go/v2/crdb"

	"parley/store"
)

// Inserts on PostgreSQL and CockroachDB take a batch as one array for each column: one text, prepared once, and one
// round trip, however many rows there are.
//
// An entry has a key of its own for ever: one that is there already is the same one, kept by an attempt whose answer was
// lost. In a room the number is the key, and two that want the same one are two entries.
const (
	insertArchive = "INSERT INTO " + archiveInto + " SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[], $4::TEXT[], $5::TEXT[], $6::INT8[], $7::TEXT[], $8::BYTEA[]) ON CONFLICT DO NOTHING"
	insertOffline = "INSERT INTO " + offlineInto + " SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[], $4::INT8[], $5::BYTEA[]) ON CONFLICT DO NOTHING"
	insertRooms   = "INSERT INTO " + roomInto + " SELECT * FROM unnest($1::TEXT[], $2::TEXT[], $3::INT8[], $4::INT8[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[], $9::INT8[], $10::BYTEA[])"
)

// batchColumns is what a batch writes, by table and column.
type batchColumns struct {
	archive, offline, rooms columns
}

// columns has the texts and numbers of a table in the order of its columns; the stanza comes last everywhere.
type columns struct {
	texts   [6][]string
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
			c.text(e.Host, e.Owner, e.With, e.WithRes, e.OriginID)
			c.number(int64(e.ID), bit(e.Incoming))
			c.stanzas = append(c.stanzas, e.Stanza)
		case *store.OfflineEntry:
			c := &b.offline
			c.text(e.Host, e.Owner)
			c.number(int64(e.ID), micros(e.Expires))
			c.stanzas = append(c.stanzas, e.Stanza)
		case *store.RoomEntry:
			c := &b.rooms
			c.text(e.Host, e.Room, e.Nick, e.OccupantID, e.Sender, e.OriginID)
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

func (b *batchColumns) inserts() (out []insert) {
	if c := &b.archive; len(c.stanzas) > 0 {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertArchive, []any{t[0], t[1], n[0], t[2], t[3], n[1], t[4], c.stanzas}})
	}
	if c := &b.offline; len(c.stanzas) > 0 {
		out = append(out, insert{insertOffline, []any{c.texts[0], c.texts[1], c.numbers[0], c.numbers[1], c.stanzas}})
	}
	if c := &b.rooms; len(c.stanzas) > 0 {
		t, n := &c.texts, &c.numbers
		out = append(out, insert{insertRooms, []any{t[0], t[1], n[0], n[1], t[2], t[3], t[4], t[5], n[2], c.stanzas}})
	}
	return out
}

// commitAll keeps a batch in one transaction. It sets a request's err if that one is left out.
func (s *Store) commitAll(ctx context.Context, batch []*request) error {
	var all batchColumns
	for _, r := range batch {
		r.err = nil
		all.add(r.ws)
	}
	// One statement is a transaction by itself. With a room in it there is something to be checked before.
	if ins := all.inserts(); len(ins) == 1 && len(all.rooms.stanzas) == 0 {
		return translate(crdb.ExecuteCtx(crdb.WithMaxRetries(ctx, maxRetries), func(ctx context.Context, _ ...any) error {
			_, err := s.w.ExecContext(ctx, ins[0].text, ins[0].args...)
			return err
		}))
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		var all batchColumns
		epochs := map[[2]string]int64{}
		for _, r := range batch {
			r.err = nil
			if err := s.checkEpochs(ctx, tx, r, epochs); err != nil {
				return err
			}
			if r.err == nil {
				all.add(r.ws)
			}
		}
		for _, in := range all.inserts() {
			if _, err := tx.ExecContext(ctx, in.text, in.args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkEpochs sets r.err to ErrConflict if one of its rooms is another node's by now.
func (s *Store) checkEpochs(ctx context.Context, tx *sql.Tx, r *request, known map[[2]string]int64) error {
	for _, w := range r.ws {
		e, ok := w.(*store.RoomEntry)
		if !ok {
			continue
		}
		k := [2]string{e.Host, e.Room}
		epoch, ok := known[k]
		if !ok {
			err := tx.QueryRowContext(ctx, "SELECT epoch FROM rooms WHERE host = $1 AND name = $2 AND destroyed = 0"+s.forUpdate(), e.Host, e.Room).Scan(&epoch)
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
