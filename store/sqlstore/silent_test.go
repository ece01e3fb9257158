package sqlstore_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/store"
	"parley/testrig/pgtest"
)

// node is a database node as seen through the network: its traffic can be stopped, or cut off after a request has
// arrived.
type node struct {
	l net.Listener

	mu     sync.Mutex
	thawed sync.Cond
	frozen bool     // nothing goes through, connections stay
	last   []string // after one of these the server's answers do not arrive
	conns  []net.Conn
}

func newNode(t *testing.T, dsn string) *node {
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, to := "tcp", u.Host
	if dir := u.Query().Get("host"); dir != "" {
		network, to = "unix", filepath.Join(dir, ".s.PGSQL.5432")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{l: l}
	n.thawed.L = &n.mu
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial(network, to)
			if err != nil {
				c.Close()
				continue
			}
			n.mu.Lock()
			n.conns = append(n.conns, c, up)
			n.mu.Unlock()
			var mute atomic.Bool
			wg.Go(func() { n.carry(up, c, &mute, false) })
			wg.Go(func() { n.carry(c, up, &mute, true) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		n.freeze(false)
		n.cut()
		wg.Wait()
	})
	return n
}

func (n *node) carry(to, from net.Conn, mute *atomic.Bool, answers bool) {
	defer to.Close()
	buf := make([]byte, 32<<10)
	for {
		k, err := from.Read(buf)
		n.mu.Lock()
		for n.frozen {
			n.thawed.Wait()
		}
		for _, word := range n.last {
			if !answers && bytes.Contains(buf[:k], []byte(word)) {
				mute.Store(true)
			}
		}
		n.mu.Unlock()
		if k > 0 && !(answers && mute.Load()) {
			if _, err := to.Write(buf[:k]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (n *node) freeze(frozen bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.frozen = frozen
	n.thawed.Broadcast()
}

// muteAfter has what the server answers to something with one of these words in it, and to what follows, not arrive.
func (n *node) muteAfter(words ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last = words
}

func (n *node) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		c.Close()
	}
	n.conns = nil
}

// through gives a DSN that reaches the database by these nodes.
func through(t *testing.T, dsn string, nodes ...*node) string {
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Del("host")
	u.RawQuery, u.Host = q.Encode(), ""
	for i, n := range nodes {
		if i > 0 {
			u.Host += ","
		}
		u.Host += n.l.Addr().String()
	}
	return u.String()
}

func engines(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("PostgreSQL", func(t *testing.T) { f(t, pgtest.Copy(t, migrate)) })
	t.Run("CockroachDB", func(t *testing.T) { f(t, pgtest.CockroachCopy(t, migrate)) })
}

func message(owner string, id store.ID) *store.ArchiveEntry {
	return &store.ArchiveEntry{Host: "example.org", Owner: owner, ID: id, With: "x@y", Stanza: []byte("<m/>")}
}

func archived(t *testing.T, st store.Store, owner string) (n int) {
	t.Helper()
	_, _, n, err := st.ReadArchive(context.Background(), "example.org", owner, store.Page{Max: 1, Count: true})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestSilentNode: one of two nodes hangs. The other commits the batch that hangs there, and later batches do not wait
// for it.
func TestSilentNode(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		open(t, dsn).Close()
		a, b := newNode(t, dsn), newNode(t, dsn)
		st := open(t, through(t, dsn, a, b))
		defer st.Close()
		ctx := context.Background()
		var wg sync.WaitGroup
		for i := range 8 { // so that there are connections to both
			wg.Go(func() {
				if err := st.Commit(ctx, message(fmt.Sprint("u", i), 1)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		a.freeze(true)
		begun := time.Now()
		for i := store.ID(2); i < 40; i++ {
			one := time.Now()
			if err := st.Commit(ctx, message("romeo", i)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(one); took > 8*time.Second {
				t.Errorf("message %d took %v", i, took)
			}
		}
		if took := time.Since(begun); took > 15*time.Second {
			t.Errorf("38 messages took %v while one of two nodes hangs", took)
		}
		a.freeze(false)
		if n := archived(t, st, "romeo"); n != 38 {
			t.Errorf("%d are kept", n)
		}
	})
}

// TestSlowOwner: a slow commit for one account delays no other account, and later entries of that account stay in
// order.
func TestSlowOwner(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		st := open(t, dsn)
		defer st.Close()
		ctx := context.Background()
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		other, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		// The same key, not committed yet: another insert of it has to wait.
		if _, err := other.Exec(`INSERT INTO archive (host, owner, id, with_bare, with_res, incoming, origin_id, stanza)
			VALUES ('example.org', 'romeo', 1, '', '', 0, '', '')`); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		kept := make(chan store.ID, 2)
		for id := range store.ID(2) {
			wg.Go(func() {
				own := message("romeo", (id+1)%2) // the second one has no id yet
				if err := st.Commit(ctx, own, message("nurse", 0)); err != nil {
					t.Error(err)
				}
				kept <- own.ID
			})
			if id == 0 {
				waitBusy(t, db)
			}
		}
		var last store.ID
		for range 20 {
			begun, m := time.Now(), message("juliet", 0)
			if err := st.Commit(ctx, m); err != nil {
				t.Fatal(err)
			}
			last = m.ID
			if took := time.Since(begun); took > 2*time.Second {
				t.Fatalf("a message of another account took %v", took)
			}
		}
		select {
		case id := <-kept:
			t.Errorf("%d did not wait", id)
		default:
		}
		if err := other.Rollback(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		if first := <-kept; first != 1 && archived(t, st, "romeo") != 2 {
			t.Errorf("%d was kept first", first)
		}
		if second := <-kept; second < last {
			t.Errorf("what waited behind a slow commit has the id %d of before its commit", second)
		}
		if n := archived(t, st, "nurse"); n != 2 {
			t.Errorf("%d are kept", n)
		}
	})
}

// waitBusy waits until a statement of the store is under way.
func waitBusy(t *testing.T, db *sql.DB) {
	t.Helper()
	q := "SELECT COUNT(*) FROM pg_stat_activity WHERE application_name LIKE 'parley %' AND state = 'active' AND query " +
		"LIKE 'INSERT INTO archive%'"
	var version string
	if err := db.QueryRow("SELECT version()").Scan(&version); err != nil {
		t.Fatal(err)
	}
	if version[:2] == "Co" {
		q = "SELECT COUNT(*) FROM [SHOW CLUSTER QUERIES] WHERE application_name LIKE 'parley %' AND query " +
			"LIKE 'INSERT INTO archive%'"
	}
	for end := time.Now().Add(20 * time.Second); ; {
		var n int
		if err := db.QueryRow(q).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nothing is being inserted under the name of the node")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestAnswerLost: the database stores a message of a room and one of an account, and the connection breaks before its
// answer. Both messages are there once, and their sender is told that they are.
func TestAnswerLost(t *testing.T) {
	engines(t, func(t *testing.T, dsn string) {
		direct := open(t, dsn)
		defer direct.Close()
		ctx := context.Background()
		if err := direct.CreateRoom(ctx, store.Room{
			Host:    "rooms.example.org",
			Name:    "r",
			Epoch:   1,
			Created: time.Now(),
		}); err != nil {
			t.Fatal(err)
		}
		n := newNode(t, dsn)
		st := open(t, through(t, dsn, n))
		defer st.Close()
		if err := st.Commit(ctx, message("romeo", 1)); err != nil {
			t.Fatal(err)
		}
		lost, named := message("romeo", 2), message("romeo", 0)
		lost.Stanza = []byte("<m>lost</m>")
		said := &store.RoomEntry{Host: "rooms.example.org", Room: "r", Epoch: 1, Seq: 1, ID: 7, Stanza: []byte("<m/>")}
		for i, w := range []store.Write{lost, named, said} {
			done := make(chan error, 1)
			there := func() bool { return archived(t, direct, "romeo") == 2+i }
			n.muteAfter("<m>lost</m>")
			if i > 0 { // a transaction
				n.muteAfter("commit", "RELEASE SAVEPOINT")
			}
			if e, ok := w.(*store.RoomEntry); ok {
				there = func() bool {
					r, err := direct.Room(ctx, e.Host, e.Room)
					return err == nil && r.LastSeq == 1
				}
			}
			go func() { done <- st.Commit(ctx, w) }()
			for end := time.Now().Add(20 * time.Second); !there(); time.Sleep(5 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%T is not kept", w)
				}
			}
			n.muteAfter()
			n.cut()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("%T: %v", w, err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("no end")
			}
		}
		es, _, total, err := direct.ReadRoom(ctx, "rooms.example.org", "r", store.Page{Max: 9, Count: true})
		if err != nil || total != 1 || es[0].ID != 7 {
			t.Errorf("the room has %d, %v", total, err)
		}
		if n := archived(t, direct, "romeo"); n != 3 {
			t.Errorf("the account has %d", n)
		}
		if _, last, err := direct.ArchiveBounds(ctx, "example.org", "romeo"); err != nil || last != named.ID {
			t.Errorf("the id is %d, and its sender was told %d, %v", last, named.ID, err)
		}
		// A number that another entry has is still refused.
		other := *said
		other.ID = 8
		if err := st.Commit(ctx, &other); err != store.ErrExists {
			t.Errorf("a taken number: %v", err)
		}
	})
}
