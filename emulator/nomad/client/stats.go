package client

import (
	"context"

	"github.com/hashicorp/nomad/api"
)

// AllocationStats measures the running tasks of an allocation now, or one of them
// unless its name is empty.
func (c *Client) AllocationStats(ctx context.Context, id, task string) (*api.AllocResourceUsage, error) {
	a, err := c.find(id)
	if err != nil {
		return nil, err
	}
	total := &api.AllocResourceUsage{
		ResourceUsage: &api.ResourceUsage{
			MemoryStats: &api.MemoryStats{}, CpuStats: &api.CpuStats{}, DeviceStats: []*api.DeviceGroupStats{},
		},
		Tasks: map[string]*api.TaskResourceUsage{},
	}
	for _, t := range a.tasks {
		if task != "" && t.spec().Name != task {
			continue
		}
		handle := t.current()
		if handle == nil {
			continue
		}
		usage, err := handle.Stats(ctx)
		if err != nil {
			return nil, err
		}
		a.node.countTicks(usage)
		total.Tasks[t.spec().Name] = usage
		total.Timestamp = max(total.Timestamp, usage.Timestamp)
		addUsage(total.ResourceUsage, usage.ResourceUsage)
	}
	return total, nil
}

// countTicks says in MHz what drivers measure in percent of a processor.
func (s *session) countTicks(usage *api.TaskResourceUsage) {
	for _, one := range usage.Pids {
		s.countTicksOf(one)
	}
	s.countTicksOf(usage.ResourceUsage)
}

func (s *session) countTicksOf(usage *api.ResourceUsage) {
	if usage != nil && usage.CpuStats != nil {
		usage.CpuStats.TotalTicks = usage.CpuStats.Percent / 100 * float64(s.machine.MHz)
	}
}

func addUsage(total, one *api.ResourceUsage) {
	if one == nil {
		return
	}
	if from, to := one.MemoryStats, total.MemoryStats; from != nil {
		to.RSS += from.RSS
		to.Cache += from.Cache
		to.Swap += from.Swap
		to.Usage += from.Usage
		to.MaxUsage += from.MaxUsage
		to.KernelUsage += from.KernelUsage
		to.KernelMaxUsage += from.KernelMaxUsage
		to.Measured = from.Measured
	}
	if from, to := one.CpuStats, total.CpuStats; from != nil {
		to.SystemMode += from.SystemMode
		to.UserMode += from.UserMode
		to.TotalTicks += from.TotalTicks
		to.ThrottledPeriods += from.ThrottledPeriods
		to.ThrottledTime += from.ThrottledTime
		to.Percent += from.Percent
		to.Measured = from.Measured
	}
}
