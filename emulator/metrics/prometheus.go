package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PrometheusType is the content type of the text that Prometheus reads.
const PrometheusType = "text/plain; version=0.0.4; charset=utf-8"

// Prometheus is the text that Prometheus reads: gauges, counters, and samples
// as summaries, both since the agent was started.
func (s Summary) Prometheus() []byte {
	w := prometheusText{named: map[string]bool{}}
	for _, g := range s.Gauges {
		w.write(g.Name, "gauge", "", g.Labels, float64(g.Value))
	}
	for _, c := range s.counted {
		w.write(c.Name, "counter", "", c.Labels, c.Sum)
	}
	for _, sampled := range s.measured {
		w.write(sampled.Name, "summary", "_sum", sampled.Labels, sampled.Sum)
		w.write(sampled.Name, "summary", "_count", sampled.Labels, float64(sampled.Count))
	}
	return []byte(w.text.String())
}

type prometheusText struct {
	text  strings.Builder
	named map[string]bool // those whose help is written
}

func (w *prometheusText) write(name, kind, suffix string, labels map[string]string, value float64) {
	name = strings.NewReplacer(".", "_", "-", "_").Replace(name)
	if !w.named[name] {
		w.named[name] = true
		fmt.Fprintf(&w.text, "# HELP %s %s\n# TYPE %s %s\n", name, name, name, kind)
	}
	fmt.Fprintf(&w.text, "%s%s%s %v\n", name, suffix, labelText(labels), value)
}

func labelText(labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, labels[name]))
	}
	return "{" + strings.Join(pairs, ",") + "}"
}
