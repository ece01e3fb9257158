package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/wire"
)

// Metrics counts stanzas and sessions. Remote domains are not labels, since strangers choose them.
type Metrics struct {
	sessions prometheus.Gauge
	in, out  [wire.Other + 1]prometheus.Counter
}

// NewMetrics makes the metrics and registers them with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	m := &Metrics{
		sessions: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "parley_sessions",
			Help: "Bound resources of this node.",
		}),
	}
	stanzas := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_stanzas_total",
		Help: "Stanzas from and to local sessions.",
	}, []string{"kind", "side"})
	r.MustRegister(m.sessions, stanzas)
	for k := wire.Message; k <= wire.Other; k++ {
		m.in[k] = stanzas.WithLabelValues(k.String(), "received")
		m.out[k] = stanzas.WithLabelValues(k.String(), "sent")
	}
	return m
}

func (m *Metrics) received(k wire.Kind)  { m.in[k].Inc() }
func (m *Metrics) delivered(k wire.Kind) { m.out[k].Inc() }
