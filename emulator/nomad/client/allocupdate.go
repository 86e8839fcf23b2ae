package client

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/client/hook"
)

// update takes in what the servers say of the allocation now.
func (a *allocRunner) update(alloc *api.Allocation) {
	a.adopt(alloc)
	a.mu.Lock()
	previous := a.alloc
	a.alloc = alloc
	a.deployLocked(previous, alloc)
	found := alloc.ClientStatus == api.AllocClientStatusUnknown
	stop := alloc.DesiredStatus != api.AllocDesiredStatusRun && !a.stopped
	a.mu.Unlock()
	if found {
		a.reconnected()
	}
	switch {
	case stop:
		a.stop()
	case previous.AllocModifyIndex != alloc.AllocModifyIndex:
		a.spawn(func() { a.withServices(func(s hook.Services) { s.Update(alloc) }) })
	}
	a.poke()
}

// reconnected tells of tasks that the servers had lost sight of.
func (a *allocRunner) reconnected() {
	for _, t := range a.tasks {
		if !t.dead() {
			t.emit(newEvent(api.TaskClientReconnected, "Client reconnected"))
		}
	}
}

// deployLocked takes over the place of the allocation in a deployment. Its health
// stays unless the servers say another, or the deployment is new.
func (a *allocRunner) deployLocked(previous, alloc *api.Allocation) {
	renewed := alloc.DeploymentID != previous.DeploymentID
	a.newDeployment = a.newDeployment || renewed
	if renewed || a.deployment == nil || alloc.DeploymentStatus != nil && alloc.DeploymentStatus.Healthy != nil {
		a.deployment = alloc.DeploymentStatus
	}
}

// adopt takes over what a new version of the job says of the group and its
// tasks, which goes on running.
func (a *allocRunner) adopt(alloc *api.Allocation) {
	if alloc.Job == nil {
		return
	}
	group := groupOf(alloc)
	if group == nil {
		return
	}
	a.known.Store(group)
	for _, spec := range group.Tasks {
		if t := a.task(spec.Name); t != nil {
			t.known.Store(spec)
		}
	}
}

// takeNewDeployment reports, once, that the allocation is of another deployment
// than it was.
func (a *allocRunner) takeNewDeployment() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	is := a.newDeployment
	a.newDeployment = false
	return is
}
