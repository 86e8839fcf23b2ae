package scheduler

import (
	"maps"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// taskGroup is a task group of the job whose instances are looked at.
type taskGroup struct {
	*planner
	spec    *api.TaskGroup
	name    string
	desired *api.DesiredUpdates
	state   *api.DeploymentState // in the job version's deployment; nil when it is not in one

	// For the deployment.
	tracked   bool // its changes are those of a deployment
	canarying bool // canaries have yet to be promoted
	changes   bool // it becomes one of the job's version with this plan
	deployed  bool // all of it are healthy ones of the job's version
}

func newTaskGroup(p *planner, spec *api.TaskGroup) *taskGroup {
	g := &taskGroup{planner: p, spec: spec, name: *spec.Name, desired: p.desired(*spec.Name)}
	switch p.eval.Type {
	case api.JobTypeService, api.JobTypeSystem:
		g.tracked = !spec.Update.Empty() && value(spec.Update.MaxParallel) > 0
	}
	if p.deployment != nil {
		g.state = p.deployment.TaskGroups[g.name]
	}
	return g
}

// allocations are those of the job by their group, also what has ended.
func (p *planner) allocations() map[string][]*state.Allocation {
	groups := map[string][]*state.Allocation{}
	for a := range p.view.AllocationsOfJob(p.eval.Namespace, p.eval.JobID) {
		groups[a.TaskGroup] = append(groups[a.TaskGroup], a)
	}
	return groups
}

// stopRest ends the allocations of groups that the job does not have any more.
func (p *planner) stopRest(groups map[string][]*state.Allocation) {
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		desired := p.desired(name)
		for _, a := range groups[name] {
			switch {
			case a.Terminal():
				continue
			case p.nodeLost(a):
				p.lose(a)
			default:
				p.stop(a, descriptionNotNeeded)
			}
			desired.Stop++
		}
	}
}

// nodeLost tells whether the node of an allocation is gone or down.
func (p *planner) nodeLost(a *state.Allocation) bool {
	node := p.node(a.NodeID)
	return node == nil || node.Status == api.NodeStatusDown
}

// older tells whether an allocation is one of another version of the job.
func (p *planner) older(a *state.Allocation) bool {
	return *a.Job.Version != *p.job.Version || *a.Job.CreateIndex != *p.job.CreateIndex
}

// unchanged tells whether the job is what an allocation was made from.
func (p *planner) unchanged(a *state.Allocation) bool {
	return *a.Job.JobModifyIndex == *p.job.JobModifyIndex && *a.Job.CreateIndex == *p.job.CreateIndex
}

// runsOther tells whether an allocation has to be replaced to become one of the
// job's version.
func (g *taskGroup) runsOther(a *state.Allocation) bool {
	key := version{a.Job, g.name}
	other, known := g.compared[key]
	if !known {
		other = runsOther(a.Job, g.job, g.name)
		g.compared[key] = other
	}
	return other
}

// canary tells whether the allocation is one that has not been promoted.
func canary(a *state.Allocation) bool {
	return a.DeploymentStatus != nil && a.DeploymentStatus.Canary
}

// promoted tells whether the allocation was a canary of the job's deployment.
func (g *taskGroup) promoted(a *state.Allocation) bool {
	return g.state != nil && slices.Contains(g.state.PlacedCanaries, a.ID)
}
