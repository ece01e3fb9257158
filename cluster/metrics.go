package cluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts what goes over the links of a node.
type metrics struct {
	framesOut, framesIn prometheus.Counter
	bytesOut, bytesIn   prometheus.Counter
	busyHere, busyThere prometheus.Counter
	unanswered          prometheus.Counter
	answers             prometheus.Histogram
	deaths              prometheus.Counter

	links, questions *prometheus.Desc
	all              []prometheus.Collector
}

func newMetrics() *metrics {
	m := &metrics{
		unanswered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_cluster_unanswered_total",
			Help: "Questions to other servers that got no answer in time.",
		}),
		answers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "parley_cluster_answer_seconds",
			Help:    "How long answers of other servers take.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 4, 9), // up to 6.5 s
		}),
		deaths: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_cluster_deaths_total",
			Help: "Other servers that this one found dead and removed.",
		}),
		links: prometheus.NewDesc("parley_cluster_links",
			"Links that this server makes to others.", []string{"state"}, nil),
		questions: prometheus.NewDesc("parley_cluster_questions",
			"Questions to other servers that are not answered yet.", nil, nil),
	}
	vec := func(name, help, label string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		m.all = append(m.all, v)
		return v
	}
	frames := vec("parley_cluster_frames_total", "Frames to and from other servers.", "direction")
	m.framesOut, m.framesIn = frames.WithLabelValues("out"), frames.WithLabelValues("in")
	bytes := vec("parley_cluster_bytes_total", "Bytes of frames to and from other servers, without TLS.", "direction")
	m.bytesOut, m.bytesIn = bytes.WithLabelValues("out"), bytes.WithLabelValues("in")
	busy := vec("parley_cluster_busy_total", "Frames that were refused because too many wait.", "at")
	m.busyHere, m.busyThere = busy.WithLabelValues("here"), busy.WithLabelValues("there")
	m.all = append(m.all, m.unanswered, m.answers, m.deaths)
	return m
}

func (m *metrics) sent(f frame) {
	m.framesOut.Inc()
	m.bytesOut.Add(float64(frameHead + len(f.payload)))
}

func (m *metrics) received(f frame) {
	m.framesIn.Inc()
	m.bytesIn.Add(float64(frameHead + len(f.payload)))
}

// Register shows the metrics of a bus.
func (b *Bus) Register(r prometheus.Registerer) {
	r.MustRegister(b.metrics.all...)
	r.MustRegister(b)
}

// Describe is of prometheus.Collector.
func (b *Bus) Describe(c chan<- *prometheus.Desc) {
	c <- b.metrics.links
	c <- b.metrics.questions
}

// Collect is of prometheus.Collector.
func (b *Bus) Collect(c chan<- prometheus.Metric) {
	up, down, asked := 0, 0, 0
	for _, l := range b.all() {
		l.mu.Lock()
		if l.out != nil {
			up++
		} else {
			down++
		}
		asked += len(l.waiting)
		l.mu.Unlock()
	}
	gauge := func(d *prometheus.Desc, n int, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n), labels...)
	}
	gauge(b.metrics.links, up, "up")
	gauge(b.metrics.links, down, "down")
	gauge(b.metrics.questions, asked)
}

func (b *Bus) all() []*link {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]*link, 0, len(b.links))
	for _, l := range b.links {
		all = append(all, l)
	}
	return all
}

// unheardAfter is how long another node is silent until people are told.
const unheardAfter = 2 * time.Second

// Unheard returns an error while another node of the cluster is not heard.
func (b *Bus) Unheard(context.Context) error {
	var silent []string
	for _, l := range b.all() {
		if d := l.silent(); d > unheardAfter {
			silent = append(silent, fmt.Sprintf("%s for %v", about(l.node), d.Round(time.Second)))
		}
	}
	if len(silent) == 0 {
		return nil
	}
	slices.Sort(silent)
	return fmt.Errorf("other servers are not heard: %s", strings.Join(silent, "; "))
}
