package sim

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// number reads a number from the environment.
func number(t *testing.T, name string, otherwise int) int {
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s is %q, which is not a number", name, text)
	}
	return n
}

// nodes is with how many nodes a seed is played: NODES, or one. What seeds of several nodes find is not all understood.
func nodes(t *testing.T) int { return number(t, "NODES", 1) }

// TestSeeds plays seeds: FIRST, and SEEDS of them. With SEED it plays that one and prints its events. TRACES is a
// folder for the events of seeds with findings.
func TestSeeds(t *testing.T) {
	if seed := number(t, "SEED", 0); seed > 0 {
		r := Run(t, Options{
			Seed: uint64(seed), Nodes: nodes(t), Faults: true, Log: func(line string) { fmt.Println(line) },
		})
		report(t, seed, r)
		return
	}
	first, n := number(t, "FIRST", 1), number(t, "SEEDS", 60)
	traces := os.Getenv("TRACES")
	sum := make(map[string]int)
	began := time.Now()
	for seed := first; seed < first+n; seed++ {
		var lines []string
		o := Options{Seed: uint64(seed), Nodes: nodes(t), Faults: true}
		if traces != "" {
			o.Log = func(line string) { lines = append(lines, line+"\n") }
		}
		r := Run(t, o)
		report(t, seed, r)
		if traces != "" && len(r.Findings) > 0 {
			path := filepath.Join(traces, fmt.Sprintf("seed%d-%d", seed, o.Nodes))
			if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
				t.Error(err)
			}
		}
		sum["events"] += r.Events
		for what, times := range r.Counters {
			sum[what] += times
		}
	}
	t.Logf("%d seeds from %d on, %.2f s each", n, first, time.Since(began).Seconds()/float64(max(n, 1)))
	for _, what := range slices.Sorted(maps.Keys(sum)) {
		t.Logf("met: %s: %d", what, sum[what])
	}
}

func report(t *testing.T, seed int, r Result) {
	for _, f := range r.Findings {
		t.Errorf("seed %d: %s", seed, f)
	}
}

// TestPeace plays without faults, where nothing may be seen twice either, with one, two and three nodes.
func TestPeace(t *testing.T) {
	for seed := range 10 {
		report(t, seed, Run(t, Options{Seed: uint64(seed), Nodes: 1 + seed%3}))
	}
}

// TestReplay plays each seed twice: what happens follows from the seed. Timers that end in the same moment run in an
// order of their own, so that a few runs differ; the test fails when it is more than a fifth.
func TestReplay(t *testing.T) {
	differ := 0
	const seeds = 20
	for seed := 1000; seed < 1000+seeds; seed++ {
		var lines [2][]string
		for i := range lines {
			Run(t, Options{
				Seed: uint64(seed), Nodes: nodes(t), Faults: true, Span: 20 * time.Second,
				Log: func(line string) { lines[i] = append(lines[i], line) },
			})
		}
		for i := range min(len(lines[0]), len(lines[1])) {
			if lines[0][i] != lines[1][i] {
				differ++
				t.Logf("seed %d, event %d: %s\n%s", seed, i, lines[0][i], lines[1][i])
				break
			}
		}
	}
	if differ > seeds/5 {
		t.Errorf("%d of %d seeds do not replay", differ, seeds)
	}
}
