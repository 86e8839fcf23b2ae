package alerts

import "github.com/prometheus/client_golang/prometheus"

// metrics are what the service counts.
type metrics struct {
	created      prometheus.Counter
	dryRuns      prometheus.Counter
	unsubscribed prometheus.Counter
	streams      prometheus.Gauge
}

// newMetrics registers the metrics, unless there is nowhere to. The function
// tells how many rules are indexed.
func newMetrics(registerer prometheus.Registerer, rules func() int) *metrics {
	m := &metrics{
		created: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_alerts_rules_created_total", Help: "Rules created.",
		}),
		dryRuns: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_alerts_dry_runs_total", Help: "Dry runs that came to their end.",
		}),
		unsubscribed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_alerts_unsubscribed_total", Help: "Addresses whose owners unsubscribed.",
		}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "drydock_alerts_streams", Help: "Event streams open now.",
		}),
	}
	if registerer != nil {
		registerer.MustRegister(m.created, m.dryRuns, m.unsubscribed, m.streams, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "drydock_alerts_rules", Help: "Rules of all owners that this instance knows of.",
		}, func() float64 { return float64(rules()) }))
	}
	return m
}
