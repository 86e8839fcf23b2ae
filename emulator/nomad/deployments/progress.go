package deployments

import (
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// progress is how far a deployment has come.
type progress struct {
	deployment *api.Deployment
	job        *api.Job // the version that is deployed

	broken      bool                // an unhealthy allocation cannot be replaced
	replaceable []*state.Allocation // unhealthy ones that nobody has marked yet
	canaries    map[string]int      // healthy ones, by group
	news        uint64              // the index at which a health became known last
}

func newProgress(view *state.View, d *api.Deployment, job *api.Job) *progress {
	p := &progress{deployment: d, job: job, canaries: map[string]int{}}
	for a := range view.AllocationsOfDeployment(d.ID) {
		if a.DeploymentStatus == nil || a.DeploymentStatus.Healthy == nil {
			continue
		}
		p.news = max(p.news, a.DeploymentStatus.ModifyIndex)
		switch {
		case *a.DeploymentStatus.Healthy:
			if a.DeploymentStatus.Canary && !a.Terminal() {
				p.canaries[a.TaskGroup]++
			}
		case !a.ServerTerminal():
			p.unhealthy(a)
		}
	}
	return p
}

// unhealthy finds out whether an unhealthy allocation may be replaced. Without
// a deadline for the progress there is no time for that.
func (p *progress) unhealthy(a *state.Allocation) {
	group := p.deployment.TaskGroups[a.TaskGroup]
	_, may := scheduler.RescheduleAt(a)
	switch {
	case group == nil:
	case group.ProgressDeadline == 0 || !may:
		p.broken = true
	case !a.DesiredTransition.ShouldReschedule():
		p.replaceable = append(p.replaceable, a)
	}
}

// deadline is when the first group has to have made progress that has not come
// to its end, or to where it waits for its promotion; zero when none has.
func (p *progress) deadline() (first time.Time) {
	for _, group := range p.deployment.TaskGroups {
		if group.ProgressDeadline == 0 || group.RequireProgressBy.IsZero() || group.HealthyAllocs >= max(group.DesiredTotal, group.DesiredCanaries) {
			continue
		}
		if waits(group) && group.HealthyAllocs >= group.DesiredCanaries {
			continue
		}
		if first.IsZero() || group.RequireProgressBy.Before(first) {
			first = group.RequireProgressBy
		}
	}
	return first
}

// waits tells whether canaries of a group have yet to be promoted.
func waits(group *api.DeploymentState) bool { return group.DesiredCanaries > 0 && !group.Promoted }

// promotable tells whether all that wait are to be promoted without being asked for.
func (p *progress) promotable() bool {
	waiting := false
	for name, group := range p.deployment.TaskGroups {
		if !waits(group) {
			continue
		}
		waiting = true
		spec := p.job.LookupTaskGroup(name)
		automatic := spec != nil && spec.Update != nil && spec.Update.AutoPromote != nil && *spec.Update.AutoPromote
		if !automatic || p.canaries[name] < group.DesiredCanaries {
			return false
		}
	}
	return waiting
}
