package testrig_test

import (
	"strings"
	"testing"

	"parley/testrig"
)

// A node says how many sessions of the other one it knows of, and that the link is up.
func TestMetricsOfNodes(t *testing.T) {
	r := testrig.StartNodes(t, 2, nil)
	r.Account("romeo")
	r.Run(t, "romeo signs in\nromeo sends: <presence/>\nromeo gets: <presence from='romeo@example.org/romeo'/>")
	is := clusterMetrics(t, r.On(1))
	if is["links"] != 1 || is["sessions"] != 1 || is["frames_total"] == 0 {
		t.Errorf("%v", is)
	}
	if is := clusterMetrics(t, testrig.Start(t, nil)); len(is) > 0 {
		t.Errorf("a node by itself has %v", is)
	}
}

// clusterMetrics gives the sums of what a node says of others.
func clusterMetrics(t *testing.T, r *testrig.Rig) map[string]float64 {
	t.Helper()
	families, err := r.Node.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	is := make(map[string]float64)
	for _, f := range families {
		if name, ok := strings.CutPrefix(f.GetName(), "parley_cluster_"); ok {
			for _, m := range f.GetMetric() {
				is[name] += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return is
}
