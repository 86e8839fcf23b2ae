package alerts

import "github.com/prometheus/client_golang/prometheus"

// Metrics count what the worker does.
type Metrics struct {
	quotes, unreadable, alerts prometheus.Counter
	lag, partitions, rules     prometheus.Gauge
}

// NewMetrics registers the worker's metrics; nil registers them nowhere.
func NewMetrics(registerer prometheus.Registerer) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "drydock", Subsystem: "filter", Name: name, Help: help})
	}
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "drydock", Subsystem: "filter", Name: name, Help: help})
	}
	m := &Metrics{
		quotes:     counter("quotes_total", "Quotes that were evaluated."),
		unreadable: counter("quotes_unreadable_total", "Quotes that were skipped because they are none."),
		alerts:     counter("alerts_total", "Alerts that were published, also again after a crash."),
		lag:        gauge("lag_seconds", "Age of the last evaluated quote when it was evaluated, since the bus took it."),
		partitions: gauge("partitions", "Partitions that this instance owns."),
		rules:      gauge("rules", "Rules that are known and not paused."),
	}
	if registerer != nil {
		registerer.MustRegister(m.quotes, m.unreadable, m.alerts, m.lag, m.partitions, m.rules)
	}
	return m
}
