package sqlstore_test

import (
	"errors"
	"testing"
	"time"

	"parley/store"
)

// An incarnation never comes again, not even that of a node whose row another one has deleted: the process may only
// have been stopped, and must not write once its node has started again.
func TestIncarnationsNeverComeAgain(t *testing.T) {
	for name, engine := range fenceEngines {
		t.Run(name, func(t *testing.T) {
			dsn, o := engine(t)
			first, second := opened(t, dsn, o), opened(t, dsn, o)
			claim := func(id string) store.ClusterNode {
				n := store.ClusterNode{ID: id, Address: "127.0.0.1:1", Several: true}
				var err error
				if n.Incarnation, err = first.ClaimNode(t.Context(), n, time.Hour); err != nil {
					t.Fatal(err)
				}
				return n
			}
			judge, zombie := claim("0000000000000001"), claim("0000000000000002")
			second.Hold(zombie.ID, zombie.Incarnation)
			ns, err := first.ClusterNodes(t.Context())
			if err != nil || len(ns) != 2 {
				t.Fatal(ns, err)
			}
			if err := first.ShootNode(t.Context(), ns[1], judge); err != nil {
				t.Fatal(err)
			}
			if again := claim(zombie.ID); again.Incarnation <= zombie.Incarnation {
				t.Errorf("it is %d after %d", again.Incarnation, zombie.Incarnation)
			}
			if err := second.Put(t.Context(), "a", "k", []byte("v")); !errors.Is(err, store.ErrFenced) {
				t.Errorf("a write of the dead one: %v", err)
			}
		})
	}
}
