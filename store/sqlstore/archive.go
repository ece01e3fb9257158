package sqlstore

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/store"
	"parley/store/fulltext"
)

// log is a table of archives from which pages are read: of accounts or of rooms.
type log struct {
	table, owner, columns string
	with                  string // the column with the other side's bare address
}

var (
	accountLog = log{"archive", "owner", "id, stanza, '', 0, refers", "with_bare"}
	roomLog    = log{"room_archive", "room", "id, stanza, sender, seq, refers", "sender"}
)

// ReadArchive gives a page of an account's archive in order of time, whether nothing follows in that direction, and
// with Count how many entries the filters choose without After and Before.
func (s *Store) ReadArchive(ctx context.Context, host, owner string,
	p store.Page) ([]store.Archived, bool, int, error) {
	return s.read(ctx, accountLog, host, owner, p)
}

// ReadRoom gives a page of a room's archive, as ReadArchive does.
func (s *Store) ReadRoom(ctx context.Context, host, room string, p store.Page) ([]store.Archived, bool, int, error) {
	return s.read(ctx, roomLog, host, room, p)
}

// ArchiveBounds gives the ids of an archive's first and last entry.
func (s *Store) ArchiveBounds(ctx context.Context, host, owner string) (first, last store.ID, err error) {
	return s.bounds(ctx, accountLog, host, owner)
}

// RoomBounds gives the ids of a room's first and last entry.
func (s *Store) RoomBounds(ctx context.Context, host, room string) (first, last store.ID, err error) {
	return s.bounds(ctx, roomLog, host, room)
}

// bounds asks for each end of the key by itself: with MIN and MAX in one query some engines would read the whole
// archive.
func (s *Store) bounds(ctx context.Context, l log, host, owner string) (first, last store.ID, err error) {
	if err := s.settle(ctx, host, owner); err != nil {
		return 0, 0, err
	}
	q := "SELECT id FROM " + l.table + " WHERE host = $1 AND " + l.owner + " = $2 ORDER BY id "
	if err := s.row(ctx, []any{&first}, q+"ASC LIMIT 1", host, owner); err != nil {
		return 0, 0, err
	}
	err = s.row(ctx, []any{&last}, q+"DESC LIMIT 1", host, owner)
	return first, last, err
}

// filter is the WHERE of a page with its arguments.
type filter struct {
	where strings.Builder
	args  []any
}

func (f *filter) and(cond string, arg any) {
	f.args = append(f.args, arg)
	f.where.WriteString(" AND " + cond + " $" + strconv.Itoa(len(f.args)))
}

func newFilter(l log, host, owner string, p store.Page) *filter {
	f := &filter{args: []any{host, owner}}
	f.where.WriteString(" WHERE host = $1 AND " + l.owner + " = $2")
	if p.With != "" {
		bare, res, full := strings.Cut(p.With, "/")
		f.and(l.with+" =", bare)
		if full && l == accountLog {
			f.and("with_res =", res)
		}
	}
	return f
}

func (s *Store) read(ctx context.Context, l log, host, owner string,
	p store.Page) (es []store.Archived, complete bool, total int, err error) {
	if err := s.settle(ctx, host, owner); err != nil {
		return nil, false, 0, err
	}
	if len(p.IDs) > 0 {
		return s.readIDs(ctx, l, host, owner, p)
	}
	if err := s.pageEnds(ctx, l, host, owner, p); err != nil {
		return nil, false, 0, err
	}
	if p.Text != "" {
		return s.readFound(ctx, l, host, owner, p)
	}
	low, high := span(p)
	if p.Count {
		f := newFilter(l, host, owner, p)
		f.and("id >=", low)
		f.and("id <=", high)
		if err := s.row(ctx, []any{&total}, "SELECT COUNT(*) FROM "+l.table+f.where.String(), f.args...); err != nil {
			return nil, false, 0, err
		}
	}
	f := newFilter(l, host, owner, p)
	f.and("id >=", max(low, int64(p.After)+1))
	if p.Before != 0 {
		high = min(high, int64(p.Before)-1)
	}
	f.and("id <=", high)
	order := " ORDER BY id"
	if p.Backwards {
		order += " DESC"
	}
	f.args = append(f.args, p.Max+1)
	q := "SELECT " + l.columns + " FROM " + l.table + f.where.String() + order + " LIMIT $" + strconv.Itoa(len(f.args))
	es = make([]store.Archived, 0, min(p.Max+1, 64))
	if err := s.rows(ctx, scanArchived(&es), q, f.args...); err != nil {
		return nil, false, 0, err
	}
	if complete = len(es) <= p.Max; !complete {
		es = es[:p.Max]
	}
	if p.Backwards {
		slices.Reverse(es)
	}
	return es, complete, total, nil
}

// pageEnds returns ErrNotFound if an id that a page begins after or before is not in the archive.
func (s *Store) pageEnds(ctx context.Context, l log, host, owner string, p store.Page) error {
	for _, id := range []store.ID{p.After, p.Before} {
		if id == 0 {
			continue
		}
		var n int64
		if err := s.row(ctx, []any{&n}, "SELECT 1 FROM "+l.table+" WHERE host = $1 AND "+l.owner+" = $2 AND id = $3",
			host, owner, int64(id)); err != nil {
			return err
		}
	}
	return nil
}

// span gives the first and last id of the page's time filter, inclusive.
func span(p store.Page) (low, high int64) {
	low, high = 0, math.MaxInt64
	if !p.Start.IsZero() {
		low = int64(store.FirstID(p.Start))
	}
	if !p.End.IsZero() {
		high = int64(store.FirstID(p.End.Add(time.Microsecond))) - 1
	}
	return low, high
}

func scanArchived(es *[]store.Archived) func(*sql.Rows) error {
	return func(r *sql.Rows) error {
		var e store.Archived
		if err := r.Scan(&e.ID, &e.Stanza, &e.Sender, &e.Seq, &e.Refers); err != nil {
			return err
		}
		*es = append(*es, e)
		return nil
	}
}

func (s *Store) readIDs(ctx context.Context, l log, host, owner string,
	p store.Page) (es []store.Archived, complete bool, total int, err error) {
	ids := slices.Clone(p.IDs)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, id := range ids {
		n := len(es)
		if err := s.rows(ctx, scanArchived(&es), "SELECT "+l.columns+" FROM "+l.table+" WHERE host = $1 AND "+l.owner+
			" = $2 AND id = $3", host, owner, int64(id)); err != nil {
			return nil, false, 0, err
		}
		if len(es) == n {
			return nil, false, 0, store.ErrNotFound
		}
	}
	if p.Text != "" {
		q, err := fulltext.Parse(p.Text)
		if err != nil {
			return nil, false, 0, err
		}
		es = slices.DeleteFunc(es, func(e store.Archived) bool { return !q.MatchStanza(e.Stanza) })
	}
	return es, true, len(es), nil
}

// FindArchived gives the newest entry with this id attribute, other side (bare) and direction.
func (s *Store) FindArchived(ctx context.Context, host, owner, with, originID string,
	incoming bool) (e store.Archived, err error) {
	if err := s.settle(ctx, host, owner); err != nil {
		return e, err
	}
	err = s.row(ctx, []any{&e.ID, &e.Stanza, &e.Refers}, `SELECT id, stanza, refers FROM archive
		WHERE host = $1 AND owner = $2 AND with_bare = $3 AND origin_id = $4
		AND incoming = $5 ORDER BY id DESC LIMIT 1`, host, owner, with, originID, bit(incoming))
	return e, err
}
