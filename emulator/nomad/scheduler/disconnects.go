package scheduler

import (
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// disconnectOf is what an allocation's group says about nodes that are out of
// sight; nil when it bears none.
func disconnectOf(a *state.Allocation) *api.DisconnectStrategy {
	group := a.Group()
	if group == nil || group.Disconnect == nil || value(group.Disconnect.LostAfter) <= 0 {
		return nil
	}
	return group.Disconnect
}

// stopsOnClient is how long a node that is out of sight runs an allocation on
// before it stops it; 0 when it does not stop it.
func stopsOnClient(a *state.Allocation) time.Duration {
	group := a.Group()
	if group == nil || group.Disconnect == nil {
		return 0
	}
	return value(group.Disconnect.StopOnClientAfter)
}

// sortDisconnected decides about an allocation whose node is out of sight.
func (g *group) sortDisconnected(a *state.Allocation) {
	strategy := disconnectOf(a)
	since := a.LostSight()
	switch {
	case g.hiddenTooLong(a, strategy):
		g.lost = append(g.lost, a)
		return
	case since.IsZero():
		g.hide(a, strategy)
		return
	case g.replacement(a) != nil:
		g.hidden = append(g.hidden, a)
		return
	}
	g.keep(a)
	if !value(strategy.Replace) || g.awaited(a) && a.FollowupEvalID != g.eval.ID {
		return
	}
	if at := hiddenRetry(a, since); at.After(g.now) && a.FollowupEvalID != g.eval.ID {
		g.retryLater(a, at)
		return
	}
	g.standIn(a)
}

// hide goes on without an allocation that the servers have lost sight of.
func (g *group) hide(a *state.Allocation, strategy *api.DisconnectStrategy) {
	g.loseSight(a, strategy)
	g.keep(a)
	if !value(strategy.Replace) {
		return
	}
	if at := hiddenRetry(a, g.now); at.After(g.now) {
		g.retryLater(a, at)
		return
	}
	g.standIn(a)
}

// loseSight notes that the servers have lost sight of an allocation.
func (g *taskGroup) loseSight(a *state.Allocation, strategy *api.DisconnectStrategy) {
	after := g.plan.change(a)
	after.ClientStatus, after.ClientDescription = api.AllocClientStatusUnknown, descriptionUnknown
	after.AllocStates = append(slices.Clone(a.AllocStates), state.AllocState{Value: api.AllocClientStatusUnknown, Time: g.now})
	g.desired.Disconnect++
	g.waits = append(g.waits, wait{a, g.now.Add(*strategy.LostAfter), TriggerDisconnectTimeout, descriptionDisconnected})
}

// hiddenTooLong tells whether an allocation is to be given up that is on a node
// out of sight.
func (g *taskGroup) hiddenTooLong(a *state.Allocation, strategy *api.DisconnectStrategy) bool {
	if strategy == nil || a.ClientStatus == api.AllocClientStatusPending {
		return true
	}
	since := a.LostSight()
	return !since.IsZero() && !g.now.Before(since.Add(*strategy.LostAfter))
}

// hiddenRetry is when an allocation that is out of sight is replaced, for the
// time being.
func hiddenRetry(a *state.Allocation, since time.Time) time.Time {
	policy := reschedulePolicy(a)
	if policy == nil {
		return since
	}
	return since.Add(rescheduleDelay(policy, events(a), since))
}

// standIn replaces an allocation that is out of sight, without ending it.
func (g *group) standIn(a *state.Allocation) {
	g.kept = slices.DeleteFunc(g.kept, func(k *state.Allocation) bool { return k == a })
	g.covered = append(g.covered, a)
}
