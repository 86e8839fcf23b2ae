package scheduler

import (
	"cmp"
	"slices"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// reconcileSystem plans for a job that runs on every node that can run it: one
// of type system or sysbatch.
func (p *planner) reconcileSystem() {
	p.resumeDeployment()
	allocations := p.allocations()
	var groups []*everywhere
	if !p.stopped() {
		for _, spec := range p.job.TaskGroups {
			groups = append(groups, newEverywhere(p, spec))
			groups[len(groups)-1].sort(allocations[*spec.Name])
			delete(allocations, *spec.Name)
		}
	}
	p.stopRest(allocations)
	for _, e := range groups {
		e.findMissing()
	}
	all := make([]*taskGroup, len(groups))
	for i, e := range groups {
		all[i] = e.taskGroup
	}
	p.beginDeployment(all, func(g *taskGroup) (total, canaries int) {
		e := groups[slices.Index(all, g)]
		return e.running + len(e.missing), e.wantedCanaries()
	})
	for _, e := range groups {
		e.carryOut()
	}
	p.endDeployment(all)
	p.followWaits()
}

// everywhere is the instances of one task group, one on each node.
type everywhere struct {
	*taskGroup

	// What there is.
	nodes    []*state.Node                // those that take new allocations of the job
	eligible map[string]bool              // their IDs
	ended    map[string]*state.Allocation // the newest that has ended, by node
	covered  map[string]bool              // nodes that do not get another instance now
	running  int                          // nodes that have and keep their instance
	current  int                          // of those, how many are of the job's version
	canaries int                          // of the deployment, whatever became of them
	waiting  int                          // of the deployment, how many have yet to be healthy
	broken   bool                         // one of the deployment is unhealthy

	// What is decided.
	inPlace     []update
	destructive []*state.Allocation
	missing     []*state.Node
}

func newEverywhere(p *planner, spec *api.TaskGroup) *everywhere {
	e := &everywhere{
		taskGroup: newTaskGroup(p, spec), nodes: p.seats.of(p.job).Nodes(), eligible: map[string]bool{},
		ended: map[string]*state.Allocation{}, covered: map[string]bool{},
	}
	for _, node := range e.nodes {
		e.eligible[node.ID] = true
	}
	return e
}

// findMissing finds the nodes that are to get an instance.
func (e *everywhere) findMissing() {
	filtered := &api.AllocationMetric{ClassFiltered: map[string]int{}, ConstraintFiltered: map[string]int{}}
	for _, node := range e.nodes {
		filtered.NodesEvaluated++
		if e.covered[node.ID] {
			continue
		}
		if feasible, reason := e.seats.of(e.job).Feasible(node, e.spec); !feasible {
			filtered.NodesFiltered++
			filtered.ConstraintFiltered[reason]++
			if node.NodeClass != "" {
				filtered.ClassFiltered[node.NodeClass]++
			}
			continue
		}
		e.missing = append(e.missing, node)
	}
	if filtered.NodesFiltered > 0 && filtered.NodesFiltered == filtered.NodesEvaluated {
		e.filtered[e.name] = filtered
	}
	e.settle()
}

// settle finds out what all that is to the deployment.
func (e *everywhere) settle() {
	slices.SortFunc(e.destructive, func(a, b *state.Allocation) int { return cmp.Compare(a.NodeID, b.NodeID) })
	settled := len(e.destructive)+len(e.inPlace) == 0
	e.changes = !settled || e.current == 0 && len(e.missing) > 0
	if e.state == nil {
		e.canarying = e.tracked && value(e.spec.Update.Canary) > 0 && len(e.destructive) > 0
		return
	}
	e.canarying = e.state.DesiredCanaries > 0 && !e.state.Promoted && state.DeploymentActive(e.deployment)
	e.deployed = settled && len(e.missing) == 0 && !e.canarying && e.state.HealthyAllocs >= e.state.DesiredTotal
}

// feasible tells whether a node takes new allocations and can run the group.
func (e *everywhere) feasible(node *state.Node) bool {
	if !e.eligible[node.ID] {
		return false
	}
	feasible, _ := e.seats.of(e.job).Feasible(node, e.spec)
	return feasible
}

// carryOut updates, replaces and places what was decided, as far as there is room.
func (e *everywhere) carryOut() {
	for _, u := range e.inPlace {
		e.updateInPlace(u)
	}
	e.desired.InPlaceUpdate += uint64(len(e.inPlace))
	e.desired.DestructiveUpdate += uint64(len(e.destructive))
	for _, a := range e.destructive[:min(e.pace(), len(e.destructive))] {
		e.replace(a)
	}
	e.desired.Place += uint64(len(e.missing))
	for _, node := range e.missing {
		if e.seat(seat{name: e.instance(), job: e.job, previous: e.ended[node.ID], node: node.ID}) {
			e.running++
		}
	}
	e.count()
}

// instance is the name of every instance of the group.
func (e *everywhere) instance() string { return newNames(*e.job.ID, e.name).unused() }

// replace has an allocation make way for one of the job's version, also if
// that cannot run on its node.
func (e *everywhere) replace(a *state.Allocation) {
	if !e.feasible(e.node(a.NodeID)) {
		e.stop(a, descriptionUpdated)
		e.running--
		return
	}
	e.seat(seat{
		name: e.instance(), job: e.job, previous: a, node: a.NodeID, cause: causeUpdated, canary: e.canarying,
	})
}
