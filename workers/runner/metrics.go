package runner

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Outcomes of a delivery, as the metrics name them.
const (
	outcomeDone         = "done"
	outcomeDuplicate    = "duplicate"
	outcomeDropped      = "dropped"
	outcomeRetried      = "retried"
	outcomeHandedBack   = "handed_back"
	outcomeDeadLettered = "dead_lettered"
)

var outcomes = []string{outcomeDone, outcomeDuplicate, outcomeDropped, outcomeRetried, outcomeHandedBack, outcomeDeadLettered}

// Metrics count what runners do. One Metrics serves all runners of a process.
type Metrics struct {
	handled  *prometheus.HistogramVec
	attempts *prometheus.HistogramVec
	age      *prometheus.HistogramVec
	inFlight *prometheus.GaugeVec
	paused   *prometheus.GaugeVec
}

// NewMetrics registers
//
//	drydock_delivery_seconds{consumer,outcome}       from receiving a delivery to answering it; its count is that of the outcomes
//	drydock_event_attempts{consumer,outcome}         that an event took until it was done, dropped or dead-lettered
//	drydock_event_age_seconds{consumer}              of an event when it is received
//	drydock_deliveries_in_flight{consumer}           worked on or waiting here
//	drydock_consumer_paused{consumer,dependency}     1 while the dependency is away
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	m := newMetrics()
	registerer.MustRegister(m.handled, m.attempts, m.age, m.inFlight, m.paused)
	return m
}

func newMetrics() *Metrics {
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	return &Metrics{
		handled: histogram("drydock_delivery_seconds", "Time from receiving a delivery to answering it.",
			[]float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30}, "consumer", "outcome"),
		attempts: histogram("drydock_event_attempts", "Attempts that an event took until it was done, dropped or dead-lettered.",
			[]float64{1, 2, 3, 5, 10, 20}, "consumer", "outcome"),
		age: histogram("drydock_event_age_seconds", "Age of an event when it is received.",
			[]float64{.01, .05, .25, 1, 5, 30, 120, 600, 3600, 6 * 3600, 24 * 3600}, "consumer"),
		inFlight: gauge("drydock_deliveries_in_flight", "Deliveries worked on or waiting here.", "consumer"),
		paused:   gauge("drydock_consumer_paused", "1 while the dependency is away and nothing is begun.", "consumer", "dependency"),
	}
}

// meter is one consumer's part of the metrics, looked up once.
type meter struct {
	handled  map[string]prometheus.Observer // by outcome
	attempts map[string]prometheus.Observer
	age      prometheus.Observer
	inFlight prometheus.Gauge
	paused   func(dependency string, away bool)
}

func (m *Metrics) of(consumer string) *meter {
	own := &meter{
		handled:  map[string]prometheus.Observer{},
		attempts: map[string]prometheus.Observer{},
		age:      m.age.WithLabelValues(consumer),
		inFlight: m.inFlight.WithLabelValues(consumer),
		paused: func(dependency string, away bool) {
			value := 0.0
			if away {
				value = 1
			}
			m.paused.WithLabelValues(consumer, dependency).Set(value)
		},
	}
	for _, outcome := range outcomes {
		own.handled[outcome] = m.handled.WithLabelValues(consumer, outcome)
	}
	for _, end := range []string{outcomeDone, outcomeDropped, outcomeDeadLettered} {
		own.attempts[end] = m.attempts.WithLabelValues(consumer, end)
	}
	return own
}

// took takes note of a delivery.
func (m *meter) took(t *task) {
	m.inFlight.Inc()
	m.age.Observe(t.taken.Sub(t.event.Time).Seconds())
}

// tried takes note of what came of an attempt.
func (m *meter) tried(t *task, outcome string) {
	m.handled[outcome].Observe(time.Since(t.taken).Seconds())
	if attempts, end := m.attempts[outcome]; end {
		attempts.Observe(float64(t.attempt))
	}
}

// left takes note of a delivery's answer.
func (m *meter) left() { m.inFlight.Dec() }
