// Package report turns measurements into the table that the targets are judged
// by, and into JSON.
package report

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"parley/bench/work"
)

// Peers are the servers that "the better" is chosen from.
var Peers = []string{"prosody", "ejabberd"}

// Report is all that was measured in one run.
type Report struct {
	Started  time.Time         `json:"started"`
	Scale    string            `json:"scale"`
	Window   int               `json:"window"`
	Machine  string            `json:"machine"`
	Versions map[string]string `json:"versions"`
	// Results is by row and target; one result per round.
	Results map[string]map[string][]work.Result `json:"results"`
	// Failures is by row and target why there is no result.
	Failures map[string]map[string]string `json:"failures,omitempty"`

	rows    []work.Row
	targets []string
}

// New returns an empty report of the rows and targets given, in the order of
// the table.
func New(scale string, window int, rows []work.Row, targets []string, versions map[string]string) *Report {
	return &Report{
		Started:  time.Now(),
		Scale:    scale,
		Window:   window,
		Versions: versions,
		Machine: fmt.Sprintf("%d cores, %s/%s, load generator on the same cores",
			runtime.NumCPU(), runtime.GOOS, runtime.GOARCH),
		Results:  make(map[string]map[string][]work.Result),
		Failures: make(map[string]map[string]string),
		rows:     rows,
		targets:  targets,
	}
}

// Add takes the result of one round.
func (r *Report) Add(target string, res work.Result) {
	if r.Results[res.Row] == nil {
		r.Results[res.Row] = make(map[string][]work.Result)
	}
	r.Results[res.Row][target] = append(r.Results[res.Row][target], res)
}

// Fail takes why a row could not be measured.
func (r *Report) Fail(row, target string, err error) {
	if r.Failures[row] == nil {
		r.Failures[row] = make(map[string]string)
	}
	r.Failures[row][target] = err.Error()
}

// Failed reports whether any row failed.
func (r *Report) Failed() bool { return len(r.Failures) > 0 }

// median returns the round in the middle by PerUnit, of an even number the
// lower one.
func median(rs []work.Result) work.Result {
	rs = slices.Clone(rs)
	slices.SortFunc(rs, func(a, b work.Result) int {
		switch {
		case a.PerUnit < b.PerUnit:
			return -1
		case a.PerUnit > b.PerUnit:
			return 1
		}
		return 0
	})
	return rs[(len(rs)-1)/2]
}

// get returns the median of a row for a target. A target that failed in any
// round has no value.
func (r *Report) get(row, target string) (work.Result, bool) {
	rs := r.Results[row][target]
	if len(rs) == 0 || r.Failures[row][target] != "" {
		return work.Result{}, false
	}
	return median(rs), true
}

// subjects are the targets that are judged: neither the floor nor a peer.
func (r *Report) subjects() []string {
	var out []string
	for _, t := range r.targets {
		if t != "relay" && !slices.Contains(Peers, t) {
			out = append(out, t)
		}
	}
	return out
}

