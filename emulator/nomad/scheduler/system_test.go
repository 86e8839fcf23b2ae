package scheduler_test

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// system is a job of type system or sysbatch.
func system(kind string, changes ...func(*api.Job)) *api.Job { return newJob(kind, 1, changes...) }

func TestSystemJobsRunOncePerNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {})))
	assert.Equal(t, []string{"[0] v0 running", "[0] v0 running", "[0] v0 running"}, w.names())
	assert.Equal(t, 3, w.deployment().TaskGroups["g"].DesiredTotal)

	w.addNode(3)
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Len(t, w.wanted(), 4)
	assert.Equal(t, nodeID(3), w.at(3).NodeID)

	w.node(0, down)
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Len(t, w.wanted(), 3)
	assert.Zero(t, w.desired().Stop)

	w.node(0, ready)
	w.evaluate(scheduler.TriggerNodeUpdate)
	require.Len(t, w.wanted(), 4)
	assert.NotEmpty(t, w.at(0).PreviousAllocation)
}

func TestSystemJobsLeaveDrainingNodesAndThoseThatDoNotFit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {})))
	w.node(0, drain)
	w.migrate(w.at(0))
	w.evaluate(scheduler.TriggerNodeDrain)
	assert.Equal(t, uint64(1), w.desired().Migrate)
	assert.Len(t, w.wanted(), 2)
	for _, a := range w.allocations() {
		if a.ServerTerminal() {
			assert.Equal(t, "alloc not needed as node is tainted", a.DesiredDescription)
		}
	}

	w.register(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {}), func(j *api.Job) {
		j.Constraints = []*api.Constraint{{LTarget: "${meta.rack}", RTarget: "r1", Operand: "="}}
	}))
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Len(t, w.wanted(), 1)
	assert.Equal(t, nodeID(1), w.wanted()[0].NodeID)
}

func TestSystemJobsRollOverTheNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {})))
	w.register(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {}), env("2")))
	assert.Equal(t, []string{"[0] v0 running", "[0] v0 running", "[0] v1 pending"}, w.names())
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, []string{"[0] v0 running", "[0] v0 running", "[0] v1 pending"}, w.names(), "none before the first is healthy")
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, []string{"[0] v0 running", "[0] v1 pending", "[0] v1 running"}, w.names())
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, scheduler.DeploymentSuccessful, w.deployment().StatusDescription)
}

func TestCanariesOfSystemJobsAreAPercentageOfTheNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	half := updates(func(u *api.UpdateStrategy) { u.Canary, u.MaxParallel = new(50), new(4) })
	w.settle(system(api.JobTypeSystem, half))
	w.register(system(api.JobTypeSystem, half, env("2")))
	assert.Equal(t, 2, w.deployment().TaskGroups["g"].DesiredCanaries)
	assert.Equal(t, []string{"[0] v0 running", "[0] v0 running", "[0] v1 pending", "[0] v1 pending"}, w.names())
	assert.Equal(t, scheduler.DeploymentManual, w.deployment().StatusDescription)
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Len(t, w.deployment().TaskGroups["g"].PlacedCanaries, 2)
	w.promote()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, []string{"[0] v1 pending", "[0] v1 pending", "[0] v1 running", "[0] v1 running"}, w.names())
	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DeploymentStatusSuccessful, w.deployment().Status)
}

func TestSysbatchWorkIsDoneOncePerNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.register(system(api.JobTypeSysbatch))
	assert.Equal(t, api.DesiredUpdates{Place: 2}, w.desired())
	w.end(w.at(0), api.AllocClientStatusComplete)
	w.end(w.at(1), api.AllocClientStatusFailed)
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2}, w.desired())
	w.register(system(api.JobTypeSysbatch, env("2")))
	assert.Equal(t, api.DesiredUpdates{DestructiveUpdate: 2}, w.desired())
	assert.Equal(t, []string{"[0] v1 pending", "[0] v1 pending"}, w.names())

	w.end(w.at(0), api.AllocClientStatusComplete)
	w.write(func(tx *state.Tx) { tx.Delete(state.TableNodes, tx.Node(nodeID(0))) })
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2}, w.desired(), "also when the node is gone")
}

func TestSystemInstancesThatHaveEndedBeginAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.settle(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {})))
	failed := w.at(0)
	w.end(failed, api.AllocClientStatusFailed)
	w.evaluate(scheduler.TriggerJobRegister)
	assert.Equal(t, failed.ID, w.last.Placements[0].PreviousAllocation)
}

func TestSystemInstancesOutOfSightAreKeptForATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.settle(system(api.JobTypeSystem, updates(func(*api.UpdateStrategy) {}), disconnect(func(*api.DisconnectStrategy) {})))
	w.node(0, disconnected)
	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Equal(t, api.AllocClientStatusUnknown, w.at(0).ClientStatus)
	w.now = w.now.Add(time.Minute)
	w.due()
	assert.Len(t, w.wanted(), 1)
}

func TestSystemJobsThatNoNodeCanRunSayWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.register(system(api.JobTypeSystem, func(j *api.Job) {
		j.Constraints = []*api.Constraint{{LTarget: "${meta.rack}", RTarget: "none", Operand: "="}}
	}))
	metrics := w.last.Evaluation.FailedTGAllocs["g"]
	require.NotNil(t, metrics)
	assert.Equal(t, 2, metrics.NodesFiltered)
	assert.Empty(t, w.last.Evaluations)
}
