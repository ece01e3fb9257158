package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/cockroach-go/v2/crdb"

	"parley/store"
)

// The fence keeps a process from writing once another one has its place. Hold tells the store which node it writes for.
// From then on every transaction, and every statement that is a transaction by itself, first looks whether the node's
// row still has the incarnation, and keeps others from raising it until the transaction has ended. If the row says
// something else, nothing is written.
//
// On PostgreSQL and CockroachDB the driver does it, which all of them go through (fence_conn.go). On a file of SQLite
// that several stores share, fenced does it, and alone. A file of SQLite that one process has needs no fence.

// fence is what a store knows of its node's place. It is safe from any goroutine.
type fence struct {
	held   atomic.Pointer[holding] // nil: the store writes without a place
	once   sync.Once
	raised chan struct{} // closed when a write was refused
}

// holding is the row that everything a store writes depends on.
type holding struct {
	id          string
	incarnation int64
}

// checkFence fails, by a division by zero, if the row is not there. Only a failure keeps the statements that are sent
// together with it from being done.
const checkFence = "SELECT 1 / COUNT(*) FROM cluster_nodes WHERE id = $1 AND incarnation = $2"

// Hold says that the store writes for a node that has its place under an incarnation. From now on every write fails
// with store.ErrFenced once the incarnation was raised or the node's row was removed. It is called before the node
// serves. A store that is opened without a place, as commands do, does not call it.
func (s *Store) Hold(id string, incarnation int64) {
	s.fence.held.Store(&holding{id, incarnation})
}

// Fenced returns a channel that is closed when a write was refused because another process has the place.
func (s *Store) Fenced() <-chan struct{} { return s.fence.raised }

// unfencedKey marks the context of what the store does for the place itself.
type unfencedKey struct{}

// unfenced is for the rows of nodes, which say by themselves under which incarnation they change.
func unfenced(ctx context.Context) context.Context {
	return context.WithValue(ctx, unfencedKey{}, true)
}

// holds returns what a write has to look for; nil if it need not. It returns ErrFenced at once if an earlier write was
// refused: an incarnation never comes back.
func (f *fence) holds(ctx context.Context) (*holding, error) {
	h := f.held.Load()
	if h == nil || ctx.Value(unfencedKey{}) != nil {
		return nil, nil
	}
	select {
	case <-f.raised:
		return nil, store.ErrFenced
	default:
		return h, nil
	}
}

// refuse returns the error of a write whose incarnation was raised, and has the node end.
func (f *fence) refuse() error {
	f.once.Do(func() { close(f.raised) })
	return store.ErrFenced
}

// fenced is run within a transaction before anything else. On PostgreSQL and CockroachDB the driver has looked.
func (s *Store) fenced(ctx context.Context, tx *sql.Tx) error {
	if s.pg {
		return nil
	}
	h, err := s.fence.holds(ctx)
	if h == nil || err != nil {
		return err
	}
	var there int
	err = tx.QueryRowContext(ctx, "SELECT 1 FROM cluster_nodes WHERE id = $1 AND incarnation = $2",
		h.id, h.incarnation).Scan(&there)
	if errors.Is(err, sql.ErrNoRows) {
		return s.fence.refuse()
	}
	return err
}

// alone runs a statement that is a transaction by itself.
func (s *Store) alone(ctx context.Context, q string, args ...any) (res sql.Result, err error) {
	if s.pg {
		err = crdb.ExecuteCtx(crdb.WithMaxRetries(ctx, maxRetries), func(ctx context.Context, _ ...any) (err error) {
			res, err = s.w.ExecContext(ctx, q, args...)
			return err
		})
		return res, err
	}
	h, err := s.fence.holds(ctx)
	if err != nil {
		return nil, err
	}
	if h != nil {
		err = s.txOnce(ctx, sql.LevelDefault, func(tx *sql.Tx) (err error) {
			res, err = tx.ExecContext(ctx, q, args...)
			return err
		})
		return res, err
	}
	st, err := s.stmt(ctx, s.w, q)
	if err != nil {
		return nil, err
	}
	return st.ExecContext(ctx, args...)
}
