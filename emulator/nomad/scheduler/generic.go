package scheduler

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// reconcileGeneric plans for a job that runs a number of instances of its
// groups anywhere: one of type service or batch.
func (p *planner) reconcileGeneric() {
	p.resumeDeployment()
	allocations := p.allocations()
	var groups []*group
	if !p.stopped() {
		for _, spec := range p.job.TaskGroups {
			groups = append(groups, newGroup(p, spec))
			groups[len(groups)-1].sort(allocations[*spec.Name])
			delete(allocations, *spec.Name)
		}
	}
	p.stopRest(allocations)
	for _, g := range groups {
		g.decide()
	}
	var all []*taskGroup
	for _, g := range groups {
		all = append(all, g.taskGroup)
	}
	p.beginDeployment(all, func(g *taskGroup) (total, canaries int) {
		return *g.spec.Count, value(g.spec.Update.Canary)
	})
	for _, g := range groups {
		g.carryOut()
	}
	p.endDeployment(all)
	p.followWaits()
}

// group is the instances of one task group, on the way to a decision.
type group struct {
	*taskGroup
	names *names

	// What there is. An allocation is in one of these at most.
	kept            []*state.Allocation // go on as they are
	finished        []*state.Allocation // of a batch job, have done their work
	moving          []*state.Allocation // are to leave their node
	retried         []*state.Allocation // have failed, and are to be replaced now
	covered         []*state.Allocation // are out of sight, and to be replaced now
	hidden          []*state.Allocation // are out of sight, and replaced already
	lost            []*state.Allocation // went down with their node
	canaries        []*state.Allocation // of the deployment, as long as it is not promoted
	retriedCanaries []*state.Allocation // have failed, and are to be replaced now
	live            int                 // of the job's version, before this plan
	doubled         map[string]bool     // IDs of those that stood in for one that is back

	// What is decided.
	inPlace     []update
	destructive []*state.Allocation // all that have to be replaced to be updated
	rolling     []*state.Allocation // those of them that are replaced now
	regained    int                 // of the lost ones, how many are replaced, now or later
	filled      int                 // how many are placed that replace none
	places      []seat
}

func newGroup(p *planner, spec *api.TaskGroup) *group {
	return &group{taskGroup: newTaskGroup(p, spec), names: newNames(*p.job.ID, *spec.Name), doubled: map[string]bool{}}
}

// decide settles what is to be done.
func (g *group) decide() {
	g.trim()
	g.compare()
	g.wantCanaries()
	g.replaceMissing()
	g.fill()
	g.roll()
	settled := len(g.destructive)+len(g.inPlace) == 0
	g.changes = !settled || g.live == 0 && len(g.places) > 0
	g.deployed = settled && len(g.places) == 0 && !g.canarying && g.state != nil &&
		g.state.HealthyAllocs >= max(g.state.DesiredTotal, g.state.DesiredCanaries)
}

// slots is how many instances there are that count.
func (g *group) slots() int {
	return len(g.kept) + len(g.finished) + len(g.moving) + len(g.retried) + len(g.covered)
}

// settleNames takes the names that are in use.
func (g *group) settleNames() {
	for _, some := range [][]*state.Allocation{g.kept, g.finished, g.moving, g.retried, g.covered} {
		for _, a := range some {
			g.names.take(a)
		}
	}
}

// byIndex orders allocations by the index in their name.
func byIndex(a, b *state.Allocation) int { return indexOf(a.Name) - indexOf(b.Name) }
