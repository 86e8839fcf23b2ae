package scheduler

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// sort finds out how things stand with the allocations of the group.
func (g *group) sort(allocations []*state.Allocation) {
	for _, a := range allocations {
		switch {
		case g.past(a):
			g.sortPast(a)
		case canary(a) && !g.current(a):
			g.stop(a, descriptionNotNeeded)
			g.desired.Stop++
		default:
			g.sortLive(a)
		}
		if !a.Terminal() && !g.older(a) {
			g.live++
		}
	}
}

// sortPast counts one that says nothing, unless its node has yet to stop it
// for certain before another one takes its place.
func (g *group) sortPast(a *state.Allocation) {
	if a.ClientStatus == api.AllocClientStatusLost && stopsOnClient(a) > 0 && a.FollowupEvalID != g.eval.ID && g.awaited(a) {
		g.regained++
		g.names.take(a)
	}
	if g.eval.Type == api.JobTypeBatch {
		g.desired.Ignore++
	}
}

// past tells whether an allocation says nothing about what is to be done.
func (g *group) past(a *state.Allocation) bool {
	if a.ServerTerminal() {
		return true
	}
	if g.eval.Type == api.JobTypeBatch {
		return a.ClientTerminal() && g.older(a)
	}
	return a.ClientStatus == api.AllocClientStatusComplete
}

// current tells whether an allocation belongs to the deployment of the job's
// version, and that has not failed.
func (g *group) current(a *state.Allocation) bool {
	return g.state != nil && a.DeploymentID == g.deployment.ID && state.DeploymentActive(g.deployment)
}

func (g *group) sortLive(a *state.Allocation) {
	switch {
	case a.ClientStatus == api.AllocClientStatusComplete:
		g.finished = append(g.finished, a)
	case a.ClientStatus == api.AllocClientStatusFailed:
		g.sortFailed(a)
	case a.ClientStatus == api.AllocClientStatusLost, g.nodeLost(a):
		g.lost = append(g.lost, a)
	case g.node(a.NodeID).Status == api.NodeStatusDisconnected:
		g.sortDisconnected(a)
	case reconnecting(a):
		g.reconnect(a)
	case a.ClientStatus == api.AllocClientStatusUnknown && g.replacement(a) != nil:
		g.hidden = append(g.hidden, a)
	case a.DesiredTransition.ShouldMigrate() && canary(a):
		g.stop(a, descriptionMigrated) // the next canary is not its successor
	case a.DesiredTransition.ShouldMigrate():
		g.moving = append(g.moving, a)
	default:
		g.keep(a)
	}
}

// keep has an allocation go on.
func (g *group) keep(a *state.Allocation) {
	if canary(a) {
		g.canaries = append(g.canaries, a)
		return
	}
	g.kept = append(g.kept, a)
}

// sortFailed has a failed allocation replaced now, later or not at all.
func (g *group) sortFailed(a *state.Allocation) {
	now, at := g.retry(a)
	switch {
	case g.replacement(a) != nil: // that stood in while it was out of sight
		g.stop(a, descriptionNotNeeded)
		g.desired.Stop++
	case now && canary(a):
		g.retriedCanaries = append(g.retriedCanaries, a)
	case now:
		g.retried = append(g.retried, a)
	case at.IsZero():
		g.keep(a)
	default:
		g.keep(a)
		g.retryLater(a, at)
	}
}
