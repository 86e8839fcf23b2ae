package scheduler

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler/place"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// carryOut updates, replaces and places what was decided, as far as there is room.
func (g *group) carryOut() {
	for _, u := range g.inPlace {
		g.updateInPlace(u)
	}
	for _, a := range g.rolling {
		g.seat(seat{name: a.Name, job: g.job, previous: a, cause: causeUpdated})
	}
	for _, s := range g.places {
		g.seat(s)
	}
}

// updateInPlace makes an allocation one of the job's version.
func (g *taskGroup) updateInPlace(u update) {
	after := g.plan.change(u.allocation)
	after.Job, after.EvalID = g.job, g.eval.ID
	after.AllocatedResources, after.Resources = u.placement.Allocated, u.placement.Resources
	after.TaskResources, after.Cores = u.placement.TaskResources, u.placement.Cores
	if g.state != nil {
		after.DeploymentID, after.DeploymentStatus = g.deployment.ID, nil
	}
	g.seats.add(after)
}

// seat places an allocation, and tells whether there was room. One that it is
// to replace ends with that, or goes on if there is none.
func (g *taskGroup) seat(s seat) bool {
	if g.full(s) {
		g.unplaced(s)
		return false
	}
	if s.cause == causeUpdated {
		g.seats.remove(s.previous)
	}
	placement, metrics := g.seats.of(s.job).Place(g.request(s))
	if placement == nil {
		g.fail(metrics)
		if g.fullNode == "" {
			g.fullNode = s.node
		}
		if s.cause == causeUpdated {
			g.seats.add(s.previous)
		}
		g.unplaced(s)
		return false
	}
	a := g.newAllocation(s.job, g.name, s.name, placement, metrics)
	g.joinDeployment(a, s)
	if s.previous != nil {
		g.succeed(a, s)
	}
	g.put(a, placement)
	return true
}

// fail notes that there was no room for an instance of the group.
func (g *taskGroup) fail(metrics *api.AllocationMetric) {
	g.plan.Evaluation.QueuedAllocations[g.name]++
	if known := g.failed[g.name]; known != nil {
		place.Coalesce(known, g.spec)
		return
	}
	g.failed[g.name] = metrics
}

// full tells whether another seat of the group cannot have room either, as it
// was not found before, and counts this one then.
func (g *taskGroup) full(s seat) bool {
	if s.node != "" || g.failed[g.name] == nil {
		return false
	}
	g.fail(nil)
	return true
}

// unplaced notes that there was no room for what replaces a failed allocation.
func (g *taskGroup) unplaced(s seat) {
	if s.cause != causeFailed || s.previous.RescheduleTracker == nil {
		return
	}
	tracker := *s.previous.RescheduleTracker
	tracker.LastReschedule = notRescheduled
	g.plan.change(s.previous).RescheduleTracker = &tracker
}

func (g *taskGroup) request(s seat) place.Request {
	request := place.Request{
		Group: s.job.LookupTaskGroup(g.name), Name: s.name, Node: s.node,
	}
	if s.previous == nil {
		return request
	}
	if s.cause == causeFailed || s.cause == causeHidden {
		request.Penalized = penalties(s.previous)
	}
	if disk := request.Group.EphemeralDisk; disk != nil && value(disk.Sticky) {
		request.Preferred = s.previous.NodeID
	}
	return request
}

// newAllocation makes an allocation for a place.
func (p *planner) newAllocation(job *api.Job, group, name string, placement *place.Placement, metrics *api.AllocationMetric) *state.Allocation {
	a := &state.Allocation{Allocation: api.Allocation{
		ID: uuid.NewString(), Namespace: p.eval.Namespace, EvalID: p.eval.ID,
		Name: name, NodeID: placement.Node.ID, NodeName: placement.Node.Name,
		JobID: p.eval.JobID, Job: job, TaskGroup: group,
		Resources: placement.Resources, TaskResources: placement.TaskResources,
		AllocatedResources: placement.Allocated, Metrics: metrics,
		DesiredStatus: api.AllocDesiredStatusRun, ClientStatus: api.AllocClientStatusPending,
	}, Beside: state.Beside{Cores: placement.Cores}}
	for _, victim := range placement.Preempted {
		a.PreemptedAllocations = append(a.PreemptedAllocations, victim.ID)
	}
	return a
}

// joinDeployment makes an allocation part of the deployment of its job's version.
func (g *taskGroup) joinDeployment(a *state.Allocation, s seat) {
	switch {
	case s.job != g.job:
		a.DeploymentID = s.previous.DeploymentID
	case g.state != nil && state.DeploymentActive(g.deployment):
		a.DeploymentID = g.deployment.ID
		if s.canary {
			a.DeploymentStatus = &api.AllocDeploymentStatus{Canary: true}
		}
	}
}

// succeed makes an allocation the successor of the one that it replaces.
func (g *taskGroup) succeed(a *state.Allocation, s seat) {
	a.PreviousAllocation = s.previous.ID
	before := g.plan.change(s.previous)
	before.NextAllocation = a.ID
	switch s.cause {
	case causeUpdated:
		before.DesiredStatus, before.DesiredDescription = api.AllocDesiredStatusStop, descriptionUpdated
	case causeFailed:
		before.DesiredStatus, before.DesiredDescription = api.AllocDesiredStatusStop, ""
		trackReschedule(a, s.previous, g.now)
	case causeHidden:
		trackReschedule(a, s.previous, g.now)
	}
}

// put adds an allocation to the plan, and evicts those that it takes the room of.
func (p *planner) put(a *state.Allocation, placement *place.Placement) {
	p.plan.Placements = append(p.plan.Placements, a)
	p.seats.add(a)
	annotations := p.plan.Evaluation.PlanAnnotations
	for _, victim := range placement.Preempted {
		after := p.plan.change(victim)
		after.DesiredStatus = api.AllocDesiredStatusEvict
		after.DesiredDescription = fmt.Sprintf(descriptionPreempted, a.ID)
		after.PreemptedByAllocation = a.ID
		p.seats.remove(victim)
		annotations.PreemptedAllocs = append(annotations.PreemptedAllocs, victim.Stub())
		p.desired(a.TaskGroup).Preemptions++
		p.followPreemption(victim)
	}
}

// followPreemption has the job of an evicted allocation look for room elsewhere.
func (p *planner) followPreemption(victim *state.Allocation) {
	for _, e := range p.plan.Evaluations {
		if e.TriggeredBy == TriggerPreemption && e.JobID == victim.JobID && e.Namespace == victim.Namespace {
			return
		}
	}
	p.later(NewEvaluation(victim.Job, TriggerPreemption, p.now))
}
