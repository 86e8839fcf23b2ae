package consul

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/metrics"
)

func agentMetrics(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	if r.query.Get("format") == "prometheus" {
		if !r.agent.options.Prometheus {
			return nil, nil
		}
		return streamed(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", metrics.PrometheusType)
			w.Write(r.agent.metrics().Prometheus())
		}), nil
	}
	return r.agent.metrics(), nil
}

func (a *agent) metrics() metrics.Summary { return metrics.NewSummary(a.gauges(), &a.requests) }

// streamMetrics sends what is measured at the end of each interval, until the
// client has gone.
func streamMetrics(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	return streamed(func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		flush(w)
		every(r.Context(), metrics.Interval, func() bool {
			if json.NewEncoder(w).Encode(r.agent.metrics()) != nil {
				return false
			}
			flush(w)
			return true
		})
	}), nil
}

// every calls do after each interval, until it says no or the context ends.
func every(ctx context.Context, interval time.Duration, do func() bool) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if !do() {
				return
			}
		}
	}
}

// flush sends what is written, so that a client that follows sees it at once.
func flush(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() }
