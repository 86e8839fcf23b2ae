package deployments_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/deployments"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// region is a state with the deployment of the second version of a job, whose
// first was stable.
type region struct {
	t     *testing.T
	store *state.Store
	now   time.Time
}

// options are what a deployment and its job are like.
type options struct {
	canaries             int
	autoPromote, revert  bool
	unstable, sameSpec   bool
	noDeadline, attempts bool
}

func newRegion(t *testing.T, o options) *region {
	store, err := state.New()
	require.NoError(t, err)
	require.NoError(t, store.Seed())
	r := &region{t: t, store: store, now: time.Now()}
	r.write(func(tx *state.Tx) {
		first := newJob(o, "1")
		tx.UpsertJob(first, true)
		tx.UpdateJobVersion(tx.JobVersion("default", "web", 0), func(j *api.Job) { j.Stable = new(!o.unstable) })
	})
	r.write(func(tx *state.Tx) {
		value := "2"
		if o.sameSpec {
			value = "1"
		}
		tx.UpsertJob(newJob(o, value), true)
		job := tx.Job("default", "web")
		deadline := time.Minute
		if o.noDeadline {
			deadline = 0
		}
		tx.UpsertDeployment(&api.Deployment{
			ID: "d", Namespace: "default", JobID: "web", JobVersion: 1, JobCreateIndex: *job.CreateIndex,
			Status: api.DeploymentStatusRunning, StatusDescription: scheduler.DeploymentRunning,
			TaskGroups: map[string]*api.DeploymentState{"g": {
				DesiredTotal: 3, DesiredCanaries: o.canaries, AutoRevert: o.revert, ProgressDeadline: deadline,
			}},
		})
	})
	return r
}

func newJob(o options, value string) *api.Job {
	task := api.NewTask("t", "mock_driver")
	task.Env = map[string]string{"V": value}
	group := api.NewTaskGroup("g", 3).AddTask(task)
	group.Update = &api.UpdateStrategy{Canary: &o.canaries, AutoPromote: &o.autoPromote, AutoRevert: &o.revert}
	if o.attempts {
		group.ReschedulePolicy = &api.ReschedulePolicy{Unlimited: new(true)}
	} else {
		group.ReschedulePolicy = &api.ReschedulePolicy{Unlimited: new(false), Attempts: new(0)}
	}
	job := api.NewServiceJob("web", "web", "global", 50).AddTaskGroup(group)
	jobs.Canonicalize(job)
	return job
}

func (r *region) write(change func(*state.Tx)) {
	require.NoError(r.t, r.store.Write(func(tx *state.Tx) error { change(tx); return nil }))
}

// place places an allocation of the deployment.
func (r *region) place(number int, canary bool) {
	r.write(func(tx *state.Tx) {
		a := &state.Allocation{Allocation: api.Allocation{
			ID: fmt.Sprint("a", number), Namespace: "default", JobID: "web", Job: tx.Job("default", "web"), TaskGroup: "g",
			Name: fmt.Sprintf("web.g[%d]", number), DeploymentID: "d",
			DesiredStatus: api.AllocDesiredStatusRun, ClientStatus: api.AllocClientStatusRunning,
		}}
		if canary {
			a.DeploymentStatus = &api.AllocDeploymentStatus{Canary: true}
		}
		tx.UpsertAllocation(a)
	})
}

// report has the node of an allocation say whether it is healthy.
func (r *region) report(number int, healthy bool) {
	r.write(func(tx *state.Tx) {
		tx.UpdateAllocation(tx.Allocation(fmt.Sprint("a", number)), func(a *state.Allocation) {
			status := api.AllocDeploymentStatus{}
			if a.DeploymentStatus != nil {
				status = *a.DeploymentStatus
			}
			status.Healthy, status.Timestamp, status.ModifyIndex = &healthy, r.now, tx.ChangeIndex()
			a.DeploymentStatus = &status
			if !healthy {
				a.ClientStatus = api.AllocClientStatusFailed
			}
		})
	})
}

func (r *region) deployment() *api.Deployment { return r.store.View().Deployment("d") }
func (r *region) group() *api.DeploymentState { return r.deployment().TaskGroups["g"] }

// decide decides, and carries that out.
func (r *region) decide() *deployments.Decision {
	x := deployments.Decide(r.store.View(), r.deployment(), r.now)
	r.write(func(tx *state.Tx) {
		require.Equal(r.t, x.Evaluate, x.Apply(tx) != nil)
	})
	return x
}
