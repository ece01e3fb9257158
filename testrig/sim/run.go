package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"parley/acts"
	"parley/auth"
	"parley/node/devcert"
	"parley/org"
	"parley/store"
	"parley/testrig/sqlitetest"
	"parley/wire/jid"
)

// start of the world's time: bubbles begin in 2000, before the first id.
var dawn = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// Run plays a seed.
func Run(t *testing.T, o Options) (r Result) {
	o.Clients = max(o.Clients, 0)
	if o.Clients == 0 {
		o.Clients = 20
	}
	if o.Span == 0 {
		o.Span = time.Minute
	}
	o.Nodes = max(o.Nodes, 1)
	begin, err := beginning(t, o.Clients/2)
	if err != nil {
		t.Fatal(err)
	}
	cryptotest.SetGlobalRandom(t, o.Seed)
	// Goroutines of one step run one after the other, so that they do so in the same order the next time.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, o)
		defer os.RemoveAll(w.dir)
		defer w.pool.close()
		if err := os.WriteFile(filepath.Join(w.dir, "parley.db"), begin.database, 0o600); err != nil {
			t.Fatal(err)
		}
		if w.hasRooms() {
			w.rooms = begin.rooms
		}
		w.play()
		r = Result{Findings: w.findings, Counters: w.counters, Trace: w.hash, Events: w.events}
	})
	return r
}

func newWorld(t *testing.T, o Options) *World {
	dir, err := os.MkdirTemp("", "parley-sim")
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(dawn))
	w := &World{
		t:        t,
		o:        o,
		rnd:      rand.New(rand.NewPCG(o.Seed, 0)),
		began:    time.Now(),
		counters: make(map[string]int),
		dir:      dir,
		pool:     pool{free: make(map[string][]*realConn)},
		model:    &model{messages: make(map[string]*message), rights: make(map[string]*right)},
	}
	files, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	w.files = files
	for i := range o.Clients {
		w.clients = append(w.clients, &client{
			w:       w,
			id:      i,
			account: "u" + strconv.Itoa(i/2),
			where:   i % max(o.Nodes, 1),
			rooms:   make(map[string]*place),
			asked:   make(map[string]func(string)),
			told:    make(map[string]*archive),

			contacts: make(map[string]bool),
		})
	}
	return w
}

// play runs the world from its beginning to its end.
func (w *World) play() {
	for i := range w.o.Nodes {
		time.Sleep(time.Duration(i) * 1700 * time.Microsecond) // timers of one moment have no order
		w.nodes = append(w.nodes, w.start(i, w.machines(i)[0], &nodeClock{}, false))
	}
	w.settle(time.Minute, func() bool { return len(w.living()) == len(w.nodes) })
	w.faulty = w.o.Faults
	for time.Since(w.began) < w.o.Span+w.idle {
		w.step()
		w.revive()
	}
	w.rest()
	w.end()
}

// end stops the nodes in order.
func (w *World) end() {
	all := append(slices.Clone(w.ending), w.nodes...)
	for _, n := range w.nodes {
		n.gate.openWide()
		n.cancel()
	}
	for range 1000 {
		synctest.Wait()
		if !slices.ContainsFunc(all, func(n *Node) bool { return !n.over() }) {
			return
		}
		for _, e := range w.linkEvents() {
			e.do()
			synctest.Wait()
		}
		for _, c := range w.clients {
			if c.pipe != nil {
				c.pipe.deliverDown()
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	w.find("a node does not stop")
}

func (w *World) panics(line string) { w.find("logged: %.300s", line) }

// certificate is made once for all runs.
var certificate = sync.OnceValues(func() (files [2]string, err error) {
	dir, err := os.MkdirTemp("", "parley-sim-tls")
	if err != nil {
		return files, err
	}
	f, err := devcert.Ensure(dir, []string{Host}, dawn.Add(-time.Hour))
	return [2]string{f.Cert, f.Key}, err
})

// furnished is how a run begins.
type furnished struct {
	database []byte
	rooms    []string
}

var beginnings sync.Map // furnished, by number of accounts

// beginning is a database with accounts, contacts and groups. It is made once for each number of accounts.
func beginning(t *testing.T, accounts int) (f furnished, err error) {
	if f, ok := beginnings.Load(accounts); ok {
		return f.(furnished), nil
	}
	if _, err := certificate(); err != nil {
		return f, err
	}
	cryptotest.SetGlobalRandom(t, 0)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, Options{})
		defer os.RemoveAll(w.dir)
		defer w.pool.close()
		path := filepath.Join(w.dir, "parley.db")
		sqlitetest.Put(t, path)
		w.nodes = []*Node{w.start(0, w.machines(0)[0], &nodeClock{}, true)}
		synctest.Wait()
		if err = w.furnish(accounts); err != nil {
			return
		}
		w.end()
		w.pool.close() // the last connection merges SQLite's log into the file
		f.rooms = w.rooms
		f.database, err = os.ReadFile(path)
	})
	if err == nil {
		beginnings.Store(accounts, f)
	}
	return f, err
}

// furnish makes the accounts, contacts and groups of a run.
func (w *World) furnish(accounts int) error {
	n := w.nodes[0].real
	if n == nil {
		return fmt.Errorf("the node does not start: %w", w.nodes[0].err)
	}
	ctx := context.Background()
	keys, err := auth.NewKeys(password, 4096)
	if err != nil {
		return err
	}
	kb, err := keys.MarshalBinary()
	if err != nil {
		return err
	}
	var all []jid.JID
	for i := range accounts {
		name := "u" + strconv.Itoa(i)
		u := store.User{Host: Host, Name: name, Keys: kb, Created: time.Now(), FreeSince: time.Now()}
		if err := n.Store.CreateUser(ctx, u); err != nil {
			return err
		}
		all = append(all, jid.MustParse(name+"@"+Host))
	}
	for _, a := range all {
		for _, b := range all {
			if a == b || !areContacts(a.Local(), b.Local()) {
				continue
			}
			befriend := func(c *store.Contact) (bool, error) {
				c.InRoster, c.Subscription = true, "both"
				return false, nil
			}
			if _, err := n.Store.UpdateContact(ctx, Host, a.Local(), b.String(), 0, befriend); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"Alpha", "Beta"} {
		g, err := n.Org.CreateGroup(ctx, acts.System, Host, org.NewGroup{
			Name: name, Kind: org.Private, Owner: all[0], Members: all[1:],
		})
		if err != nil {
			return err
		}
		w.rooms = append(w.rooms, g.Room+"@groups."+Host)
	}
	return nil
}

// areContacts says whether two accounts see each other's presence: each has a few.
func areContacts(a, b string) bool {
	x, _ := strconv.Atoi(a[1:])
	y, _ := strconv.Atoi(b[1:])
	return a != b && (x/4 == y/4)
}
