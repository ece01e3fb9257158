package sqlstore

import (
	"context"
	"database/sql"

	"parley/store"
)

// byteLimit bounds the bytes of the payloads of some nodes together. A row notes their sum; it is never too low, but
// may be too high, because removals are not subtracted: the sum is counted again only when it exceeds the limit. Others
// who publish to these nodes meanwhile wait for the row.
type byteLimit struct {
	most  int64
	table string // the table that notes the sum
	key   string // its column that names the owner of the nodes
	whose string
	sum   string // the query that counts the bytes
	err   error  // returned if there would be too many bytes
}

// limitsOf gives the limits that apply to publishing to a node, in the order in which their rows are locked.
func limitsOf(k store.Keep, owner, creator string) (ls []byteLimit) {
	const sum = "SELECT CAST(COALESCE(SUM(LENGTH(i.payload)), 0) AS INT8) FROM "
	if k.Bytes > 0 {
		ls = append(ls, byteLimit{most: k.Bytes, table: "node_usage", key: "owner", whose: owner, err: store.ErrLimit,
			sum: sum + "node_items i WHERE i.host = $1 AND i.owner = $2"})
	}
	if k.Share > 0 && creator != "" {
		ls = append(ls, byteLimit{
			most:  k.Share,
			table: "node_shares",
			key:   "creator",
			whose: creator,
			err:   store.ErrShare,
			sum: sum + "nodes n JOIN node_items i ON i.host = n.host AND i.owner = n.owner AND i.node = n.name " +
				"WHERE n.host = $1 AND n.owner = '' AND n.creator = $2",
		})
	}
	return ls
}

// notCounted stands for the bytes of nodes that nobody has counted yet.
const notCounted = 1 << 62

// take notes added bytes; it returns the limit's error if there are too many.
func (l byteLimit) take(ctx context.Context, tx *sql.Tx, host string, added int64) error {
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO "+l.table+" (host, "+l.key+", bytes) VALUES ($1, $2, $3) ON CONFLICT (host, "+l.key+") DO NOTHING",
		host, l.whose, int64(notCounted)); err != nil {
		return err
	}
	var noted int64
	err := tx.QueryRowContext(ctx, "UPDATE "+l.table+" SET bytes = bytes + $3 WHERE host = $1 AND "+l.key+
		" = $2 RETURNING bytes", host, l.whose, added).Scan(&noted)
	if err != nil || noted <= l.most {
		return err
	}
	return l.settle(ctx, tx, host, l.most)
}

// lock keeps others from noting anything until the transaction ends, and counts.
func (l byteLimit) lock(ctx context.Context, tx *sql.Tx, host string) (bytes int64, err error) {
	if _, err := tx.ExecContext(ctx,
		"INSERT INTO "+l.table+" (host, "+l.key+", bytes) VALUES ($1, $2, $3) ON CONFLICT (host, "+l.key+
			") DO UPDATE SET bytes = excluded.bytes", host, l.whose, int64(notCounted)); err != nil {
		return 0, err
	}
	return l.count(ctx, tx, host)
}

func (l byteLimit) count(ctx context.Context, tx *sql.Tx, host string) (bytes int64, err error) {
	err = tx.QueryRowContext(ctx, l.sum, host, l.whose).Scan(&bytes)
	return bytes, err
}

// settle counts and notes the sum; it returns the limit's error if it is more than most.
func (l byteLimit) settle(ctx context.Context, tx *sql.Tx, host string, most int64) error {
	bytes, err := l.count(ctx, tx, host)
	if err != nil {
		return err
	}
	if bytes > most {
		return l.err
	}
	_, err = tx.ExecContext(ctx,
		"UPDATE "+l.table+" SET bytes = $3 WHERE host = $1 AND "+l.key+" = $2", host, l.whose, bytes)
	return err
}
