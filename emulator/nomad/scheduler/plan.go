package scheduler

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Plan is what came of an evaluation. It shares rows with the view that it was
// made from, which nobody changes.
type Plan struct {
	Evaluation *api.Evaluation // as it is when the plan has been carried out
	Job        *api.Job        // nil when it is gone

	// Changes are to allocations that are there already: those that end, that
	// are updated in place, or that their node has lost sight of.
	Changes []Change
	// Placements are new allocations.
	Placements []*state.Allocation

	// Deployment is one that begins with this plan; nil when none does.
	Deployment *api.Deployment
	// Totals are how many instances of a group the deployment of the job's
	// version wants by now, by the group's name, where that has changed.
	Totals map[string]int
	// DeploymentStatuses are what becomes of deployments that are there already.
	DeploymentStatuses []DeploymentStatus

	// Evaluations are those that follow: for a later time, for when there is
	// room again, for jobs that lose allocations to this one.
	Evaluations []*api.Evaluation
	// Cancelled are IDs of evaluations that have become needless.
	Cancelled []Cancellation

	changed map[string]int // where in Changes an allocation is, by its ID
}

// Change is what becomes of an allocation: what differs between Before and
// After. All else is left as the allocation's node has it by then.
type Change struct {
	Before *state.Allocation
	After  *state.Allocation
}

// DeploymentStatus is a new status of a deployment.
type DeploymentStatus struct {
	Deployment  string // its ID
	Status      string
	Description string
}

// Cancellation is an evaluation that has become needless.
type Cancellation struct {
	Evaluation string // its ID
	Reason     string
}

// DesiredUpdates is how many allocations of each group the plan does what to.
func (p *Plan) DesiredUpdates() map[string]*api.DesiredUpdates {
	return p.Evaluation.PlanAnnotations.DesiredTGUpdates
}

// change notes what becomes of an allocation, and answers with the copy that
// the caller changes.
func (p *Plan) change(a *state.Allocation) *state.Allocation {
	if at, known := p.changed[a.ID]; known {
		return p.Changes[at].After
	}
	after := *a
	p.changed[a.ID] = len(p.Changes)
	p.Changes = append(p.Changes, Change{a, &after})
	return &after
}
