package nomad

import (
	"context"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/metrics"
	"github.com/drydock/drydock/emulator/nomad/client"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// allocationGauges are those of the tasks that run on a node.
func (r *region) allocationGauges(ctx context.Context, c *client.Client, host string, allocations []*state.Allocation) []metrics.Gauge {
	var list []metrics.Gauge
	for _, a := range allocations {
		if a.ClientStatus != api.AllocClientStatusRunning {
			continue
		}
		usage, err := c.AllocationStats(ctx, a.ID, "")
		if err != nil {
			continue // it has ended meanwhile
		}
		for task, of := range usage.Tasks {
			labels := metrics.With(jobLabels(a.Job), "alloc_id", a.ID, "task_group", a.TaskGroup, "task", task, "host", host)
			list = append(list, taskGauges(of.ResourceUsage, a.AllocatedResources.Tasks[task], labels)...)
		}
	}
	return list
}

// taskGauges tell what a task takes of what it may take.
func taskGauges(usage *api.ResourceUsage, may *api.AllocatedTaskResources, labels map[string]string) []metrics.Gauge {
	var list []metrics.Gauge
	if usage != nil && usage.CpuStats != nil {
		cpu := usage.CpuStats
		list = append(list,
			gauge("cpu.total_percent", cpu.Percent, labels), gauge("cpu.system", cpu.SystemMode, labels),
			gauge("cpu.user", cpu.UserMode, labels), gauge("cpu.throttled_time", cpu.ThrottledTime, labels),
			gauge("cpu.throttled_periods", cpu.ThrottledPeriods, labels), gauge("cpu.total_ticks", cpu.TotalTicks, labels))
	}
	if usage != nil && usage.MemoryStats != nil {
		memory := usage.MemoryStats
		list = append(list,
			gauge("memory.rss", memory.RSS, labels), gauge("memory.cache", memory.Cache, labels),
			gauge("memory.swap", memory.Swap, labels), gauge("memory.usage", memory.Usage, labels))
	}
	if may != nil {
		list = append(list,
			gauge("cpu.allocated", may.Cpu.CpuShares, labels), gauge("memory.allocated", may.Memory.MemoryMB<<20, labels),
			gauge("memory.max_allocated", may.Memory.MemoryMaxMB<<20, labels))
	}
	return under("client.allocs.", list)
}
