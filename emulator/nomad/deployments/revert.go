package deployments

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// Why a deployment has failed, in the words of the real servers.
const (
	descriptionUnhealthy = "Failed due to unhealthy allocations"
	descriptionDeadline  = "Failed due to progress deadline"
	descriptionByUser    = "Deployment marked as failed"
)

// fail has the deployment fail, and the job go back to its latest stable
// version if a group says so.
func (x *Decision) fail(view *state.View, cause string) {
	x.Failed, x.Evaluate, x.Due = cause, true, time.Time{}
	if !reverts(x.Deployment) {
		return
	}
	now, stable := view.Job(x.Deployment.Namespace, x.Deployment.JobID), stableVersion(view, x.Deployment)
	switch {
	case stable == nil:
		x.Failed += " - no stable job version to auto revert to"
	case now == nil || !jobs.SpecChanged(now, stable):
		x.Failed += fmt.Sprintf(" - not rolling back to stable job version %d as current job has same specification", *stable.Version)
	default:
		x.Failed += fmt.Sprintf(" - rolling back to job version %d", *stable.Version)
		x.Revert = stable
	}
}

func reverts(d *api.Deployment) bool {
	for _, group := range d.TaskGroups {
		if group.AutoRevert {
			return true
		}
	}
	return false
}

// stableVersion is the latest stable version of the job but the one that is
// deployed; nil when there is none.
func stableVersion(view *state.View, d *api.Deployment) (stable *api.Job) {
	for _, version := range view.JobVersions(d.Namespace, d.JobID) {
		if *version.Version < d.JobVersion && *version.CreateIndex == d.JobCreateIndex && version.Stable != nil && *version.Stable {
			stable = version
		}
	}
	return stable
}
