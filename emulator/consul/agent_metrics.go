package consul

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/drydock/drydock/emulator/consul/acl"
)

// metricsAnswer is what an agent measures, in the shape of Consul's metrics library.
type metricsAnswer struct {
	Timestamp string
	Gauges    []gauge
	Points    []struct{}
	Counters  []struct{}
	Samples   []sampled
}

type gauge struct {
	Name   string
	Value  float32
	Labels map[string]string
}

func agentMetrics(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	if r.query.Get("format") == "prometheus" {
		if !r.agent.options.Prometheus {
			return nil, nil
		}
		return streamed(func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
			w.Write(r.agent.metrics().prometheus())
		}), nil
	}
	return r.agent.metrics(), nil
}

func (a *agent) metrics() metricsAnswer {
	return metricsAnswer{
		Timestamp: time.Now().UTC().Round(time.Second).String(),
		Gauges:    a.gauges(),
		Points:    []struct{}{},
		Counters:  []struct{}{},
		Samples:   a.requests.finished(),
	}
}

// streamMetrics sends what is measured at the end of each interval, until the
// client has gone.
func streamMetrics(r *request) (any, error) {
	if err := r.need(acl.Read, acl.Agent, r.agent.options.Node); err != nil {
		return nil, err
	}
	return streamed(func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		flush(w)
		every(r.Context(), sampleInterval, func() bool {
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

// prometheus is the text that Prometheus reads: gauges, and the requests as summaries.
func (m metricsAnswer) prometheus() []byte {
	var text strings.Builder
	named := map[string]bool{}
	write := func(name, kind, suffix string, labels map[string]string, value float64) {
		name = strings.NewReplacer(".", "_", "-", "_").Replace(name)
		if !named[name] {
			named[name] = true
			fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", name, name, name, kind)
		}
		fmt.Fprintf(&text, "%s%s%s %v\n", name, suffix, prometheusLabels(labels), value)
	}
	for _, g := range m.Gauges {
		write(g.Name, "gauge", "", g.Labels, float64(g.Value))
	}
	for _, s := range m.Samples {
		write(s.Name, "summary", "_sum", s.Labels, s.Sum)
		write(s.Name, "summary", "_count", s.Labels, float64(s.Count))
	}
	return []byte(text.String())
}

func prometheusLabels(labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	var pairs []string
	for _, name := range sortedKeys(labels) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}
