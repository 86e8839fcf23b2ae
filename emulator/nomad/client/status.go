package client

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"
)

// What Nomad says of the status of an allocation.
const (
	describedPending  = "No tasks have started"
	describedRunning  = "Tasks are running"
	describedComplete = "All tasks have completed"
	describedFailed   = "Failed tasks"
)

// clientStatus derives the status of an allocation from its tasks: one failed
// task is a failed allocation.
func clientStatus(states map[string]*api.TaskState) (status, description string) {
	var pending, running, failed bool
	for _, state := range states {
		pending = pending || state.State == taskPending
		running = running || state.State == taskRunning
		failed = failed || state.State == taskDead && state.Failed
	}
	switch {
	case failed:
		return api.AllocClientStatusFailed, describedFailed
	case running:
		return api.AllocClientStatusRunning, describedRunning
	case pending:
		return api.AllocClientStatusPending, describedPending
	}
	return api.AllocClientStatusComplete, describedComplete
}

// snapshot is what the servers are told of the allocation.
func (a *allocRunner) snapshot() *api.Allocation {
	a.mu.Lock()
	defer a.mu.Unlock()
	states := make(map[string]*api.TaskState, len(a.tasks))
	for _, t := range a.tasks {
		state := t.state
		state.Events = slices.Clip(state.Events)
		states[t.spec().Name] = &state
	}
	update := &api.Allocation{
		ID: a.alloc.ID, Namespace: a.alloc.Namespace, JobID: a.alloc.JobID, TaskGroup: a.alloc.TaskGroup,
		NodeID: a.alloc.NodeID, TaskStates: states, DeploymentID: a.alloc.DeploymentID,
		DeploymentStatus: a.deployment, NetworkStatus: a.network,
	}
	update.ClientStatus, update.ClientDescription = clientStatus(states)
	return update
}

// neverRun is what the servers are told of an allocation that they want to end
// and that the node does not have: it has ended.
func neverRun(alloc *api.Allocation) *api.Allocation {
	states := maps.Clone(alloc.TaskStates)
	if states == nil {
		states = map[string]*api.TaskState{}
	}
	for name, state := range states {
		if state.State != taskDead {
			dead := *state
			dead.State = taskDead
			states[name] = &dead
		}
	}
	return &api.Allocation{
		ID: alloc.ID, Namespace: alloc.Namespace, JobID: alloc.JobID, TaskGroup: alloc.TaskGroup, NodeID: alloc.NodeID,
		TaskStates: states, DeploymentID: alloc.DeploymentID, DeploymentStatus: alloc.DeploymentStatus,
		NetworkStatus: alloc.NetworkStatus,
		ClientStatus:  api.AllocClientStatusComplete, ClientDescription: describedComplete,
	}
}

// isTerminal reports whether a status is one that does not change any more.
func isTerminal(clientStatus string) bool {
	switch clientStatus {
	case api.AllocClientStatusComplete, api.AllocClientStatusFailed, api.AllocClientStatusLost:
		return true
	}
	return false
}
