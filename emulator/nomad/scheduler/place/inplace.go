package place

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// FitsInPlace works out what an allocation gets when it becomes one of a
// changed group on its own node, where it keeps ports, devices and cores. It
// is false when the node cannot run that or has not enough left. The
// allocation itself does not stand in its way.
func (s *Selector) FitsInPlace(old *state.Allocation, of *api.TaskGroup) (*Placement, bool) {
	node := s.view.Node(old.NodeID)
	if node == nil || old.AllocatedResources == nil {
		return nil, false
	}
	g := s.group(of)
	if s.infeasible(node, g, old.Name) != "" {
		return nil, false
	}
	o := s.kept(node, g, old)
	usage := *s.usageOf(node.ID)
	if current := s.current(old.ID); current != nil {
		usage.Remove(current)
	}
	o.used = usage.Plus(o.amount)
	if exceeded(o.used, capacity(node)) != "" {
		return nil, false
	}
	return s.placement(o), true
}

// kept is an offer with what an allocation has of the node already.
func (s *Selector) kept(node *state.Node, g *group, old *state.Allocation) *offer {
	had := old.AllocatedResources
	o := &offer{node: node, group: g, cores: old.Cores}
	o.networks = networkOffer{group: had.Shared.Networks, ports: had.Shared.Ports, byTask: map[string][]*api.NetworkResource{}}
	o.devices.byTask = map[string][]*api.AllocatedDeviceResource{}
	for name, task := range had.Tasks {
		o.networks.byTask[name], o.devices.byTask[name] = task.Networks, task.Devices
		if cores := int64(len(old.Cores[name])); cores > 0 {
			o.coreMHz = task.Cpu.CpuShares / cores
		}
	}
	o.amount = state.AmountOf(g.TaskGroup, s.allocate(g, o.cores, o))
	return o
}
