package nomad

import (
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// leaveTakenPorts has the allocations placed anew of which somebody else has
// taken a port that the scheduler chose, while nothing of them ran. It is called
// before anything does.
func (r *region) leaveTakenPorts() error {
	var lost []*state.Allocation
	for a := range r.store.View().Allocations() {
		if !a.Terminal() && r.hasLostPort(a) {
			lost = append(lost, a)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return r.store.Write(func(tx *state.Tx) error {
		for _, a := range lost {
			tx.TransitionAllocation(tx.Allocation(a.ID), func(t *api.DesiredTransition) { t.Migrate = new(true) })
			tx.UpsertEvaluation(newEvaluation(tx, a.Job, scheduler.TriggerAllocationStop))
		}
		return nil
	})
}

// hasLostPort claims the ports of an allocation, and tells whether it needs others.
func (r *region) hasLostPort(a *state.Allocation) bool {
	group := a.Group()
	if group == nil || a.AllocatedResources == nil {
		return false
	}
	lost := false
	for _, p := range a.AllocatedResources.Shared.Ports {
		free := r.claimPort(p.HostIP, p.Value)
		lost = lost || !free && isDynamic(group, p.Label)
	}
	return lost
}

// isDynamic tells whether the scheduler chooses the number of a port.
func isDynamic(group *api.TaskGroup, label string) bool {
	return slices.ContainsFunc(group.Networks, func(n *api.NetworkResource) bool {
		return slices.ContainsFunc(n.DynamicPorts, func(p api.Port) bool { return p.Label == label })
	})
}
