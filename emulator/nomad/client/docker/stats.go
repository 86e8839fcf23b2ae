package docker

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

// sample is what the engine measures of a container.
type sample struct {
	CPU struct {
		Usage struct {
			Total uint64 `json:"total_usage"` // in nanoseconds, as are the others
		} `json:"cpu_usage"`
		System     uint64 `json:"system_cpu_usage"` // of the whole machine
		Processors int    `json:"online_cpus"`
		Throttling struct {
			Periods uint64 `json:"throttled_periods"`
			Time    uint64 `json:"throttled_time"`
		} `json:"throttling_data"`
	} `json:"cpu_stats"`
	Memory struct {
		Usage uint64            `json:"usage"`
		Max   uint64            `json:"max_usage"`
		Stats map[string]uint64 `json:"stats"`
	} `json:"memory_stats"`
}

// Stats implements driver.Handle. The share of the processor is over the time
// since the measurement before.
func (h *handle) Stats(ctx context.Context) (*api.TaskResourceUsage, error) {
	var now sample
	if err := h.driver.engine.get(ctx, "/containers/"+h.id+"/stats?stream=false&one-shot=true", &now); err != nil {
		return nil, fmt.Errorf("measure the container: %w", err)
	}
	h.mu.Lock()
	before := h.before
	h.before = now
	h.mu.Unlock()
	return &api.TaskResourceUsage{Timestamp: time.Now().UnixNano(), ResourceUsage: &api.ResourceUsage{
		MemoryStats: now.memory(),
		CpuStats: &api.CpuStats{
			Percent: now.percentSince(before), ThrottledPeriods: now.CPU.Throttling.Periods, ThrottledTime: now.CPU.Throttling.Time,
			Measured: []string{"Throttled Periods", "Throttled Time", "Percent"},
		},
	}}, nil
}

// memory has what the version of control groups of the machine measures.
func (s *sample) memory() *api.MemoryStats {
	m := &api.MemoryStats{Usage: s.Memory.Usage, MaxUsage: s.Memory.Max, Swap: s.Memory.Stats["swap"]}
	if rss, ok := s.Memory.Stats["rss"]; ok {
		m.RSS, m.Cache = rss, s.Memory.Stats["cache"]
		m.Measured = []string{"RSS", "Cache", "Swap", "Usage", "Max Usage"}
		return m
	}
	m.RSS, m.Cache = s.Memory.Stats["anon"], s.Memory.Stats["file"]
	m.Measured = []string{"RSS", "Cache", "Swap", "Usage"}
	return m
}

// percentSince is the use of the processors: one in full is 100.
func (s *sample) percentSince(before sample) float64 {
	if s.CPU.System <= before.CPU.System || s.CPU.Usage.Total < before.CPU.Usage.Total || before.CPU.System == 0 {
		return 0
	}
	used, all := s.CPU.Usage.Total-before.CPU.Usage.Total, s.CPU.System-before.CPU.System
	return float64(used) / float64(all) * float64(max(s.CPU.Processors, 1)) * 100
}