// WriteJSON writes everything.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteTable writes what each target costs, then how each subject stands to
// the others and to its targets.
func (r *Report) WriteTable(w io.Writer) error {
	fmt.Fprintf(w, "%s, scale %s, window %d, %s\n", r.Started.Format(time.RFC3339), r.Scale, r.Window, r.Machine)
	for _, t := range r.targets {
		fmt.Fprintf(w, "  %s: %s\n", t, r.Versions[t])
	}
	fmt.Fprint(w, "Server CPU in µs per unit, database included (memory in KiB, PSS):\n\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "work\tper\t%s\t\n", strings.Join(r.targets, "\t"))
	for _, row := range r.rows {
		fmt.Fprintf(tw, "%s\t%s\t", row.Name, row.Unit)
		for _, t := range r.targets {
			fmt.Fprintf(tw, "%s\t", r.cell(row, t))
		}
		fmt.Fprintln(tw)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	r.writeLatencies(w)
	for _, s := range r.subjects() {
		r.writeSubject(w, s)
	}
	for _, row := range r.rows {
		for _, t := range r.targets {
			if f := r.Failures[row.Name][t]; f != "" {
				fmt.Fprintf(w, "\nFAILED %s on %s: %s\n", row.Name, t, f)
			}
		}
	}
	return nil
}

func (r *Report) cell(row work.Row, target string) string {
	if r.Failures[row.Name][target] != "" {
		return "FAILED"
	}
	res, ok := r.get(row.Name, target)
	if !ok {
		return "-"
	}
	return number(res.PerUnit)
}

// number writes v with three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

func millis(d time.Duration) string { return number(float64(d) / float64(time.Millisecond)) }

func (r *Report) writeLatencies(w io.Writer) {
	fmt.Fprint(w, "\nTime in ms, p50 / p99, and CPU of idle sessions:\n\n")
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(tw, "work\t%s\t\n", strings.Join(r.targets, "\t"))
	for _, row := range r.rows {
		var line strings.Builder
		some := false
		for _, t := range r.targets {
			res, ok := r.get(row.Name, t)
			switch {
			case ok && res.P99 > 0:
				some = true
				fmt.Fprintf(&line, "%s / %s\t", millis(res.P50), millis(res.P99))
			case ok && row.KiB:
				some = true
				fmt.Fprintf(&line, "%.2f %%\t", res.IdleCPU*100)
			default:
				line.WriteString("-\t")
			}
		}
		if some {
			fmt.Fprintf(tw, "%s\t%s\n", row.Name, line.String())
		}
	}
	tw.Flush()
}

func (r *Report) writeSubject(w io.Writer, s string) {
	fmt.Fprintf(w, "\n%s as a ratio to the others, and its targets:\n\n", s)
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "work\tto relay\tto prosody\tto ejabberd\tmust\taim\t\n")
	for _, row := range r.rows {
		if _, ok := r.get(row.Name, s); !ok {
			continue
		}
		fmt.Fprintf(tw, "%s\t", row.Name)
		for _, other := range []string{"relay", "prosody", "ejabberd"} {
			fmt.Fprintf(tw, "%s\t", r.ratio(row.Name, s, other))
		}
		fmt.Fprintf(tw, "%s\t%s\t\n", r.judge(row, s, row.Must), r.judge(row, s, row.Aim))
	}
	tw.Flush()
}

func (r *Report) ratio(row, s, other string) string {
	a, ok1 := r.get(row, s)
	b, ok2 := r.get(row, other)
	if !ok1 || !ok2 || b.PerUnit <= 0 {
		return "-"
	}
	return number(a.PerUnit / b.PerUnit)
}

// judge returns the goals and says whether the results meet them.
func (r *Report) judge(row work.Row, s string, goals []work.Goal) string {
	var out []string
	for _, g := range goals {
		is, met, known := r.met(row.Name, s, g)
		word := "MISSED"
		switch {
		case !known:
			word = "unknown"
		case met:
			word = "met"
		}
		if known {
			word += " " + is
		}
		out = append(out, word+" ("+goalText(g)+")")
	}
	return strings.Join(out, ", ")
}

func goalText(g work.Goal) string {
	switch {
	case g.NoIdle:
		return "no idle CPU"
	case g.Later:
		return fmt.Sprintf("p50 %s µs after %s", number(g.Max), strings.TrimPrefix(g.Of, "row:"))
	case g.Latency:
		return "p99 " + millis(time.Duration(g.Max)*time.Microsecond) + " ms"
	case g.Of == "":
		return number(g.Max) + " µs"
	case g.Max < 1:
		return fmt.Sprintf("1/%.0f of %s", 1/g.Max, g.Of)
	default:
		return fmt.Sprintf("%.3gx %s", g.Max, strings.TrimPrefix(g.Of, "row:"))
	}
}

// noIdle is the share of a core above which idle sessions do cost CPU: more than
// two ticks of 10 ms in the ten seconds that are watched.
const noIdle = 0.002

// met says whether a goal is met, and what is instead of its bound. known is false if something was not measured.
func (r *Report) met(row, s string, g work.Goal) (is string, met, known bool) {
	own, ok := r.get(row, s)
	if !ok {
		return "", false, false
	}
	switch {
	case g.NoIdle:
		return fmt.Sprintf("%.2f %%", own.IdleCPU*100), own.IdleCPU <= noIdle, true
	case g.Latency:
		return millis(own.P99), float64(own.P99.Microseconds()) <= g.Max, own.P99 > 0
	case g.Of == "":
		return number(own.PerUnit), own.PerUnit <= g.Max, true
	}
	of, ok := r.of(row, s, g.Of)
	switch {
	case !ok:
		return "", false, false
	case g.Later:
		later := float64(own.P50-of.P50) / float64(time.Microsecond)
		return number(later), later <= g.Max, own.P50 > 0 && of.P50 > 0
	case of.PerUnit <= 0:
		return "", false, false
	}
	ratio := own.PerUnit / of.PerUnit
	return number(ratio), ratio <= g.Max, true
}

// of returns what a goal's Of has.
func (r *Report) of(row, s, of string) (work.Result, bool) {
	if other, ok := strings.CutPrefix(of, "row:"); ok {
		return r.get(other, s)
	}
	if of != "better" {
		return r.get(row, of)
	}
	var best work.Result
	found := false
	for _, p := range Peers {
		if v, ok := r.get(row, p); ok && (!found || v.PerUnit < best.PerUnit) {
			best, found = v, true
		}
	}
	return best, found
}
