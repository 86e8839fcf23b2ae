package scheduler_test

import (
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
)

func TestBatchWorkIsDoneOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(newJob(api.JobTypeBatch, 2))
	for _, a := range w.wanted() {
		w.end(a, api.AllocClientStatusComplete)
	}
	w.evaluate(scheduler.TriggerJobRegister)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2}, w.desired())

	w.register(newJob(api.JobTypeBatch, 3))
	assert.Equal(t, api.DesiredUpdates{Ignore: 2, Place: 3}, w.desired(), "another version is other work")
	assert.Equal(t, []string{"[0] v0 complete", "[0] v1 pending", "[1] v0 complete", "[1] v1 pending", "[2] v1 pending"}, w.names())
	for _, a := range w.allocations() {
		assert.Empty(t, a.PreviousAllocation)
		assert.Empty(t, a.DeploymentID)
	}
}

func TestBatchWorkThatRunsIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(newJob(api.JobTypeBatch, 2))
	w.run()
	w.register(newJob(api.JobTypeBatch, 2, env("2")))
	assert.Equal(t, api.DesiredUpdates{DestructiveUpdate: 2}, w.desired())
}

func TestBatchWorkOnALostNodeIsDoneAgainUnlessItWasDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(newJob(api.JobTypeBatch, 2, spread))
	done, running := w.wanted()[0], w.wanted()[1]
	w.end(done, api.AllocClientStatusComplete)
	w.node(0, down)
	w.node(1, down)
	w.node(2, down)
	w.addNode(3)
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, Place: 1, Stop: 1}, w.desired())
	assert.Equal(t, api.AllocDesiredStatusRun, w.store.View().Allocation(done.ID).DesiredStatus)
	assert.Equal(t, api.AllocClientStatusLost, w.store.View().Allocation(running.ID).ClientStatus)
}
