// Package deployments decides how the deployments of a Nomad region go on: when
// canaries are promoted, when a deployment has failed and its job goes back to
// an earlier version, and when the scheduler is to look at the job again. The
// region's loop over running deployments calls Decide whenever something has
// changed or a decision is due; its endpoint of deployments calls Promote,
// Pause, Fail and SetHealth for what operators ask for.
//
// That a deployment is successful is for the scheduler to see, which knows
// whether anything is left to do.
package deployments

import (
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// Decision is what becomes of a running deployment.
type Decision struct {
	Deployment *api.Deployment

	// Failed says why the deployment has failed, with what becomes of the job;
	// empty when it goes on.
	Failed string
	Revert *api.Job // the version that the job goes back to; nil when it does not

	Promote    bool                // its canaries become instances like the others
	Reschedule []*state.Allocation // unhealthy ones that may be replaced
	Evaluate   bool                // the scheduler is to look at the job

	// Due is when time alone makes another decision necessary; zero for never.
	Due time.Time
}

// Empty tells whether nothing is to be done now.
func (x *Decision) Empty() bool {
	return x.Failed == "" && !x.Promote && len(x.Reschedule) == 0 && !x.Evaluate
}

// Decide finds out how a deployment goes on. It reads the view alone; what it
// has read is what another decision waits for.
func Decide(view *state.View, d *api.Deployment, now time.Time) *Decision {
	x := &Decision{Deployment: d}
	job := view.JobVersion(d.Namespace, d.JobID, d.JobVersion)
	if d.Status != api.DeploymentStatusRunning || job == nil || *job.CreateIndex != d.JobCreateIndex {
		return x
	}
	p := newProgress(view, d, job)
	if p.broken {
		x.fail(view, descriptionUnhealthy)
		return x
	}
	if x.Due = p.deadline(); !x.Due.IsZero() && x.Due.Before(now) {
		x.fail(view, descriptionDeadline)
		return x
	}
	x.Promote = p.promotable()
	x.Reschedule = p.replaceable
	x.Evaluate = x.Promote || len(x.Reschedule) > 0 || p.news > evaluated(view, d, now)
	return x
}

// evaluated is the index up to which the scheduler knows of the job, or is to
// learn of it.
func evaluated(view *state.View, d *api.Deployment, now time.Time) (index uint64) {
	for e := range view.EvaluationsOfJob(d.Namespace, d.JobID) {
		index = max(index, e.SnapshotIndex)
		if e.Status == api.EvalStatusPending && !e.WaitUntil.After(now) {
			index = max(index, e.CreateIndex)
		}
	}
	return index
}
