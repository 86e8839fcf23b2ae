package scheduler

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// sort finds out how things stand with the allocations of the group.
func (e *everywhere) sort(allocations []*state.Allocation) {
	for _, a := range allocations {
		e.countDeployed(a)
		if e.over(a) {
			if last := e.ended[a.NodeID]; last == nil || last.CreateIndex <= a.CreateIndex {
				e.ended[a.NodeID] = a
			}
			continue
		}
		e.sortLive(a)
	}
}

// over tells whether the node of an allocation is without an instance for all
// that the allocation is to it. A sysbatch job's has done its work for good.
func (e *everywhere) over(a *state.Allocation) bool {
	if a.ServerTerminal() {
		return true
	}
	return a.ClientTerminal() && (e.eval.Type == api.JobTypeSystem || a.ClientStatus == api.AllocClientStatusLost)
}

// countDeployed counts an allocation that is one of the deployment's.
func (e *everywhere) countDeployed(a *state.Allocation) {
	if e.state == nil || a.DeploymentID != e.deployment.ID {
		return
	}
	if canary(a) || e.promoted(a) {
		e.canaries++
	}
	switch {
	case a.Terminal():
	case a.DeploymentStatus == nil || a.DeploymentStatus.Healthy == nil:
		e.waiting++
	case !*a.DeploymentStatus.Healthy:
		e.broken = true
	}
}

func (e *everywhere) sortLive(a *state.Allocation) {
	node := e.node(a.NodeID)
	strategy := disconnectOf(a)
	away := node != nil && node.Status == api.NodeStatusDisconnected
	switch {
	case a.ClientTerminal():
		e.compare(a)
	case e.nodeLost(a), away && e.hiddenTooLong(a, strategy):
		e.lose(a)
	case away && a.LostSight().IsZero():
		e.loseSight(a, strategy)
		e.keep(a)
	case away, a.ClientStatus == api.AllocClientStatusUnknown:
		e.keep(a)
	case a.DesiredTransition.ShouldMigrate():
		e.leave(a)
	default:
		if reconnecting(a) {
			e.regainSight(a)
		}
		e.compare(a)
	}
}

// keep has an allocation go on as it is.
func (e *everywhere) keep(a *state.Allocation) {
	e.cover(a)
	e.desired.Ignore++
}

// cover has an allocation go on, if as another one.
func (e *everywhere) cover(a *state.Allocation) {
	e.covered[a.NodeID] = true
	e.running++
	if !e.older(a) {
		e.current++
	}
}

// leave ends an allocation that is to leave its node. If the node goes on, the
// next evaluation places another one there.
func (e *everywhere) leave(a *state.Allocation) {
	e.stop(a, descriptionTainted)
	e.desired.Migrate++
	e.covered[a.NodeID] = true
}

// compare finds out whether an allocation has to change for the job's version,
// and whether it is still wanted where it is.
func (e *everywhere) compare(a *state.Allocation) {
	node := e.node(a.NodeID)
	switch {
	case node == nil:
		e.desired.Ignore++ // it has done its work there
	case e.unchanged(a) && (a.ClientTerminal() || !node.Ready() || e.feasible(node)):
		e.keep(a)
	case e.unchanged(a) || !node.Ready():
		e.covered[a.NodeID] = true
		e.stop(a, descriptionNotNeeded)
		e.desired.Stop++
	default:
		e.change(a)
	}
}

// change has an allocation become one of the job's version.
func (e *everywhere) change(a *state.Allocation) {
	e.cover(a)
	if !e.runsOther(a) && e.feasible(e.node(a.NodeID)) {
		if placement, fits := e.seats.of(e.job).FitsInPlace(a, e.spec); fits {
			e.inPlace = append(e.inPlace, update{a, placement})
			return
		}
	}
	e.destructive = append(e.destructive, a)
}
