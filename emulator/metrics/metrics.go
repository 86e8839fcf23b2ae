// Package metrics has what the agents of the emulated programs measure, in the
// shape in which the real ones answer it: gauges, counters and samples of
// intervals, as JSON or as the text that Prometheus reads. The agents of
// packages consul and nomad are its callers.
package metrics

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Interval is how long counters and samples are measured together.
const Interval = 10 * time.Second

// Summary is what an agent has measured, the answer of its endpoint of metrics.
type Summary struct {
	Timestamp string
	Gauges    []Gauge
	Points    []struct{} // that nobody has
	Counters  []Sampled
	Samples   []Sampled

	counted, measured []Sampled // since the agent was started
}

// Gauge is what something comes to at the moment.
type Gauge struct {
	Name   string
	Value  float32
	Labels map[string]string
}

// Sampled is what has come together in an interval.
type Sampled struct {
	Name   string
	Count  int
	Rate   float64 // sum per second
	Sum    float64
	Min    float64
	Max    float64
	Mean   float64
	Stddev float64
	Labels map[string]string
}

// NewSummary puts together what is measured now, in the order of the names.
// The recorder may be nil.
func NewSummary(gauges []Gauge, recorder *Recorder) Summary {
	now := time.Now()
	gauges = append([]Gauge{}, gauges...)
	for i := range gauges {
		if gauges[i].Labels == nil {
			gauges[i].Labels = map[string]string{}
		}
	}
	slices.SortStableFunc(gauges, func(a, b Gauge) int { return cmp.Compare(a.Name, b.Name) })
	s := Summary{
		Timestamp: now.UTC().Round(time.Second).String(), Gauges: gauges, Points: []struct{}{},
		Counters: []Sampled{}, Samples: []Sampled{},
	}
	if recorder != nil {
		recorder.read(&s, now)
	}
	return s
}

// With are labels with some more of them.
func With(labels map[string]string, more ...string) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	for i := 0; i+1 < len(more); i += 2 {
		all[more[i]] = more[i+1]
	}
	return all
}
