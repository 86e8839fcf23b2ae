package place

import (
	"slices"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// offer is what a node gives an instance of a group.
type offer struct {
	node      *state.Node
	group     *group
	amount    state.Amount
	used      state.Amount // of the node, the instance included
	networks  networkOffer
	devices   deviceOffer
	cores     map[string][]uint16
	coreMHz   int64
	preempted []*state.Allocation
}

// lack is what a node has not enough of: a dimension, in the words of metrics,
// and of a static port the allocations that have it.
type lack struct {
	dimension string
	holders   []*state.Allocation
}

// offer works out what the node can give, were some allocations evicted. The
// lack is nil when it has enough.
func (s *Selector) offer(node *state.Node, g *group, evicted evictions) (*offer, *lack) {
	usage := s.usageOf(node.ID)
	if len(evicted.all) > 0 {
		usage = evicted.from(*usage)
	}
	o := &offer{node: node, group: g, amount: g.amount}
	networks, short := s.offerNetworks(node, g, evicted.ids)
	if short != nil {
		return nil, short
	}
	o.networks = networks
	devices, ok := offerDevices(node, g.devices, usage.Devices)
	if !ok {
		return nil, &lack{dimension: dimensionDevices}
	}
	o.devices = devices
	if g.cores && !s.offerCores(o, usage.Cores) {
		return nil, &lack{dimension: dimensionCores}
	}
	o.used = usage.Plus(o.amount)
	if node.NodeMaxAllocs > 0 && usage.Allocations >= node.NodeMaxAllocs {
		return nil, &lack{dimension: dimensionAllocations}
	}
	if dimension := exceeded(o.used, capacity(node)); dimension != "" {
		return nil, &lack{dimension: dimension}
	}
	return o, nil
}

// offerCores reserves the lowest cores that are free.
func (s *Selector) offerCores(o *offer, taken []uint16) bool {
	if o.node.NodeResources == nil {
		return false
	}
	cpu := o.node.NodeResources.Cpu
	free := slices.DeleteFunc(slices.Sorted(slices.Values(cpu.ReservableCpuCores)),
		func(core uint16) bool { return slices.Contains(taken, core) })
	o.cores = map[string][]uint16{}
	for _, task := range o.group.Tasks {
		wanted := reservedCores(task)
		if wanted > len(free) {
			return false
		}
		if wanted > 0 {
			o.cores[task.Name], free = free[:wanted:wanted], free[wanted:]
		}
	}
	o.coreMHz = cpu.CpuShares / max(int64(cpu.TotalCpuCores), 1)
	o.amount = state.AmountOf(o.group.TaskGroup, s.allocate(o.group, o.cores, o))
	return true
}

// capacity is what tasks may take of a node altogether.
func capacity(node *state.Node) (c state.Amount) {
	if r := node.NodeResources; r != nil {
		c = state.Amount{CPU: r.Cpu.CpuShares, MemoryMB: r.Memory.MemoryMB, DiskMB: r.Disk.DiskMB}
	}
	if r := node.ReservedResources; r != nil {
		c = c.Minus(state.Amount{CPU: int64(r.Cpu.CpuShares), MemoryMB: int64(r.Memory.MemoryMB), DiskMB: int64(r.Disk.DiskMB)})
	}
	return c
}

// exceeded is the first dimension of which more is used than there is. Memory
// beyond what is reserved is not counted: whoever uses it takes the risk.
func exceeded(used, capacity state.Amount) (dimension string) {
	switch {
	case used.CPU > capacity.CPU:
		return dimensionCPU
	case used.MemoryMB > capacity.MemoryMB:
		return dimensionMemory
	case used.DiskMB > capacity.DiskMB:
		return dimensionDisk
	}
	return ""
}
