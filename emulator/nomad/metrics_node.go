package nomad

import (
	"context"
	"sync"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/metrics"
	"github.com/drydock/drydock/emulator/nomad/client"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// nodeGauges are those of the region's nodes, which measure side by side. What
// cannot be measured is left out.
func (r *region) nodeGauges(ctx context.Context, view *state.View) []metrics.Gauge {
	nodes := r.nodes.all()
	lists := make([][]metrics.Gauge, len(nodes))
	var measuring sync.WaitGroup
	for i, c := range nodes {
		node := c.Node()
		if node == nil {
			continue
		}
		row := view.Node(node.ID)
		if row == nil {
			continue
		}
		labels := nodeLabels(row)
		allocations := []*state.Allocation{}
		for a := range view.AllocationsOfNode(row.ID) {
			allocations = append(allocations, a)
		}
		usage := view.Usage(row.ID)
		measuring.Go(func() {
			list := append(roomGauges(row, usage, labels), stateGauges(allocations, labels)...)
			list = append(list, hostGauges(ctx, c, labels)...)
			lists[i] = append(list, r.allocationGauges(ctx, c, row.Name, allocations)...)
		})
	}
	measuring.Wait()
	var all []metrics.Gauge
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

func nodeLabels(n *state.Node) map[string]string {
	class := n.NodeClass
	if class == "" {
		class = "none"
	}
	return map[string]string{
		"node_id": n.ID, "datacenter": n.Datacenter, "node_class": class, "node_pool": n.NodePool, "node_status": n.Status,
		"node_scheduling_eligibility": n.SchedulingEligibility, "host": n.Name,
	}
}

// roomGauges tell what of a node is taken, and what is left.
func roomGauges(n *state.Node, taken state.Usage, labels map[string]string) []metrics.Gauge {
	has := state.Amount{
		CPU: n.NodeResources.Cpu.CpuShares, MemoryMB: n.NodeResources.Memory.MemoryMB, DiskMB: n.NodeResources.Disk.DiskMB,
	}
	if reserved := n.ReservedResources; reserved != nil {
		has.CPU -= int64(reserved.Cpu.CpuShares)
		has.MemoryMB -= int64(reserved.Memory.MemoryMB)
		has.DiskMB -= int64(reserved.Disk.DiskMB)
	}
	left := has.Minus(taken.Amount)
	return under("client.", []metrics.Gauge{
		gauge("allocated.cpu", taken.CPU, labels), gauge("allocated.memory", taken.MemoryMB, labels),
		gauge("allocated.max_memory", taken.MemoryMaxMB, labels), gauge("allocated.disk", taken.DiskMB, labels),
		gauge("unallocated.cpu", left.CPU, labels), gauge("unallocated.memory", left.MemoryMB, labels),
		gauge("unallocated.disk", left.DiskMB, labels),
	})
}

// stateGauges count the allocations and tasks of a node by what they do.
func stateGauges(allocations []*state.Allocation, labels map[string]string) []metrics.Gauge {
	all, tasks := map[string]int{}, map[string]int{}
	for _, a := range allocations {
		switch {
		case a.ClientTerminal():
			all["terminal"]++
		case a.ClientStatus == api.AllocClientStatusRunning:
			all["running"]++
		default:
			all["pending"]++
		}
		for _, task := range a.TaskStates {
			tasks[task.State]++
		}
	}
	var list []metrics.Gauge
	for _, name := range []string{"migrating", "blocked", "pending", "running", "terminal"} {
		list = append(list, gauge("allocations."+name, all[name], labels))
	}
	for _, name := range []string{"pending", "running", "dead"} {
		list = append(list, gauge("tasks."+name, tasks[name], labels))
	}
	return under("client.", list)
}

// hostGauges are those of the node's machine.
func hostGauges(ctx context.Context, c *client.Client, labels map[string]string) []metrics.Gauge {
	host, err := c.HostStats(ctx)
	if err != nil {
		return nil
	}
	list := []metrics.Gauge{
		gauge("uptime", host.Uptime, labels),
		gauge("host.memory.total", host.Memory.Total, labels), gauge("host.memory.available", host.Memory.Available, labels),
		gauge("host.memory.used", host.Memory.Used, labels), gauge("host.memory.free", host.Memory.Free, labels),
	}
	for _, cpu := range host.CPU {
		of := metrics.With(labels, "cpu", cpu.CPU)
		list = append(list,
			gauge("host.cpu.user", cpu.User, of), gauge("host.cpu.system", cpu.System, of), gauge("host.cpu.idle", cpu.Idle, of),
			gauge("host.cpu.total", cpu.TotalPercent, of), gauge("host.cpu.total_percent", cpu.TotalPercent, of),
			gauge("host.cpu.total_ticks", cpu.TotalTicks, of))
	}
	for _, disk := range host.DiskStats {
		of := metrics.With(labels, "disk", disk.Device)
		list = append(list,
			gauge("host.disk.size", disk.Size, of), gauge("host.disk.used", disk.Used, of),
			gauge("host.disk.available", disk.Available, of), gauge("host.disk.used_percent", disk.UsedPercent, of),
			gauge("host.disk.inodes_percent", disk.InodesUsedPercent, of))
	}
	return under("client.", list)
}
