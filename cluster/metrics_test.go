package cluster

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counted gives what a registry has, by name and label.
func counted(t *testing.T, r *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]float64)
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "parley_cluster_")
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			all[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	all := newTestNodes(t, 2)
	meet(all)
	r := prometheus.NewRegistry()
	all[0].Register(r)
	held := make(chan struct{})
	all[1].Handle(topic+2, func(context.Context, Peer, []byte) ([]byte, error) { <-held; return nil, nil })
	other := all[1].node.ID
	for _, err := all[0].Ask(t.Context(), other, topic, 1, nil); err != nil; {
		_, err = all[0].Ask(t.Context(), other, topic, 1, nil)
	}
	before := counted(t, r)
	for range 10 {
		if _, err := all[0].Ask(t.Context(), other, topic, 1, make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	q, err := all[0].Question(other, topic+2, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	after := counted(t, r)
	for name, want := range map[string]float64{
		"links up": 1, "links down": 0, "questions": 1,
		"frames_total out": before["frames_total out"] + 11, "frames_total in": before["frames_total in"] + 10,
		"bytes_total out": before["bytes_total out"] + 10*(100+frameHead) + frameHead,
		"answer_seconds":  before["answer_seconds"] + 10, "unanswered_total": 0, "busy_total here": 0,
	} {
		pings := 0.
		if strings.HasPrefix(name, "frames") || strings.HasPrefix(name, "bytes") {
			pings = 20 * frameHead
		}
		if got := after[name]; got < want || got > want+pings {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	given, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.Wait(given); err == nil {
		t.Error("an answer that was not given")
	}
	close(held)
	if n := counted(t, r)["unanswered_total"]; n != 1 {
		t.Errorf("%v questions without an answer", n)
	}
}

// Health names the nodes that are not heard.
func TestUnheard(t *testing.T) {
	all := newTestNodes(t, 2)
	meet(all)
	if err := all[0].Unheard(t.Context()); err != nil {
		t.Errorf("at once: %v", err)
	}
	l := all[0].link(all[1].node.ID)
	l.end()
	l.heard.Add(-int64(3 * time.Second))
	if err := all[0].Unheard(t.Context()); err == nil || !strings.Contains(err.Error(), all[1].node.Address) {
		t.Errorf("after 3 s: %v", err)
	}
}
