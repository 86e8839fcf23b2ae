package place

import (
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// planned is what the plan so far makes of allocations, by ID: what is placed,
// or nil of what is stopped.
type planned map[string]*state.Allocation

// removed tells whether the plan stops or replaces the allocation that the state has.
func (p planned) removed(id string) bool {
	_, is := p[id]
	return is
}

// current is an allocation as it is after the plan; nil when it takes nothing of a node then.
func (s *Selector) current(id string) *state.Allocation {
	if a, is := s.planned[id]; is {
		return a
	}
	if a := s.view.Allocation(id); a != nil && holds(a) {
		return a
	}
	return nil
}

// holds tells whether the allocation takes something of a node: it does until
// the node says that it has ended.
func holds(a *state.Allocation) bool {
	return a.NodeID != "" && a.AllocatedResources != nil && !a.ClientTerminal()
}

// Remove takes into account that the plan stops an allocation, whose
// resources are free then. One that takes none changes nothing.
func (s *Selector) Remove(a *state.Allocation) {
	current := s.current(a.ID)
	if current == nil {
		return
	}
	usage := s.usageOf(current.NodeID)
	usage.Remove(current)
	s.own.count(current, -1)
	s.ports.remove(current)
	s.planned[a.ID] = nil
}

// Add takes into account that the plan places an allocation, or keeps a
// changed one in its place: that replaces what was known by its ID.
func (s *Selector) Add(a *state.Allocation) {
	s.Remove(a)
	if !holds(a) {
		return
	}
	s.usageOf(a.NodeID).Add(a)
	s.own.count(a, +1)
	s.ports.add(a)
	s.planned[a.ID] = a
}

// usageOf is what is taken of a node after the plan.
func (s *Selector) usageOf(node string) *state.Usage {
	usage := s.usage[node]
	if usage == nil {
		usage = new(s.view.Usage(node))
		s.usage[node] = usage
	}
	return usage
}

// allocationsOn are those that take something of a node after the plan.
func (s *Selector) allocationsOn(node string) (all []*state.Allocation) {
	for a := range s.view.AllocationsOfNode(node) {
		if holds(a) && !s.planned.removed(a.ID) {
			all = append(all, a)
		}
	}
	for _, id := range sortedKeys(s.planned) {
		if a := s.planned[id]; a != nil && a.NodeID == node {
			all = append(all, a)
		}
	}
	return all
}

// portBook has the ports of what is placed, beside those of the state.
type portBook map[port][]*state.Allocation

// port is one of an address.
type port struct {
	address string
	number  int
}

func (b portBook) add(a *state.Allocation) {
	if isLost(a) {
		return
	}
	for _, p := range a.AllocatedResources.Shared.Ports {
		key := port{p.HostIP, p.Value}
		b[key] = append(b[key], a)
	}
}

func (b portBook) remove(a *state.Allocation) {
	for _, p := range a.AllocatedResources.Shared.Ports {
		key := port{p.HostIP, p.Value}
		b[key] = slices.DeleteFunc(b[key], func(one *state.Allocation) bool { return one == a })
	}
}

// isLost tells whether the allocation is of a node that is not heard of. It has
// no port: nodes may share an address, and PortFree sees what is still bound.
func isLost(a *state.Allocation) bool { return a.ClientStatus == api.AllocClientStatusUnknown }

// holders are the allocations that have a port after the plan. The second
// result tells whether the plan takes it from one.
func (s *Selector) holders(p port) (all []*state.Allocation, leaving bool) {
	for a := range s.view.AllocationsOfPort(p.address, p.number) {
		switch {
		case s.planned.removed(a.ID):
			leaving = true
		case !isLost(a):
			all = append(all, a)
		}
	}
	return append(all, s.ports[p]...), leaving
}
