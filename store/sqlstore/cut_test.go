package sqlstore_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/store"
	"parley/store/sqlstore"
	"parley/testrig/pgtest"
)

// A node that was stopped within a transaction keeps nobody waiting: whoever shoots it ends its connections first.
func TestShotWhileStopped(t *testing.T) {
	for name, engine := range fenceEngines {
		if name == "shared" {
			continue // nodes of one process
		}
		t.Run(name, func(t *testing.T) {
			dsn, o := engine(t)
			victim, shooter, other := opened(t, dsn, o), opened(t, dsn, o), opened(t, dsn, o)
			dead := sitBeside(t, victim, "0000000000000001")
			own := sitBeside(t, shooter, "0000000000000002")
			sitBeside(t, other, "0000000000000003")
			var wg sync.WaitGroup
			defer wg.Wait()
			done := make(chan struct{})
			var longest atomic.Int64
			wg.Go(func() { writeUntil(t, other, done, &longest) })
			var took time.Duration
			err := victim.Atomic(t.Context(), func(ctx context.Context) error {
				if err := victim.Put(ctx, "a", "k", []byte("v")); err != nil {
					return err
				}
				began := time.Now()
				if err := shooter.ShootNode(t.Context(), dead, own); err != nil {
					t.Errorf("the shot: %v", err)
				}
				took = time.Since(began)
				return nil
			})
			close(done)
			wg.Wait()
			if err == nil || kept(t, other) != 1 { // the row of the other one
				t.Errorf("the act of the one that was shot: %v, %d rows", err, kept(t, other))
			}
			if took > 3*time.Second || longest.Load() > int64(3*time.Second) {
				t.Errorf("the shot took %v, another one's write up to %v", took, time.Duration(longest.Load()))
			}
		})
	}
}

// A node that has renewed its lease meanwhile is not shot, and its connections stay.
func TestNotShot(t *testing.T) {
	dsn := pgtest.Copy(t, migrate)
	victim, shooter := opened(t, dsn, sqlstore.Options{}), opened(t, dsn, sqlstore.Options{})
	living := sitBeside(t, victim, "0000000000000001")
	own := sitBeside(t, shooter, "0000000000000002")
	living.Until = 1 // of the lease as it was seen
	if err := victim.Atomic(t.Context(), func(ctx context.Context) error {
		if err := victim.Put(ctx, "a", "k", []byte("v")); err != nil {
			return err
		}
		if err := shooter.ShootNode(t.Context(), living, own); err == nil {
			t.Error("it was shot")
		}
		return nil
	}); err != nil {
		t.Errorf("its act: %v", err)
	}
}

// sitBeside makes a store write for a node beside others.
func sitBeside(t *testing.T, st *sqlstore.Store, id string) store.ClusterNode {
	t.Helper()
	n := store.ClusterNode{ID: id, Address: "127.0.0.1:1", Several: true}
	var err error
	if n.Incarnation, err = st.ClaimNode(t.Context(), n, time.Hour); err != nil {
		t.Fatal(err)
	}
	st.Hold(n.ID, n.Incarnation)
	ns, err := st.ClusterNodes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, is := range ns {
		if is.ID == id {
			n.Until = is.Until
		}
	}
	return n
}

// writeUntil writes until done is closed, and notes how long the longest write took.
func writeUntil(t *testing.T, st *sqlstore.Store, done chan struct{}, longest *atomic.Int64) {
	for {
		select {
		case <-done:
			return
		default:
		}
		began := time.Now()
		if err := st.Put(t.Context(), "a", "other", []byte("v")); err != nil {
			t.Errorf("a write of another node: %v", err)
			return
		}
		longest.Store(max(longest.Load(), int64(time.Since(began))))
	}
}
