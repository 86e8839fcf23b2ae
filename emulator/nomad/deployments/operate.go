package deployments

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// RefusedError says why what an operator asks for is not done, in the words of
// the real servers.
type RefusedError string

func (e RefusedError) Error() string { return string(e) }

// Promote makes the canaries of groups, of all when none is named, instances
// like the others. The error is a RefusedError when some are not healthy.
func Promote(tx *state.Tx, d *api.Deployment, groups []string) (*api.Evaluation, error) {
	if !state.DeploymentActive(d) {
		return nil, RefusedError("can't promote terminal deployment")
	}
	chosen := func(name string) bool { return groups == nil || slices.Contains(groups, name) }
	if unhealthy := unhealthyCanaries(tx, d, chosen); len(unhealthy) > 0 {
		return nil, RefusedError(several(unhealthy))
	}
	promote(tx, d, chosen)
	return evaluate(tx, d), nil
}

// unhealthyCanaries says which of the groups have too few healthy canaries.
func unhealthyCanaries(tx *state.Tx, d *api.Deployment, chosen func(string) bool) (lines []string) {
	healthy := map[string]int{}
	for a := range tx.AllocationsOfDeployment(d.ID) {
		status := a.DeploymentStatus
		if status != nil && status.Canary && status.Healthy != nil && *status.Healthy && !a.Terminal() {
			healthy[a.TaskGroup]++
		}
	}
	for name, group := range d.TaskGroups {
		if chosen(name) && waits(group) && healthy[name] < group.DesiredCanaries {
			lines = append(lines, fmt.Sprintf("Task group %q has %d/%d healthy allocations", name, healthy[name], group.DesiredCanaries))
		}
	}
	slices.Sort(lines)
	return lines
}

// several is a list of errors as the real servers write it.
func several(lines []string) string {
	noun := "errors"
	if len(lines) == 1 {
		noun = "error"
	}
	return fmt.Sprintf("%d %s occurred:\n\t* %s\n\n", len(lines), noun, strings.Join(lines, "\n\t* "))
}

// Pause stops a deployment from going on, or has it go on again, which the
// evaluation is for. The error is a RefusedError.
func Pause(tx *state.Tx, d *api.Deployment, pause bool) (*api.Evaluation, error) {
	if !state.DeploymentActive(d) {
		if pause {
			return nil, RefusedError("can't pause terminal deployment")
		}
		return nil, RefusedError("can't resume terminal deployment")
	}
	status := scheduler.DeploymentStatus{Deployment: d.ID, Status: api.DeploymentStatusPaused, Description: "Deployment is paused"}
	if !pause {
		status.Status, status.Description = api.DeploymentStatusRunning, scheduler.DeploymentRunning
	}
	scheduler.SetDeploymentStatus(tx, status)
	if pause {
		return nil, nil
	}
	return evaluate(tx, d), nil
}

// Fail ends a deployment as failed. The job goes back to the version reverted,
// when there is one. The error is a RefusedError.
func Fail(tx *state.Tx, d *api.Deployment) (e *api.Evaluation, reverted *uint64, err error) {
	if !state.DeploymentActive(d) {
		return nil, nil, RefusedError("can't fail terminal deployment")
	}
	e, reverted = failNow(tx, d, descriptionByUser)
	return e, reverted, nil
}

func failNow(tx *state.Tx, d *api.Deployment, cause string) (*api.Evaluation, *uint64) {
	x := &Decision{Deployment: d}
	x.fail(&tx.View, cause)
	e := x.Apply(tx)
	if x.Revert == nil {
		return e, nil
	}
	return e, x.Revert.Version
}

// Health is what an operator says of allocations of a deployment.
type Health struct {
	Healthy, Unhealthy []string // IDs
}

// SetHealth says of allocations whether they are healthy. An unhealthy one has
// the deployment fail, and the job go back to the version reverted, when there
// is one. The error is a RefusedError.
func SetHealth(tx *state.Tx, d *api.Deployment, h Health) (e *api.Evaluation, reverted *uint64, err error) {
	if !state.DeploymentActive(d) {
		return nil, nil, RefusedError("can't set health of allocations for a terminal deployment")
	}
	all := slices.Concat(h.Healthy, h.Unhealthy)
	if len(all) == 0 {
		return nil, nil, RefusedError("must specify at least one healthy/unhealthy allocation ID")
	}
	for _, id := range all {
		switch a := tx.Allocation(id); {
		case a == nil:
			return nil, nil, RefusedError(fmt.Sprintf("unknown alloc %q", id))
		case a.DeploymentID != d.ID:
			return nil, nil, RefusedError(fmt.Sprintf("alloc %q is not part of deployment %q", id, d.ID))
		}
	}
	for _, id := range all {
		setHealth(tx, tx.Allocation(id), slices.Contains(h.Healthy, id), tx.Now())
	}
	d = tx.Deployment(d.ID)
	if len(h.Unhealthy) == 0 {
		return evaluate(tx, d), nil, nil
	}
	e, reverted = failNow(tx, d, descriptionUnhealthy)
	return e, reverted, nil
}

func setHealth(tx *state.Tx, a *state.Allocation, healthy bool, now time.Time) {
	next, status := *a, api.AllocDeploymentStatus{}
	if a.DeploymentStatus != nil {
		status = *a.DeploymentStatus
	}
	status.Healthy, status.Timestamp, status.ModifyIndex = &healthy, now, tx.ChangeIndex()
	next.DeploymentStatus = &status
	tx.UpsertAllocation(&next)
}
