package scheduler

import (
	"slices"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// resumeDeployment finds the deployment of the job's version, and ends one
// that is of another version or of a job that is stopped.
func (p *planner) resumeDeployment() {
	latest := p.view.LatestDeployment(p.eval.Namespace, p.eval.JobID)
	if latest == nil {
		return
	}
	if p.job != nil && latest.JobCreateIndex == *p.job.CreateIndex && (p.stopped() || latest.JobVersion == *p.job.Version) {
		p.deployment = latest
	}
	if !state.DeploymentActive(latest) {
		return
	}
	switch {
	case p.stopped():
		p.setDeployment(latest, api.DeploymentStatusCancelled, DeploymentJobStopped)
	case p.deployment == nil:
		p.setDeployment(latest, api.DeploymentStatusCancelled, DeploymentNewerVersion)
	}
}

func (p *planner) setDeployment(d *api.Deployment, status, description string) {
	p.plan.DeploymentStatuses = append(p.plan.DeploymentStatuses, DeploymentStatus{d.ID, status, description})
}

// proceeds tells whether the deployment is not in the way of what is new.
func (p *planner) proceeds() bool {
	if p.deployment == nil {
		return true
	}
	switch p.deployment.Status {
	case api.DeploymentStatusPaused, api.DeploymentStatusFailed:
		return false
	}
	return true
}

// beginDeployment makes the deployment of the job's version, if it has none yet
// and a group changes to it. A group is to have so many instances and canaries.
func (p *planner) beginDeployment(groups []*taskGroup, size func(*taskGroup) (total, canaries int)) {
	changes := func(g *taskGroup) bool { return g.tracked && g.changes }
	if p.deployment != nil || !slices.ContainsFunc(groups, changes) {
		return
	}
	d := newDeployment(p.job)
	for _, g := range groups {
		if !g.tracked {
			continue
		}
		total, canaries := size(g)
		g.state = &api.DeploymentState{
			AutoRevert:       value(g.spec.Update.AutoRevert),
			ProgressDeadline: value(g.spec.Update.ProgressDeadline),
			DesiredTotal:     total,
		}
		if g.canarying {
			g.state.DesiredCanaries = canaries
		}
		d.TaskGroups[g.name] = g.state
	}
	d.StatusDescription = runningDescription(p.job, d)
	p.deployment, p.plan.Deployment = d, d
}

func newDeployment(job *api.Job) *api.Deployment {
	return &api.Deployment{
		ID: uuid.NewString(), Namespace: *job.Namespace, JobID: *job.ID,
		JobVersion: *job.Version, JobModifyIndex: *job.ModifyIndex,
		JobSpecModifyIndex: *job.JobModifyIndex, JobCreateIndex: *job.CreateIndex,
		TaskGroups: map[string]*api.DeploymentState{}, Status: api.DeploymentStatusRunning,
	}
}

// runningDescription says what a deployment waits for.
func runningDescription(job *api.Job, d *api.Deployment) string {
	description := DeploymentRunning
	for name, group := range d.TaskGroups {
		if group.DesiredCanaries == 0 || group.Promoted {
			continue
		}
		if !value(job.LookupTaskGroup(name).Update.AutoPromote) {
			return DeploymentManual
		}
		description = DeploymentAutomatic
	}
	return description
}

// endDeployment notes that the deployment has come to its end.
func (p *planner) endDeployment(groups []*taskGroup) {
	if p.deployment == nil || p.plan.Deployment != nil || p.deployment.Status != api.DeploymentStatusRunning {
		return
	}
	open := func(g *taskGroup) bool { return g.state != nil && !g.deployed }
	if !slices.ContainsFunc(groups, open) {
		p.setDeployment(p.deployment, api.DeploymentStatusSuccessful, DeploymentSuccessful)
	}
}
