package scheduler

import (
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// replacement is what was placed for an allocation and has not ended; nil when
// there is none.
func (g *group) replacement(a *state.Allocation) *state.Allocation {
	for id := a.NextAllocation; id != ""; {
		next := g.view.Allocation(id)
		if next == nil {
			return nil
		}
		if !next.Terminal() {
			return next
		}
		id = next.NextAllocation
	}
	return nil
}

// reconnecting tells whether an allocation has come back into sight, and
// nothing was decided about that yet.
func reconnecting(a *state.Allocation) bool {
	return !a.LostSight().IsZero() && a.ClientStatus == api.AllocClientStatusRunning
}

// reconnect decides who goes on: the allocation that is back in sight or the
// one that stood in for it.
func (g *group) reconnect(a *state.Allocation) {
	replacement := g.replacement(a)
	if replacement != nil && (g.older(a) && !g.older(replacement) || !g.prefers(a, replacement)) {
		g.stop(a, descriptionNotNeeded)
		g.desired.Stop++
		return
	}
	g.regainSight(a)
	g.keep(a)
	if replacement != nil {
		g.doubled[replacement.ID] = true
	}
}

// prefers tells whether the strategy of its group chooses an allocation that is
// back over the one that stood in.
func (g *group) prefers(back, replacement *state.Allocation) bool {
	strategy := disconnectOf(back)
	choice := api.ReconcileOptionBestScore
	if strategy != nil && strategy.Reconcile != nil {
		choice = *strategy.Reconcile
	}
	switch choice {
	case api.ReconcileOptionKeepOriginal:
		return true
	case api.ReconcileOptionKeepReplacement:
		return false
	case api.ReconcileOptionLongestRunning:
		return !runningSince(back).After(runningSince(replacement))
	}
	return score(back) >= score(replacement)
}

// runningSince is when the first of an allocation's tasks was started that runs
// now; the distant future when none does.
func runningSince(a *state.Allocation) time.Time {
	first := time.Unix(1<<40, 0)
	for _, task := range a.TaskStates {
		if task.State == "running" && !task.StartedAt.IsZero() && task.StartedAt.Before(first) {
			first = task.StartedAt
		}
	}
	return first
}

// score is how well the allocation's node fitted when it was chosen.
func score(a *state.Allocation) float64 {
	if a.Metrics == nil {
		return 0
	}
	for _, node := range a.Metrics.ScoreMetaData {
		if node.NodeID == a.NodeID {
			return node.NormScore
		}
	}
	return 0
}

// regainSight notes that an allocation is back.
func (g *taskGroup) regainSight(a *state.Allocation) {
	after := g.plan.change(a)
	after.AllocStates = append(slices.Clone(a.AllocStates), state.AllocState{Value: api.AllocClientStatusRunning, Time: g.now})
	g.desired.Reconnect++
	if g.awaited(a) {
		g.plan.Cancelled = append(g.plan.Cancelled, Cancellation{a.FollowupEvalID, "allocs reconnected"})
	}
	after.FollowupEvalID = ""
}
