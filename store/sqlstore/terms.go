package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"maps"
	"slices"

	"parley/store"
)

// The index of words: a row of search_terms has, for one word of one archive, the ids of some messages that have it, as
// differences. Rows of a word do not overlap in time; high and low are their ends. search_marks says up to which id an
// archive is in it. Newer messages are found by reading them: see decision 008.
//
// Whoever changes terms, or messages that may be indexed, locks the archive's mark first. So a message is never taken
// into the index while it is being taken back.

const termsInto = "search_terms (host, owner, term, high, low, ids)"

var termsTable = newTable(termsInto)

// postings is messages by word, ids rising.
type postings map[string][]int64

func (p postings) add(id int64, terms []string) postings {
	if p == nil {
		p = make(postings)
	}
	for _, t := range terms {
		p[t] = append(p[t], id)
	}
	return p
}

func packIDs(ids []int64) []byte {
	b := make([]byte, 0, 4+5*len(ids))
	last := int64(0)
	for _, id := range ids {
		b = binary.AppendUvarint(b, uint64(id-last))
		last = id
	}
	return b
}

var errTerms = errors.New("store: an entry of the index cannot be read")

func unpackIDs(ids []int64, b []byte) ([]int64, error) {
	last := uint64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nil, errTerms
		}
		last += d
		ids = append(ids, int64(last))
		b = b[n:]
	}
	return ids, nil
}

// lockMark gives up to where an archive is in the index, and keeps others from changing that until
// the transaction ends.
func (s *Store) lockMark(ctx context.Context, tx *sql.Tx, host, owner string) (upto int64, err error) {
	for range 3 {
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO search_marks (host, owner, upto) VALUES ($1, $2, 0) ON CONFLICT (host, owner) DO NOTHING",
			host, owner); err != nil {
			return 0, err
		}
		err = tx.QueryRowContext(ctx,
			"SELECT upto FROM search_marks WHERE host = $1 AND owner = $2"+s.forUpdate(), host, owner).Scan(&upto)
		if !errors.Is(err, sql.ErrNoRows) { // whoever held the lock has deleted the row
			return upto, err
		}
	}
	return 0, err
}

// ForgetIndex makes the index of an account's or room's messages, and an account's list of conversations, be built
// anew: messages were added among older ones.
func (s *Store) ForgetIndex(ctx context.Context, host, owner string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if err := s.forgetChats(ctx, tx, host, owner); err != nil {
			return err
		}
		return s.forgetTerms(ctx, tx, host, owner)
	})
}

// forgetTerms takes an archive out of the index.
func (s *Store) forgetTerms(ctx context.Context, tx *sql.Tx, host, owner string) error {
	if _, err := s.lockMark(ctx, tx, host, owner); err != nil {
		return err
	}
	for _, table := range []string{"search_terms", "search_marks"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE host = $1 AND owner = $2",
			host, owner); err != nil {
			return err
		}
	}
	return nil
}

// prepareTerms prepares what insertTerms needs on SQLite: inside a transaction the only connection
// that writes is taken.
func (s *Store) prepareTerms(ctx context.Context) error {
	if s.pg {
		return nil
	}
	for _, q := range termsTable.texts {
		if _, err := s.stmt(ctx, s.w, q); err != nil {
			return err
		}
	}
	return nil
}

// insertTerms adds rows. The caller holds the archive's mark.
func (s *Store) insertTerms(ctx context.Context, tx *sql.Tx, host, owner string, p postings) error {
	if len(p) == 0 {
		return nil
	}
	terms := slices.Sorted(maps.Keys(p)) // in the order of the key
	if !s.pg {
		args := make([]any, 0, sizes[0]*termsTable.columns)
		for i, t := range terms {
			ids := p[t]
			args = append(args, host, owner, []byte(t), ids[len(ids)-1], ids[0], packIDs(ids))
			if len(args) == cap(args) || i == len(terms)-1 {
				if err := s.insert(ctx, tx, &termsTable, args); err != nil {
					return err
				}
				args = args[:0]
			}
		}
		return nil
	}
	var names, packed [][]byte
	var highs, lows []int64
	for _, t := range terms {
		ids := p[t]
		names, packed = append(names, []byte(t)), append(packed, packIDs(ids))
		highs, lows = append(highs, ids[len(ids)-1]), append(lows, ids[0])
	}
	_, err := tx.ExecContext(ctx,
		"INSERT INTO "+termsInto+` SELECT CAST($1 AS TEXT), CAST($2 AS TEXT), unnest($3::BYTEA[]), unnest($4::INT8[]),
		unnest($5::INT8[]), unnest($6::BYTEA[])`, host, owner, names, highs, lows, packed)
	return err
}

// removeTerms takes messages away from the words that they have. The caller holds the archive's mark.
func (s *Store) removeTerms(ctx context.Context, tx *sql.Tx, host, owner string, p postings) error {
	for _, t := range slices.Sorted(maps.Keys(p)) {
		if err := removeTerm(ctx, tx, host, owner, []byte(t), p[t]); err != nil {
			return err
		}
	}
	return nil
}

func removeTerm(ctx context.Context, tx *sql.Tx, host, owner string, term []byte, gone []int64) error {
	type entry struct {
		high int64
		ids  []byte
	}
	var es []entry
	rows, err := tx.QueryContext(ctx,
		"SELECT high, ids FROM search_terms WHERE host = $1 AND owner = $2 AND term = $3 AND high >= $4 AND low <= $5",
		host, owner, term, gone[0], gone[len(gone)-1])
	if err != nil {
		return err
	}
	err = each(rows, func(r *sql.Rows) error {
		var e entry
		err := r.Scan(&e.high, &e.ids)
		es = append(es, entry{e.high, bytes.Clone(e.ids)})
		return err
	})
	const key = " WHERE host = $1 AND owner = $2 AND term = $3 AND high = $4"
	for i := 0; i < len(es) && err == nil; i++ {
		var ids []int64
		if ids, err = unpackIDs(nil, es[i].ids); err != nil {
			return err
		}
		n := len(ids)
		ids = slices.DeleteFunc(ids, func(id int64) bool { _, is := slices.BinarySearch(gone, id); return is })
		switch len(ids) {
		case n:
		case 0:
			_, err = tx.ExecContext(ctx, "DELETE FROM search_terms"+key, host, owner, term, es[i].high)
		default:
			_, err = tx.ExecContext(ctx, "UPDATE search_terms SET high = $5, low = $6, ids = $7"+key,
				host, owner, term, es[i].high, ids[len(ids)-1], ids[0], packIDs(ids))
		}
	}
	return err
}

// readTerm returns the messages of an archive that have a word, or with prefix a word that begins like it, in rising
// order.
func (s *Store) readTerm(ctx context.Context, host, owner, term string, prefix bool,
	low, high int64) (ids []int64, err error) {
	q, args := "SELECT ids FROM search_terms WHERE host = $1 AND owner = $2 AND high >= $3 AND low <= $4 AND ",
		[]any{host, owner, low, high}
	cond, more := termIs("term", term, prefix, len(args))
	err = s.rows(ctx, func(r *sql.Rows) error {
		var b sql.RawBytes
		if err := r.Scan(&b); err != nil {
			return err
		}
		ids, err = unpackIDs(ids, b)
		return err
	}, q+cond, append(args, more...)...)
	slices.Sort(ids)
	return slices.Compact(ids), err
}

func (s *Store) mark(ctx context.Context, host, owner string) (upto int64, err error) {
	err = s.row(ctx, []any{&upto}, "SELECT upto FROM search_marks WHERE host = $1 AND owner = $2", host, owner)
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return upto, err
}
