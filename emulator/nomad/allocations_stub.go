package nomad

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// allocationStub is what lists tell of an allocation.
func allocationStub(a *state.Allocation) *api.AllocationListStub {
	return &api.AllocationListStub{
		ID: a.ID, EvalID: a.EvalID, Name: a.Name, Namespace: a.Namespace, NodeID: a.NodeID, NodeName: a.NodeName,
		JobID: a.JobID, TaskGroup: a.TaskGroup, DesiredStatus: a.DesiredStatus, DesiredDescription: a.DesiredDescription,
		ClientStatus: a.ClientStatus, ClientDescription: a.ClientDescription, TaskStates: a.TaskStates,
		DeploymentStatus: a.DeploymentStatus, FollowupEvalID: a.FollowupEvalID, NextAllocation: a.NextAllocation,
		RescheduleTracker: a.RescheduleTracker, PreemptedAllocations: a.PreemptedAllocations,
		PreemptedByAllocation: a.PreemptedByAllocation, CreateIndex: a.CreateIndex, ModifyIndex: a.ModifyIndex,
		CreateTime: a.CreateTime, ModifyTime: a.ModifyTime, JobType: *a.Job.Type, JobVersion: *a.Job.Version,
	}
}

// allocationStubs tells of several allocations, and the index of the last change of any.
func allocationStubs(list iter.Seq[*state.Allocation]) (stubs []*api.AllocationListStub, index uint64) {
	stubs = []*api.AllocationListStub{}
	for a := range list {
		stubs = append(stubs, allocationStub(a))
		index = max(index, a.ModifyIndex)
	}
	return stubs, index
}
