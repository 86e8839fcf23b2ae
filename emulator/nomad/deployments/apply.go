package deployments

import (
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// Apply writes the decision, unless the deployment does not run any more, and
// answers with the evaluation that it asks for; nil when it asks for none.
func (x *Decision) Apply(tx *state.Tx) *api.Evaluation {
	d := tx.Deployment(x.Deployment.ID)
	if d == nil || !state.DeploymentActive(d) {
		return nil
	}
	if x.Failed != "" {
		scheduler.SetDeploymentStatus(tx, scheduler.DeploymentStatus{
			Deployment: d.ID, Status: api.DeploymentStatusFailed, Description: x.Failed,
		})
	}
	if x.Revert != nil {
		earlier := *x.Revert
		earlier.VersionTag = nil
		tx.UpsertJob(&earlier, true)
	}
	if x.Promote {
		promote(tx, d, func(string) bool { return true })
	}
	for _, a := range x.Reschedule {
		mark(tx, a)
	}
	if !x.Evaluate {
		return nil
	}
	return evaluate(tx, d)
}

// mark has the scheduler replace an allocation although its deployment goes on.
func mark(tx *state.Tx, a *state.Allocation) {
	now := tx.Allocation(a.ID)
	if now == nil {
		return
	}
	next := *now
	next.DesiredTransition.Reschedule = new(true)
	tx.UpsertAllocation(&next)
}

// promote makes the canaries of groups instances like the others.
func promote(tx *state.Tx, d *api.Deployment, chosen func(group string) bool) {
	for name, group := range d.TaskGroups {
		if !waits(group) || !chosen(name) {
			continue
		}
		for _, id := range group.PlacedCanaries {
			promoteCanary(tx, id)
		}
	}
	tx.UpdateDeployment(tx.Deployment(d.ID), func(d *api.Deployment) {
		waiting := false
		for name, group := range d.TaskGroups {
			if waits(group) && chosen(name) {
				group.Promoted = true
				group.RequireProgressBy = tx.Now().Add(group.ProgressDeadline)
			}
			waiting = waiting || waits(group)
		}
		if !waiting && d.Status == api.DeploymentStatusRunning {
			d.StatusDescription = scheduler.DeploymentRunning
		}
	})
}

func promoteCanary(tx *state.Tx, id string) {
	a := tx.Allocation(id)
	if a == nil || a.DeploymentStatus == nil || !a.DeploymentStatus.Canary {
		return
	}
	next, status := *a, *a.DeploymentStatus
	status.Canary, status.ModifyIndex = false, tx.ChangeIndex()
	next.DeploymentStatus = &status
	tx.UpsertAllocation(&next)
}

// evaluate has the scheduler look at the job of a deployment; nil when that is gone.
func evaluate(tx *state.Tx, d *api.Deployment) *api.Evaluation {
	job := tx.Job(d.Namespace, d.JobID)
	if job == nil {
		return nil
	}
	e := scheduler.NewEvaluation(job, scheduler.TriggerDeployment, tx.Now())
	e.DeploymentID = d.ID
	tx.UpsertEvaluation(e)
	return e
}
