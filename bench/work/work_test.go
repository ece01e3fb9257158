package work

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/bench/load"
	"parley/bench/meter"
	"parley/bench/relay"
	"parley/bench/target"
)

// tiny is a scale at which a workload does all it does, once or a little more.
var tiny = Scale{
	Name:      "tiny",
	Warm:      time.Millisecond,
	Measure:   200 * time.Millisecond,
	Latency:   300 * time.Millisecond,
	Elsewhere: 20,
	BigRoom:   20,
	Idle:      50,
	Settle:    time.Millisecond,
	IdleWatch: time.Millisecond,
}

// env runs a relay in this process.
func env(t *testing.T) *Env {
	t.Helper()
	// httptest has a certificate for example.com, made for tests.
	ts := httptest.NewUnstartedServer(nil)
	ts.StartTLS()
	cert, leaf := ts.TLS.Certificates[0], ts.Certificate()
	ts.Close()
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- new(relay.Server).Serve(ln, &tls.Config{Certificates: []tls.Certificate{cert}}) }()
	t.Cleanup(func() {
		ln.Close()
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	one := target.Node{
		Dial: &load.Dialer{
			Addr:   ln.Addr().String(),
			Domain: target.Domain,
			Relay:  true,
			TLS:    &tls.Config{RootCAs: roots, ServerName: "example.com"},
		},
		Tree: meter.Tree{Roots: []int{os.Getpid()}},
	}
	return &Env{
		In:    &target.Instance{Dial: one.Dial, Tree: one.Tree, Nodes: []target.Node{one, one}},
		Scale: tiny, Window: 2, Scratch: new(atomic.Int64), Befriended: new(atomic.Bool), Deadline: 10 * time.Second,
	}
}

// Every workload that needs no archive works on the relay and gives all of its
// rows.
func TestWorkOnRelay(t *testing.T) {
	for _, w := range All() {
		if w.Filled > 0 || w.Groups {
			continue
		}
		t.Run(w.Rows[0].Name, func(t *testing.T) {
			e := env(t)
			e.Place = w.Place
			results, err := w.Run(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if len(results) != len(w.Rows) {
				t.Fatalf("%d results for %d rows", len(results), len(w.Rows))
			}
			for i, r := range results {
				if r.Row != w.Rows[i].Name || r.Units <= 0 {
					t.Errorf("row %d: %+v, want %s", i, r, w.Rows[i].Name)
				}
			}
		})
	}
}

// faults feeds stanzas to a handler and returns what it says of them.
func faults(h load.Handler, tl *tally, index int, stanzas ...[]byte) string {
	s := &load.Session{Index: index}
	for _, st := range stanzas {
		h(s, st)
	}
	if err := tl.err(1); err != nil {
		return err.Error()
	}
	return ""
}

// In a group for announcements one member sees the speaker and itself, and every message once.
func TestFaultsInHall(t *testing.T) {
	from := func(nick, rest string) []byte { return []byte("<presence from='hall@x/" + nick + "'" + rest + "/>") }
	said := func(seq int64) []byte {
		return []byte(strings.Replace(string(message("groupchat", "y", 0, seq)), "<message ",
			"<message from='hall@x/n0' ", 1))
	}
	for name, c := range map[string]struct {
		stanzas [][]byte
		want    string
	}{
		"as it should": {[][]byte{from("n0", ""), from("n1", ""), said(0), said(1), from("n1", " type='unavailable'"),
			from("n0", ""), from("n1", "")}, ""},
		"of other room": {[][]byte{[]byte("<presence from='other@x/n1' type='error'/>")}, ""},
		"too much":      {[][]byte{from("n0", ""), from("n2", ""), from("n1", "")}, "0 lost, 1 doubled"},
		"lost":          {[][]byte{said(1)}, "1 lost"},
		"refused":       {[][]byte{from("n1", " type='error'")}, "0 lost, 0 doubled, 1 refused"},
	} {
		h := &hall{
			jid:  "hall@x",
			n:    9,
			seen: make([]int, 2),
			next: make([]int64, 2),
			out:  []chan struct{}{nil, make(chan struct{}, 1)},
		}
		if got := faults(h.handle, &h.tally, 1, c.stanzas...); !strings.HasPrefix(got, c.want) ||
			(got == "") != (c.want == "") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestFaultsAreFound(t *testing.T) {
	msg := func(seq int64) []byte { return message("chat", "x@y", 0, seq) }
	refusal := []byte(`<message type='error'><error/></message>`)
	for name, c := range map[string]struct {
		stanzas [][]byte
		want    string
	}{
		"in order": {[][]byte{msg(0), msg(1), msg(2)}, ""},
		"doubled":  {[][]byte{msg(0), msg(1), msg(1)}, "0 lost, 1 doubled, 0 refused"},
		"lost":     {[][]byte{msg(0), msg(3)}, "2 lost, 0 doubled, 0 refused"},
		"refused":  {[][]byte{refusal}, "0 lost, 0 doubled, 1 refused of 1: <message type='error'>"},
	} {
		r := &room{
			n:        2,
			next:     [][]int64{{0}},
			openLoop: true,
			lanes:    []lane{{got: make([]atomic.Int64, laneRing), sent: make([]atomic.Int64, laneRing)}},
		}
		if got := faults(r.handle, &r.tally, 0, c.stanzas...); !strings.HasPrefix(got, c.want) ||
			(got == "") != (c.want == "") {
			t.Errorf("room, %s: %q", name, got)
		}
		b := &broadcast{next: make([]int64, 2)}
		b.going.Store(true)
		var presences [][]byte
		for _, st := range c.stanzas {
			text := strings.NewReplacer("message", "presence", "body", "status", " type='chat'", "").Replace(string(st))
			presences = append(presences, []byte(text))
		}
		if got := faults(b.handle, &b.tally, 1, presences...); (got == "") != (c.want == "") ||
			(name != "refused" && !strings.HasPrefix(got, c.want)) {
			t.Errorf("presence, %s: %q", name, got)
		}
	}
	p := &pingpong{window: 1, next: make([]atomic.Int64, 1)}
	p.stop.Store(true)
	if got := faults(p.handle, &p.tally, 1, msg(0), msg(0), msg(4)); !strings.HasPrefix(got, "3 lost, 1 doubled") {
		t.Errorf("chat: %q", got)
	}
	o := &openLoop{sent: make([]atomic.Int64, 3), seen: make([]atomic.Bool, 3)}
	o.hist.Store(new(load.Histogram))
	if got := faults(o.handle, &o.tally, 0,
		msg(2), msg(0), msg(2)); !strings.HasPrefix(got, "0 lost, 1 doubled") || o.count.Load() != 2 {
		t.Errorf("open loop: %q, %d", got, o.count.Load())
	}
}

// Messages that never come count as lost once nothing moves any more.
func TestSettleGivesUp(t *testing.T) {
	e := &Env{Deadline: 20 * time.Millisecond}
	var count atomic.Int64
	count.Store(7)
	if missing, err := e.settle(context.Background(), nil, &count, 10); missing != 3 || err != nil {
		t.Fatalf("%d missing, %v", missing, err)
	}
}

func TestArchivePageIsChecked(t *testing.T) {
	pg := func(from, step int64, n int) page {
		var p page
		for i := range n {
			p.items = append(p.items, archived{0, from + int64(i)*step})
		}
		return p
	}
	if err := pg(100, 1, pageSize).check(100, 149); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"short":       pg(100, 1, pageSize-1).check(-1, -1),
		"gaps":        pg(100, 2, pageSize).check(-1, -1),
		"wrong begin": pg(100, 1, pageSize).check(101, -1),
		"wrong end":   pg(100, 1, pageSize).check(-1, 150),
	} {
		if err == nil {
			t.Errorf("%s: page passes", name)
		}
	}
}

func TestMessageCarriesItsNumber(t *testing.T) {
	st := message("chat", "a@b.example", 3, 41)
	if lane, seq, ok := seqOf(st, "body"); lane != 3 || seq != 41 || !ok {
		t.Errorf("got %d, %d, %v of %s", lane, seq, ok, st)
	}
	if n := len(st); n < 300 || n > 420 {
		t.Errorf("a message has %d bytes", n)
	}
	for _, bad := range []string{
		"<m><body>hello</body></m>", "<m/>", "<m><body>-1:2 </body></m>", "<m><body>1:x</body></m>",
	} {
		if _, _, ok := seqOf([]byte(bad), "body"); ok {
			t.Errorf("%s has a number", bad)
		}
	}
}
