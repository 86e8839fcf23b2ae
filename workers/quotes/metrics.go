package quotes

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/drydock/drydock/contract"
)

// metrics are what the worker counts.
type metrics struct {
	quotes prometheus.Counter
	polls  prometheus.Histogram
	newest atomic.Int64 // time of the newest quote that was published, in nanoseconds
}

// newMetrics registers the metrics, unless there is nowhere to.
func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		quotes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_quotes_published_total", Help: "Quotes published.",
		}),
		polls: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "drydock_quotes_poll_seconds", Help: "Time that one poll of the market took.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}),
	}
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "drydock_quotes_lag_seconds", Help: "Age of the newest quote that this instance published; 0 before the first.",
	}, m.lag)
	if registerer != nil {
		registerer.MustRegister(m.quotes, m.polls, lag)
	}
	return m
}

func (m *metrics) published(quote contract.Quote) {
	m.quotes.Inc()
	at := quote.Time.UnixNano()
	for newest := m.newest.Load(); at > newest && !m.newest.CompareAndSwap(newest, at); newest = m.newest.Load() {
	}
}

func (m *metrics) lag() float64 {
	if newest := m.newest.Load(); newest != 0 {
		return time.Since(time.Unix(0, newest)).Seconds()
	}
	return 0
}
