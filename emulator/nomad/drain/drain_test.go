package drain_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/drain"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// region has two nodes, of which the first is drained.
type region struct {
	t     *testing.T
	store *state.Store
	now   time.Time
}

func newRegion(t *testing.T, spec api.DrainSpec) *region {
	store, err := state.New()
	require.NoError(t, err)
	require.NoError(t, store.Seed())
	r := &region{t: t, store: store, now: time.Now()}
	r.write(func(tx *state.Tx) {
		strategy := &api.DrainStrategy{DrainSpec: spec, StartedAt: r.now}
		if spec.Deadline > 0 {
			strategy.ForceDeadline = r.now.Add(spec.Deadline)
		}
		tx.UpsertNode(&state.Node{Node: api.Node{ID: "first", Status: api.NodeStatusReady, DrainStrategy: strategy,
			SchedulingEligibility: api.NodeSchedulingIneligible}})
		tx.UpsertNode(&state.Node{Node: api.Node{ID: "second", Status: api.NodeStatusReady, SchedulingEligibility: api.NodeSchedulingEligible}})
	})
	return r
}

func (r *region) write(change func(*state.Tx)) {
	require.NoError(r.t, r.store.Write(func(tx *state.Tx) error { change(tx); return nil }))
}

// run places so many healthy instances of a job on the first node, and others on the second.
func (r *region) run(kind string, parallel, first, second int) {
	group := api.NewTaskGroup("g", first+second).AddTask(api.NewTask("t", "mock_driver"))
	if kind == api.JobTypeService {
		group.Migrate = &api.MigrateStrategy{MaxParallel: &parallel}
	}
	job := &api.Job{ID: &kind, Name: &kind, Type: &kind, TaskGroups: []*api.TaskGroup{group}}
	jobs.Canonicalize(job)
	r.write(func(tx *state.Tx) {
		tx.UpsertJob(job, true)
		for i := range first + second {
			node := "first"
			if i >= first {
				node = "second"
			}
			r.put(tx, fmt.Sprint(kind, i), node, tx.Job("default", kind))
		}
	})
}

func (r *region) put(tx *state.Tx, id, node string, job *api.Job) {
	tx.UpsertAllocation(&state.Allocation{Allocation: api.Allocation{
		ID: id, Namespace: "default", JobID: *job.ID, Job: job, TaskGroup: "g", Name: id, NodeID: node,
		DesiredStatus: api.AllocDesiredStatusRun, ClientStatus: api.AllocClientStatusRunning,
		DeploymentStatus: &api.AllocDeploymentStatus{Healthy: new(true)},
	}})
}

// decide decides, carries that out, and tells which allocations are to leave.
func (r *region) decide() (leave []string, x *drain.Decision) {
	x = drain.Decide(r.store.View(), r.node(), r.now)
	r.write(func(tx *state.Tx) {
		evaluations := x.Apply(tx)
		assert.Equal(r.t, len(x.Leave) > 0, len(evaluations) > 0)
		for _, e := range evaluations {
			assert.Equal(r.t, "node-drain", e.TriggeredBy)
		}
	})
	for _, a := range x.Leave {
		leave = append(leave, a.ID)
		assert.True(r.t, r.store.View().Allocation(a.ID).DesiredTransition.ShouldMigrate())
	}
	return leave, x
}

func (r *region) node() *state.Node { return r.store.View().Node("first") }

// end ends allocations as if they had stopped on their node.
func (r *region) end(ids ...string) {
	r.write(func(tx *state.Tx) {
		for _, id := range ids {
			tx.UpdateAllocation(tx.Allocation(id), func(a *state.Allocation) {
				a.DesiredStatus, a.ClientStatus = api.AllocDesiredStatusStop, api.AllocClientStatusComplete
			})
		}
	})
}

func TestServicesLeaveAsOthersBecomeHealthy(t *testing.T) {
	t.Parallel()
	r := newRegion(t, api.DrainSpec{Deadline: time.Hour})
	r.run(api.JobTypeService, 2, 3, 1)
	leave, x := r.decide()
	assert.Equal(t, []string{"service0", "service1"}, leave)
	assert.Equal(t, r.now.Add(time.Hour), x.Due)
	leave, _ = r.decide()
	assert.Empty(t, leave)

	r.end("service0", "service1")
	r.write(func(tx *state.Tx) { r.put(tx, "service4", "second", tx.Job("default", "service")) })
	leave, _ = r.decide()
	assert.Equal(t, []string{"service2"}, leave, "one of the two is back")
	r.end("service2")
	_, x = r.decide()
	assert.True(t, x.Complete)

	node := r.node()
	assert.Nil(t, node.DrainStrategy)
	assert.Equal(t, api.NodeSchedulingIneligible, node.SchedulingEligibility)
	assert.Equal(t, api.DrainStatusComplete, node.LastDrain.Status)
	assert.Equal(t, "Node drain complete", node.Events[0].Message)
	assert.Empty(t, node.Events[0].Details)
	_, x = r.decide()
	assert.True(t, x.Empty())
}

func TestBatchWorkIsWaitedForUntilTheDeadline(t *testing.T) {
	t.Parallel()
	r := newRegion(t, api.DrainSpec{Deadline: time.Hour})
	r.run(api.JobTypeBatch, 1, 2, 0)
	leave, x := r.decide()
	assert.Empty(t, leave)
	assert.False(t, x.Complete)
	r.end("batch0")
	r.now = r.now.Add(time.Hour)
	leave, x = r.decide()
	assert.Equal(t, []string{"batch1"}, leave)
	assert.True(t, x.Complete)
	assert.True(t, r.store.View().Allocation("batch1").DesiredTransition.ShouldDisableMigrationPlacement())
	assert.Equal(t, map[string]string{"deadline_reached": "true"}, r.node().Events[0].Details)
}

func TestSystemJobsLeaveLastOrStay(t *testing.T) {
	t.Parallel()
	for name, stay := range map[string]bool{"leave": false, "stay": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, api.DrainSpec{IgnoreSystemJobs: stay})
			r.run(api.JobTypeSystem, 1, 1, 1)
			r.run(api.JobTypeService, 1, 1, 1)
			leave, x := r.decide()
			assert.Equal(t, []string{"service0"}, leave)
			assert.Zero(t, x.Due)
			r.end("service0")
			leave, x = r.decide()
			assert.Equal(t, stay, x.Complete)
			if stay {
				assert.Empty(t, leave)
				return
			}
			assert.Equal(t, []string{"system0"}, leave)
			r.end("system0")
			_, x = r.decide()
			assert.True(t, x.Complete)
		})
	}
}

func TestAForcedDrainIsOverAtOnce(t *testing.T) {
	t.Parallel()
	r := newRegion(t, api.DrainSpec{Deadline: -1})
	r.run(api.JobTypeSystem, 1, 1, 0)
	r.run(api.JobTypeService, 1, 3, 0)
	leave, x := r.decide()
	assert.ElementsMatch(t, []string{"system0", "service0", "service1", "service2"}, leave)
	assert.True(t, x.Complete)
}

func TestJobsThatAreStoppedDoNotMigrate(t *testing.T) {
	t.Parallel()
	r := newRegion(t, api.DrainSpec{})
	r.run(api.JobTypeService, 1, 1, 0)
	r.write(func(tx *state.Tx) {
		tx.UpdateJob(tx.Job("default", "service"), func(j *api.Job) { j.Stop = new(true) })
	})
	leave, x := r.decide()
	assert.Empty(t, leave)
	assert.False(t, x.Complete, "it has yet to end")
}
