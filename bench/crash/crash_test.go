package crash

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/testrig/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// A few kills; `go run ./bench/cmd/crash` does some hundred.
func TestKilled(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "parley")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", binary,
		"parley/cmd/parley").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, dsn := range map[string]func(t *testing.T) string{
		"SQLite":     nil,
		"PostgreSQL": func(t *testing.T) string { return pgtest.DSN(t) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "crash") // t.TempDir's names are too long for a Unix socket
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			c := Config{
				Binary:  binary,
				Dir:     dir,
				Kills:   4,
				Clients: 4,
				Life:    3 * time.Second,
				Seed:    uint64(time.Now().UnixNano()),
			}
			if dsn != nil {
				c.DSN = dsn(t)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			res, err := Run(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			if res.Wrong() {
				t.Errorf("seed %d: %s\n%s", c.Seed, res, strings.Join(res.Details, "\n"))
			}
		})
	}
}

// The check finds the faults that it looks for.
func TestCheck(t *testing.T) {
	said := func(n int, acked bool) *sent {
		return &sent{key: fmt.Sprintf("u0x%dx", n), attempts: 1, acked: acked}
	}
	es := func(ns ...int) (es []entry) {
		for i, n := range ns {
			es = append(es, entry{id: fmt.Sprint(i), key: fmt.Sprintf("u0x%dx", n)})
		}
		return es
	}
	for _, c := range []struct {
		what                     string
		es                       []entry
		lost, doubled, reordered int
	}{
		{"all is well", es(0, 1, 2), 0, 0, 0},
		{"what was not acknowledged may be there", es(0, 1, 2, 3), 0, 0, 0},
		{"one is lost", es(0, 2), 1, 0, 0},
		{"one is there twice", es(0, 1, 1, 2), 0, 1, 0},
		{"two are in another order", es(0, 2, 1), 0, 0, 1},
	} {
		res := new(Result)
		(&talker{all: []*sent{said(0, true), said(1, true), said(2, true), said(3, false)}}).kept("x", c.es, false, res)
		if res.Lost != c.lost || res.Doubled != c.doubled || res.Reordered != c.reordered {
			t.Errorf("%s: %s", c.what, res)
		}
	}
	for _, c := range []struct {
		what                              string
		shown                             []string
		ghosts, skipped, twice, reordered int
	}{
		{"all is well", []string{"1", "2", "3"}, 0, 0, 0, 0},
		{"one that is not kept", []string{"1", "9", "2"}, 1, 0, 0, 0},
		{"one is left out", []string{"0", "2", "3"}, 0, 1, 0, 0},
		{"one comes twice", []string{"0", "1", "1"}, 0, 0, 1, 0},
		{"two are in another order", []string{"0", "2", "1"}, 0, 1, 0, 1},
	} {
		res := new(Result)
		(&talker{streams: []*seen{{room: c.shown}}}).shown(es(0, 1, 2, 3), nil, res)
		if res.Ghosts != c.ghosts || res.Skipped != c.skipped || res.Twice != c.twice || res.Reordered != c.reordered {
			t.Errorf("%s: %s", c.what, res)
		}
	}
}
