package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"parley/store"
)

// Several nodes write to the archive of one person. Each gives ids by its own clock, so the leader's ids (name.go) are
// in the order of commits only among themselves. A head for each archive keeps the highest id that was committed: its
// row is raised in the transaction that keeps entries, and so holds up others who write to that archive until the
// outcome is known. Ids that are not above the head are given anew. Heads are taken in the order of their keys, so that
// no two transactions wait for each other.
//
// As a rule all ids are above the heads, and one statement raises them and keeps the entries (keepAbove).

// archiveHeads are the heads, each with what it was before it was raised last.
const archiveHeads = `
CREATE TABLE IF NOT EXISTS archive_heads (
    host TEXT NOT NULL, owner TEXT NOT NULL, head INT8 NOT NULL, before INT8 NOT NULL,
    PRIMARY KEY (host, owner));`

const (
	headsRaised = " ON CONFLICT (host, owner) DO UPDATE SET before = archive_heads.head, " +
		"head = CASE WHEN archive_heads.head > excluded.head THEN archive_heads.head ELSE excluded.head END"
	raiseHeads = "INSERT INTO archive_heads (host, owner, head, before) SELECT unnest($1::TEXT[]), unnest($2::TEXT[]), " +
		"unnest($3::INT8[]), 0" + headsRaised + " RETURNING host, owner, before"
	raiseHead = "INSERT INTO archive_heads (host, owner, head, before) VALUES ($1, $2, $3, 0)" + headsRaised +
		" RETURNING host, owner, before"
)

// raiseOver raises heads that are below the lowest new id, which stands in place of what the head was before.
const raiseOver = "INSERT INTO archive_heads (host, owner, head, before) SELECT unnest($1::TEXT[]), " +
	"unnest($2::TEXT[]), unnest($3::INT8[]), unnest($4::INT8[]) ON CONFLICT (host, owner) DO UPDATE SET " +
	"before = archive_heads.head, head = excluded.head WHERE archive_heads.head < excluded.before RETURNING 1"

// keepOver are the statements that raise heads and keep entries if all heads were raised, by the inserts of a batch.
var keepOver = map[string]string{
	insertArchive:                 keeping(insertArchive),
	insertOffline:                 keeping(insertOffline),
	insertArchive + insertOffline: keeping(insertArchive, insertOffline),
}

// parameter is one of a statement.
var parameter = regexp.MustCompile(`\$\d+`)

// keeping makes one of keepOver. It returns a row for each head that was raised.
func keeping(inserts ...string) string {
	text, n := "WITH raised AS ("+raiseOver+")", 4
	for i, insert := range inserts {
		used := n
		insert = parameter.ReplaceAllStringFunc(insert, func(p string) string {
			nth, err := strconv.Atoi(p[1:])
			if err != nil { // the expression has digits only
				panic(err)
			}
			n = max(n, used+nth)
			return "$" + strconv.Itoa(used+nth)
		})
		insert = strings.TrimSuffix(insert, ifNew) +
			" WHERE (SELECT COUNT(*) FROM raised) = array_length($1::TEXT[], 1)" + ifNew
		text += fmt.Sprintf(", kept%d AS (%s RETURNING 1)", i, insert)
	}
	return text + " SELECT 1 FROM raised"
}

// keepAbove keeps a batch without rooms in one statement if its ids are above the heads of their archives. Otherwise it
// keeps nothing, and returns false: heads may be higher then.
func (s *Store) keepAbove(ctx context.Context, rs []*request, ins []insert) (bool, error) {
	spans := spansOf(rs)
	if len(spans) == 0 {
		return false, nil
	}
	text := ""
	h := headColumns(spans)
	args := []any{h.hosts, h.owners, h.last, h.first}
	for _, in := range ins {
		text += in.text
		args = append(args, in.args...)
	}
	text = keepOver[text]
	if s.roach { // version 21.1 forgets what a parameter is cast to within WITH, but not which type it has
		text = strings.ReplaceAll(text, "::", ":::")
	}
	res, err := s.alone(ctx, text, args...)
	if err != nil {
		return false, err
	}
	raised, err := res.RowsAffected()
	return raised == int64(len(spans)), err
}

