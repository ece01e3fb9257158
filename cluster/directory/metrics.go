package directory

import (
	"github.com/prometheus/client_golang/prometheus"
)

var sessionsDesc = prometheus.NewDesc("parley_cluster_sessions",
	"Sessions of other servers that this one knows of.", []string{"node"}, nil)

// Describe is of prometheus.Collector.
func (d *Directory) Describe(c chan<- *prometheus.Desc) { c <- sessionsDesc }

// Collect is of prometheus.Collector.
func (d *Directory) Collect(c chan<- prometheus.Metric) {
	of := make(map[string]int)
	d.theirs.mu.Lock()
	for p, n := range d.theirs.of {
		of[p.ID] += len(n.sessions)
	}
	d.theirs.mu.Unlock()
	for id, n := range of {
		c <- prometheus.MustNewConstMetric(sessionsDesc, prometheus.GaugeValue, float64(n), id)
	}
}

// changeMetrics counts changes by what became of them.
type changeMetrics struct{ heard, refused, noted, taken prometheus.Counter }

func newChangeMetrics(r prometheus.Registerer) changeMetrics {
	all := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_cluster_changes_total",
		Help: "Changes of the database by how another server came to know: told, or noted in the database; or it " +
			"failed. Those that others told this one are heard.",
	}, []string{"how"})
	if r != nil {
		r.MustRegister(all)
	}
	return changeMetrics{
		heard:   all.WithLabelValues("told"),
		refused: all.WithLabelValues("failed"),
		noted:   all.WithLabelValues("noted"),
		taken:   all.WithLabelValues("heard"),
	}
}
