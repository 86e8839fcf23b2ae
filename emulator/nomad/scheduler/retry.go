package scheduler

import (
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// sharedWait is how far apart waits may end that one evaluation follows.
const sharedWait = 5 * time.Second

// wait is an allocation that something becomes of at a later time.
type wait struct {
	allocation  *state.Allocation
	until       time.Time
	trigger     string
	description string
}

// retry tells whether a failed allocation is to be replaced: now, or at a later
// time; neither when it is not.
func (g *group) retry(a *state.Allocation) (now bool, at time.Time) {
	if a.DesiredTransition.ShouldForceReschedule() && reschedules(a) {
		return true, time.Time{}
	}
	if g.deploymentHolds(a) {
		return false, time.Time{}
	}
	at, may := RescheduleAt(a)
	switch {
	case !may:
		return false, time.Time{}
	case a.FollowupEvalID == g.eval.ID, !at.After(g.now):
		return true, time.Time{}
	case g.awaited(a):
		return false, time.Time{}
	}
	return false, at
}

// deploymentHolds tells whether a failed allocation stays as it is because of
// the deployment that it is in: that has failed, or it is still going on and
// has not said yet that the allocation may be replaced.
func (g *group) deploymentHolds(a *state.Allocation) bool {
	if g.state == nil || a.DeploymentID != g.deployment.ID {
		return false
	}
	if g.deployment.Status == api.DeploymentStatusFailed {
		return true
	}
	return state.DeploymentActive(g.deployment) && !a.DesiredTransition.ShouldReschedule()
}

// awaited tells whether an evaluation for the allocation is under way already.
func (p *planner) awaited(a *state.Allocation) bool {
	if a.FollowupEvalID == "" {
		return false
	}
	next := p.view.Evaluation(a.FollowupEvalID)
	return next != nil && next.Status == api.EvalStatusPending
}

// retryLater has an allocation replaced at a later time.
func (g *group) retryLater(a *state.Allocation, at time.Time) {
	g.waits = append(g.waits, wait{a, at, TriggerReschedule, descriptionReschedule})
	g.desired.RescheduleLater++
}

// followWaits makes the evaluations that go on when the waits are over: one for
// those of a kind that end at nearly the same time. Of an allocation that waits
// for both, that of its replacement is the one it names. What has ended waits
// for nothing but that its node has stopped it.
func (p *planner) followWaits() {
	for _, trigger := range []string{TriggerDisconnectTimeout, TriggerReschedule, TriggerAllocationFailure} {
		p.follow(slices.DeleteFunc(slices.Clone(p.waits), func(w wait) bool {
			return w.trigger != trigger || trigger != TriggerAllocationFailure && p.ends(w.allocation)
		}))
	}
}

func (p *planner) follow(waits []wait) {
	slices.SortStableFunc(waits, func(a, b wait) int { return a.until.Compare(b.until) })
	var next *api.Evaluation
	for _, w := range waits {
		if next == nil || w.until.Sub(next.WaitUntil) > sharedWait {
			next = p.later(delayed(p.eval, w.trigger, w.description, w.until))
		}
		p.plan.change(w.allocation).FollowupEvalID = next.ID
	}
}