// heads are the columns of heads to be raised.
type heads struct {
	hosts, owners []string
	first, last   []int64
}

func headColumns(spans []*fresh) (h heads) {
	for _, p := range spans {
		h.hosts, h.owners = append(h.hosts, p.host), append(h.owners, p.name)
		h.first, h.last = append(h.first, int64(p.first)), append(h.last, int64(p.last))
	}
	return h
}

// Beside says that other nodes write to the database as well. It is called before the node serves.
func (s *Store) Beside() { s.beside.Store(true) }

// named is an entry to which the leader gave its id.
type named struct {
	owner
	id *store.ID
}

// fresh are the entries of one archive in a batch that the leader gave ids, with the lowest and highest of them.
type fresh struct {
	owner
	ids         []*store.ID
	first, last store.ID
}

// aboveHeads raises the heads of all archives in a batch, and gives ids anew that are not above what is there. With
// doubt, the batch may have been committed before: what is there under its id keeps it.
func (s *Store) aboveHeads(ctx context.Context, tx *sql.Tx, rs []*request, doubt bool) error {
	spans := spansOf(rs)
	for len(spans) > 0 {
		before, err := s.raiseAll(ctx, tx, spans)
		if err != nil {
			return err
		}
		spans = slices.DeleteFunc(spans, func(p *fresh) bool { return before[p.owner] < p.first })
		for _, p := range spans {
			if doubt {
				if p.ids, err = missing(ctx, tx, p); err != nil {
					return err
				}
			}
			s.opts.IDs.Begin(before[p.owner])
			p.first, p.last = 0, 0
			for _, id := range p.ids {
				*id = s.opts.IDs.Next()
				p.add(*id)
			}
		}
		spans = slices.DeleteFunc(spans, func(p *fresh) bool { return len(p.ids) == 0 })
	}
	return nil
}

func (p *fresh) add(id store.ID) {
	if p.first == 0 || id < p.first {
		p.first = id
	}
	p.last = max(p.last, id)
}

// spansOf gives the archives of a batch in the order of their keys.
func spansOf(rs []*request) (spans []*fresh) {
	of := make(map[owner]*fresh)
	for _, r := range rs {
		for _, n := range r.named {
			p := of[n.owner]
			if p == nil {
				p = &fresh{owner: n.owner}
				of[n.owner] = p
				spans = append(spans, p)
			}
			p.ids = append(p.ids, n.id)
			p.add(*n.id)
		}
	}
	slices.SortFunc(spans, func(a, b *fresh) int {
		return cmp.Or(cmp.Compare(a.host, b.host), cmp.Compare(a.name, b.name))
	})
	return spans
}

// raiseAll raises the heads, and returns what they were.
func (s *Store) raiseAll(ctx context.Context, tx *sql.Tx, spans []*fresh) (map[owner]store.ID, error) {
	before := make(map[owner]store.ID, len(spans))
	scan := func(r *sql.Rows) error {
		var o owner
		var id store.ID
		err := r.Scan(&o.host, &o.name, &id)
		before[o] = id
		return err
	}
	if s.pg {
		h := headColumns(spans)
		rows, err := tx.QueryContext(ctx, raiseHeads, h.hosts, h.owners, h.last)
		if err != nil {
			return nil, err
		}
		return before, each(rows, scan)
	}
	for _, p := range spans {
		rows, err := tx.QueryContext(ctx, raiseHead, p.host, p.name, int64(p.last))
		if err != nil {
			return nil, err
		}
		if err := each(rows, scan); err != nil {
			return nil, err
		}
	}
	return before, nil
}

// missing gives those of an archive's new ids under which nothing is kept.
func missing(ctx context.Context, tx *sql.Tx, p *fresh) (ids []*store.ID, err error) {
	for _, id := range p.ids {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT
			(SELECT COUNT(*) FROM archive WHERE host = $1 AND owner = $2 AND id = $3) +
			(SELECT COUNT(*) FROM offline WHERE host = $1 AND owner = $2 AND id = $3)`,
			p.host, p.name, int64(*id)).Scan(&n); err != nil {
			return nil, err
		}
		if n == 0 {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
