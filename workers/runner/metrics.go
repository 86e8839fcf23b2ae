package runner

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Outcomes of a delivery, as the metrics name them.
const (
	outcomeDone         = "done"
	outcomeRetried      = "retried"
	outcomeHandedBack   = "handed_back"
	outcomeDeadLettered = "dead_lettered"
)

// Metrics count what runners do. One Metrics serves all runners of a process.
type Metrics struct {
	handled *prometheus.HistogramVec
}

// NewMetrics registers
//
//	drydock_delivery_seconds{consumer,outcome}
//
// a histogram of the time from receiving a delivery to answering it; its count
// is the number of deliveries.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := &Metrics{handled: prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "drydock_delivery_seconds",
		Help:    "Time from receiving a delivery to answering it.",
		Buckets: []float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30},
	}, []string{"consumer", "outcome"})}
	registerer.MustRegister(m.handled)
	return m
}

func (m *Metrics) observe(consumer, outcome string, started time.Time) {
	if m != nil {
		m.handled.WithLabelValues(consumer, outcome).Observe(time.Since(started).Seconds())
	}
}
