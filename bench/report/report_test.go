package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"parley/bench/work"
)

func sample() *Report {
	rows := []work.Row{
		{Name: "a", Unit: "message", Must: []work.Goal{{Of: "ejabberd", Max: 0.1}}, Aim: []work.Goal{{Max: 50}}},
		{
			Name: "b",
			Unit: "delivery",
			Must: []work.Goal{{Max: 15000, Latency: true}},
			Aim:  []work.Goal{{Of: "better", Max: 0.25}},
		},
		{Name: "c", Unit: "session", KiB: true, Must: []work.Goal{{Of: "row:a", Max: 1.3}, {NoIdle: true}}},
		{Name: "d", Unit: "page", Must: []work.Goal{{Of: "relay", Max: 5}}},
	}
	r := New("quick", 1, rows, []string{"relay", "prosody", "ejabberd", "parley"}, map[string]string{"relay": "r1"})
	for target, v := range map[string]float64{"relay": 10, "prosody": 900, "ejabberd": 1000, "parley": 90} {
		r.Add(target, work.Result{Row: "a", PerUnit: v})
		r.Add(target, work.Result{Row: "b", PerUnit: v, P50: time.Millisecond, P99: 16 * time.Millisecond})
		r.Add(target, work.Result{Row: "c", PerUnit: v + 100, IdleCPU: 0.5})
	}
	return r
}

func TestGoals(t *testing.T) {
	r := sample()
	for i, want := range []struct{ must, aim string }{
		{"met 0.09 (1/10 of ejabberd)", "MISSED 90.0 (50.0 µs)"},
		{"MISSED 16.0 (p99 15.0 ms)", "met 0.10 (1/4 of better)"},
		{"MISSED 2.11 (1.3x a), MISSED 50.00 % (no idle CPU)", ""},
		{"unknown (5x relay)", ""},
	} {
		row := r.rows[i]
		if got := r.judge(row, "parley", row.Must); got != want.must {
			t.Errorf("row %s, must: %q, want %q", row.Name, got, want.must)
		}
		if got := r.judge(row, "parley", row.Aim); got != want.aim {
			t.Errorf("row %s, aim: %q, want %q", row.Name, got, want.aim)
		}
	}
}

func TestMedianOfRounds(t *testing.T) {
	r := sample()
	r.Add("parley", work.Result{Row: "a", PerUnit: 1000})
	r.Add("parley", work.Result{Row: "a", PerUnit: 80})
	if res, _ := r.get("a", "parley"); res.PerUnit != 90 {
		t.Errorf("median of 90, 1000, 80 is %v", res.PerUnit)
	}
}

// A target that lost a message in one round has no number in the table, however
// good its other rounds were.
func TestFailureHidesNumber(t *testing.T) {
	r := sample()
	r.Fail("a", "parley", errors.New("3 lost"))
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	if !r.Failed() || !strings.Contains(b.String(), "FAILED a on parley: 3 lost") ||
		r.ratio("a", "parley", "ejabberd") != "-" {
		t.Errorf("table:\n%s", b.String())
	}
	if _, met, known := r.met("a", "parley", work.Goal{Max: 1e9}); met || known {
		t.Error("a failed row meets a goal")
	}
}

func TestJSONHoldsEveryRound(t *testing.T) {
	r := sample()
	r.Add("relay", work.Result{Row: "a", PerUnit: 11})
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Results["a"]["relay"]; len(got) != 2 || got[1].PerUnit != 11 {
		t.Errorf("results of a for relay: %+v", got)
	}
}

// A goal for how much later a row may be than another one goes by the median of its times.
func TestLater(t *testing.T) {
	r := sample()
	r.Add("parley-2", work.Result{Row: "a", PerUnit: 100, P50: time.Millisecond})
	r.Add("parley-2", work.Result{Row: "b", PerUnit: 100, P50: 1060 * time.Microsecond})
	for most, want := range map[float64]bool{50: false, 70: true} {
		is, met, known := r.met("b", "parley-2", work.Goal{Of: "row:a", Max: most, Later: true})
		if is != "60.0" || met != want || !known {
			t.Errorf("at most %v µs later: %s, met %v, known %v", most, is, met, known)
		}
	}
}
