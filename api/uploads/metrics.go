package uploads

import "github.com/prometheus/client_golang/prometheus"

// metrics are what the service counts.
type metrics struct {
	signed      prometheus.Counter
	republished prometheus.Counter
	streams     prometheus.Gauge
	dropped     prometheus.Counter
}

// newMetrics registers the metrics, unless there is nowhere to.
func newMetrics(registerer prometheus.Registerer) *metrics {
	m := &metrics{
		signed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_uploads_signed_total", Help: "Uploads signed.",
		}),
		republished: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_uploads_republished_total", Help: "Objects that the sweep announced because nobody had picked them up.",
		}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "drydock_uploads_streams", Help: "Event streams open now.",
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "drydock_uploads_streams_dropped_total", Help: "Event streams ended because their reader was too slow.",
		}),
	}
	if registerer != nil {
		registerer.MustRegister(m.signed, m.republished, m.streams, m.dropped)
	}
	return m
}
