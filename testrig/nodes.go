package testrig

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"parley/config"
	"parley/node"
	"parley/store/sqlstore"
	"parley/testrig/sqlitetest"
)

// Nodes is on how many nodes scripts are played: PARLEY_TEST_NODES, or one.
func Nodes() int {
	n, err := strconv.Atoi(os.Getenv("PARLEY_TEST_NODES"))
	if err != nil || n < 1 {
		return 1
	}
	return n
}

// StartNodes runs nodes that serve together on one database, as Start runs one, and returns the first. Actors of
// scripts connect to one after the other.
func StartNodes(t testing.TB, n int, change func(*config.Config), more ...node.Option) *Rig {
	t.Helper()
	var first *Rig
	shared := node.WithStoreOptions(func(o *sqlstore.Options) { o.Shared = true })
	for range n {
		r := Start(t, func(c *config.Config) {
			if change != nil {
				change(c)
			}
			c.Cluster.Enabled = true
			if first != nil {
				c.Store.DSN = first.cfg.Store.DSN
				c.TLS.Certificate, c.TLS.Key = first.cfg.TLS.Certificate, first.cfg.TLS.Key
			} else if c.Store.DSN == "sqlite:"+filepath.Join(c.DataDir, "parley.db") {
				name := filepath.Join(t.TempDir(), "shared.db")
				sqlitetest.Put(t, name)
				c.Store.DSN = "sqlite:" + name
			}
		}, append(more, shared)...)
		if first == nil {
			first = r
			continue
		}
		r.Roots = first.Roots
		first.beside = append(first.beside, r)
	}
	return first
}

// On returns the n-th of the nodes that were started together, from 0 on.
func (r *Rig) On(n int) *Rig {
	if n == 0 {
		return r
	}
	return r.beside[n-1]
}

// count counts a stanza that comes from another client.
func (c *Client) count(e *Element) {
	if from := e.Attr("from"); e.stanza() && ofClient(from) && from != c.self.Load() {
		c.rig.between.Add(1)
	}
}

// stanza says whether an element is a message, a presence or an iq.
func (e *Element) stanza() bool {
	return e.Name.Local == "message" || e.Name.Local == "presence" || e.Name.Local == "iq"
}

// ofClient says whether an address is that of a client of a rig's hosts.
func ofClient(address string) bool {
	bare, resource, _ := strings.Cut(address, "/")
	_, domain, ok := strings.Cut(bare, "@")
	return ok && resource != "" && (domain == Host || domain == Second)
}

// Crossing counts what clients on several nodes have got of each other.
type Crossing struct {
	Stanzas int64 // all of them
	Crossed int64 // those of them that went from one node to another one
}

// crossing counts what the clients of nodes have got.
func (r *Rig) crossing() (c Crossing) {
	for n := range len(r.beside) + 1 {
		c.Stanzas += r.On(n).between.Load()
		c.Crossed += r.On(n).Node.Crossed()
	}
	c.Crossed = min(c.Crossed, c.Stanzas) // some may not have been read
	return c
}

// Spreads says whether a script is to be played on several nodes: it has several clients, and never starts the server
// again.
func (s *Script) Spreads() bool {
	actors := make(map[string]bool)
	for _, st := range s.steps {
		if st.verb == "signs in" || st.verb == "connects" {
			actors[st.actor] = true
		}
	}
	return len(actors) > 1 && !s.restarts()
}

// flush returns when what one node has told another has had its effect there.
func (r *Rig) flush(ctx context.Context) error {
	if len(r.beside) == 0 {
		return nil
	}
	for range 2 { // what comes of it may be told on
		for n := range len(r.beside) + 1 {
			if err := r.On(n).Node.Flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// at is the node that an actor connects to.
func (p *player) at(actor string) *Rig {
	if len(p.rig.beside) == 0 {
		return p.rig
	}
	if p.places == nil {
		p.places = make(map[string]*Rig)
	}
	if p.places[actor] == nil {
		p.places[actor] = p.rig.On(len(p.places) % (len(p.rig.beside) + 1))
	}
	return p.places[actor]
}
