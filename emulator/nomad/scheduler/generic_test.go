package scheduler_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestServiceIsPlacedAndItsDeploymentEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(service(3))

	assert.Equal(t, api.DesiredUpdates{Place: 3}, w.desired())
	assert.Equal(t, []string{"[0] v0 pending", "[1] v0 pending", "[2] v0 pending"}, w.names())
	assert.Equal(t, scheduler.DeploymentRunning, w.deployment().StatusDescription)
	assert.Equal(t, 3, w.deployment().TaskGroups["g"].PlacedAllocs)
	assert.Equal(t, map[string]int{"g": 0}, w.last.Evaluation.QueuedAllocations)
	assert.Equal(t, w.deployment().ID, w.last.Evaluation.DeploymentID)

	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 3}, w.desired())
	assert.Equal(t, api.DeploymentStatusSuccessful, w.deployment().Status)
	assert.Equal(t, scheduler.DeploymentSuccessful, w.deployment().StatusDescription)
	assert.True(t, *w.job().Stable)
}

func TestCountsGrowAndShrinkFromTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(5))
	w.register(service(3))
	assert.Equal(t, api.DesiredUpdates{InPlaceUpdate: 3, Stop: 2}, w.desired())
	assert.Equal(t, []string{"[0] v1 running", "[1] v1 running", "[2] v1 running"}, w.names())
	for _, a := range w.allocations() {
		if a.ServerTerminal() {
			assert.Equal(t, "alloc not needed due to job update", a.DesiredDescription)
		}
	}

	w.register(service(4))
	assert.Equal(t, api.DesiredUpdates{InPlaceUpdate: 3, Place: 1}, w.desired())
	assert.Equal(t, []string{"[0] v2 running", "[1] v2 running", "[2] v2 running", "[3] v2 pending"}, w.names())
	old := w.store.View().Deployments()
	for d := range old {
		if d.JobVersion == 1 {
			assert.Equal(t, scheduler.DeploymentNewerVersion, d.StatusDescription)
		}
	}
}

func TestInPlaceUpdatesKeepAllocationsAndJoinTheDeployment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2))
	before := w.wanted()
	w.register(service(2, func(j *api.Job) { j.Priority = new(70) }))
	assert.Equal(t, api.DesiredUpdates{InPlaceUpdate: 2}, w.desired())
	for i, a := range w.wanted() {
		assert.Equal(t, before[i].ID, a.ID)
		assert.Equal(t, before[i].NodeID, a.NodeID)
		assert.Equal(t, 70, *a.Job.Priority)
		assert.Equal(t, w.deployment().ID, a.DeploymentID)
		assert.Nil(t, a.DeploymentStatus, "its health is to be found out anew")
	}
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DeploymentStatusSuccessful, w.deployment().Status)
}

func TestUpdatesRollAsInstancesBecomeHealthy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(3))
	w.register(service(3, env("2")))
	assert.Equal(t, api.DesiredUpdates{DestructiveUpdate: 1, Ignore: 2}, w.desired())
	assert.Equal(t, []string{"[0] v1 pending", "[1] v0 running", "[2] v0 running"}, w.names())

	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 3}, w.desired(), "none before the first is healthy")

	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, []string{"[0] v1 running", "[1] v1 pending", "[2] v0 running"}, w.names())
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DeploymentStatusSuccessful, w.deployment().Status)

	for _, a := range w.allocations() {
		if *a.Job.Version == 0 {
			assert.Equal(t, "alloc is being updated due to job update", a.DesiredDescription)
			next := w.store.View().Allocation(a.NextAllocation)
			require.NotNil(t, next)
			assert.Equal(t, a.ID, next.PreviousAllocation)
			assert.Equal(t, a.Name, next.Name)
		}
	}
}

func TestUpdatesWaitWhileOneIsUnhealthyOrTheDeploymentIsPausedOrFailed(t *testing.T) {
	t.Parallel()
	for _, status := range []string{"", api.DeploymentStatusPaused, api.DeploymentStatusFailed} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			w.settle(service(3))
			w.register(service(3, env("2")))
			w.run()
			if status == "" {
				w.healthy(w.wanted()[0], false)
			} else {
				w.setDeployment(status)
			}
			w.evaluate(scheduler.TriggerDeployment)
			assert.Equal(t, api.DesiredUpdates{Ignore: 3}, w.desired())

			w.migrate(w.wanted()[2])
			w.evaluate(scheduler.TriggerAllocationStop)
			assert.Equal(t, api.DesiredUpdates{Ignore: 2, Migrate: 1}, w.desired(), "what leaves is replaced all the same")
			assert.Equal(t, []string{"[0] v1 running", "[1] v0 running", "[2] v1 pending"}, w.names())
			placed := w.wanted()[2]
			if status == api.DeploymentStatusFailed {
				assert.Empty(t, placed.DeploymentID)
			} else {
				assert.Equal(t, w.deployment().ID, placed.DeploymentID)
			}
		})
	}
}

func TestStoppedAndPurgedJobsKeepNothing(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*state.Tx, *api.Job){
		"stopped": func(tx *state.Tx, j *api.Job) { tx.UpdateJob(j, func(j *api.Job) { j.Stop = new(true) }) },
		"purged":  func(tx *state.Tx, j *api.Job) { tx.DeleteJob(j) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 3)
			w.register(service(3))
			w.run()
			w.write(func(tx *state.Tx) { stop(tx, w.job()) })
			w.evaluate(scheduler.TriggerJobDeregister)
			assert.Equal(t, api.DesiredUpdates{Stop: 3}, w.desired())
			assert.Empty(t, w.wanted())
			assert.Equal(t, api.DeploymentStatusCancelled, w.deployment().Status)
			assert.Equal(t, scheduler.DeploymentJobStopped, w.deployment().StatusDescription)
			assert.Empty(t, w.last.Evaluation.FailedTGAllocs)
		})
	}
}

func TestGroupsThatAreGoneAreStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	second := func(j *api.Job) {
		other := *j.TaskGroups[0]
		other.Name = new("h")
		j.TaskGroups = append(j.TaskGroups, &other)
	}
	w.settle(service(2, second))
	assert.Len(t, w.wanted(), 4)
	w.register(service(2))
	assert.Equal(t, api.DesiredUpdates{Stop: 2}, *w.last.DesiredUpdates()["h"])
	assert.Len(t, w.wanted(), 2)
}

func TestJobsWithoutUpdatesChangeAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(service(3, updates(func(u *api.UpdateStrategy) { u.MaxParallel = new(0) })))
	w.run()
	assert.Nil(t, w.deployment())
	w.register(service(3, env("2"), updates(func(u *api.UpdateStrategy) { u.MaxParallel = new(0) })))
	assert.Equal(t, api.DesiredUpdates{DestructiveUpdate: 3}, w.desired())
	assert.Nil(t, w.deployment())
}

func TestTheRestIsFoundAtTheSameVersionOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2))
	d := w.deployment()
	w.node(0, down)
	w.node(1, down)
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, d.ID, w.deployment().ID, "replacing what is lost is not a deployment")
	for _, a := range w.wanted() {
		assert.Equal(t, nodeID(2), a.NodeID)
	}
}
