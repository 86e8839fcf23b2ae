package nomad

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/metrics"
)

func metricRoutes() []route {
	return []route{
		partial(http.MethodGet, "/v1/metrics", (*request).metrics,
			"what servers measure of Raft and gossip, which are not there; those of nodes and allocations are always there"),
	}
}

func (r *request) metrics() (any, error) {
	switch {
	case r.query.Get("format") != "prometheus":
		return r.asked.metrics(r.Context()), nil
	case !r.asked.options.Prometheus:
		return nil, fail(http.StatusUnsupportedMediaType, "Prometheus is not enabled")
	}
	measured := r.asked.metrics(r.Context())
	r.header.Set("Content-Type", metrics.PrometheusType)
	return text(measured.Prometheus()), nil
}

// metrics are those of the region's server and of its nodes.
func (r *region) metrics(ctx context.Context) metrics.Summary {
	view := r.store.View()
	list := slices.Concat(
		under("", metrics.Process()), r.raftGauges(view), r.serverGauges(view),
		jobGauges(view), blockedGauges(r.queue.blockedNow()), brokerGauges(r.queue.count(time.Now())),
	)
	for i := range list {
		list[i].Labels = metrics.With(list[i].Labels, "host", r.serverHost())
	}
	return metrics.NewSummary(append(list, r.nodeGauges(ctx, view)...), &r.measured)
}

// serverHost is whose metrics the server's are.
func (r *region) serverHost() string { return r.options.Server }

// measure adds how long something of a server has taken since it began.
func (r *region) measure(name string, began time.Time) {
	r.measured.Measure("nomad.nomad."+name, map[string]string{"host": r.serverHost()}, time.Since(began))
}

// countRequest counts a request of a method that the server is about to answer.
func (r *region) countRequest(method string) {
	labels := map[string]string{"host": r.serverHost()}
	r.measured.Count("nomad.nomad.rpc.request", labels)
	if method == http.MethodGet {
		r.measured.Count("nomad.nomad.rpc.query", labels)
	}
}

// under puts the names of gauges under nomad. and a prefix.
func under(prefix string, gauges []metrics.Gauge) []metrics.Gauge {
	for i := range gauges {
		gauges[i].Name = "nomad." + prefix + gauges[i].Name
	}
	return gauges
}

// gauge is one of the metrics.
func gauge[N int | int64 | uint64 | float64](name string, value N, labels map[string]string) metrics.Gauge {
	return metrics.Gauge{Name: name, Value: float32(value), Labels: labels}
}

// measureRequest measures a request that was answered, as the call that the
// real servers make for it.
func (r *region) measureRequest(found route, began time.Time) {
	name, known := r.nomad.calls[found.Method+" "+found.Path]
	switch {
	case !known:
	case strings.HasPrefix(name, "nomad.client."):
		r.measured.Measure(name, map[string]string{"host": r.serverHost()}, time.Since(began))
	default:
		r.measure(name, began)
	}
}
