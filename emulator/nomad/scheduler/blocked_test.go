package scheduler_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// wide takes more than half of a node.
func wide(j *api.Job) { j.TaskGroups[0].Tasks[0].Resources.CPU = new(2500) }

func TestWhatHasNoPlaceWaitsInABlockedEvaluation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	w.register(service(4, wide))
	first := w.last
	assert.Len(t, w.wanted(), 2)
	assert.Equal(t, map[string]int{"g": 2}, first.Evaluation.QueuedAllocations)
	assert.Equal(t, 1, first.Evaluation.FailedTGAllocs["g"].CoalescedFailures)
	require.Len(t, first.Evaluations, 1)
	blocked := first.Evaluations[0]
	assert.Equal(t, blocked.ID, first.Evaluation.BlockedEval)
	assert.Equal(t, []string{"blocked", "queued-allocs", "created to place remaining allocations", first.Evaluation.ID},
		[]string{blocked.Status, blocked.TriggeredBy, blocked.StatusDescription, blocked.PreviousEval})
	assert.NotEmpty(t, blocked.ClassEligibility)

	w.run()
	w.evaluate(scheduler.TriggerDeployment)
	old := w.store.View().Evaluation(blocked.ID)
	assert.Equal(t, []string{"canceled", `existing blocked evaluation exists for job "web"`}, []string{old.Status, old.StatusDescription})

	w.addNode(2)
	again := w.last.Evaluations[0]
	w.process(again)
	assert.Equal(t, api.EvalStatusBlocked, w.store.View().Evaluation(again.ID).Status, "one is still missing")
	assert.Len(t, w.wanted(), 3)

	w.addNode(3)
	w.process(again)
	assert.Equal(t, api.EvalStatusComplete, w.store.View().Evaluation(again.ID).Status)
	assert.Len(t, w.wanted(), 4)
}

func TestBlockedEvaluationsEndWithTheNeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.register(service(2, wide))
	blocked := w.last.Evaluations[0].ID
	w.register(service(1, wide))
	old := w.store.View().Evaluation(blocked)
	assert.Equal(t, []string{"canceled", fmt.Sprintf("evaluation %q successful", w.last.Evaluation.ID)}, []string{old.Status, old.StatusDescription})
}

func TestUpdatesThatFindNoPlaceLeaveWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.settle(service(1))
	w.register(service(1, func(j *api.Job) { j.TaskGroups[0].Tasks[0].Resources.CPU = new(5000) }))
	assert.Equal(t, []string{"[0] v0 running"}, w.names())
	assert.Equal(t, map[string]int{"g": 1}, w.last.Evaluation.QueuedAllocations)
}

func TestNodesThatAreNotThereAnyMoreAreRejected(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.settle(service(1))
	w.write(func(tx *state.Tx) { tx.UpsertJob(service(1, env("2")), true) })
	e := w.evaluation(scheduler.TriggerJobRegister)
	plan, err := scheduler.Process(w.store.View(), e, w.options())
	require.NoError(t, err)
	w.node(0, func(n *state.Node) { n.SchedulingEligibility = api.NodeSchedulingIneligible })
	w.write(func(tx *state.Tx) { assert.Equal(t, []string{nodeID(0)}, plan.Apply(tx)) })
	assert.Equal(t, []string{"[0] v0 running"}, w.names(), "what would have been replaced goes on")
	assert.Equal(t, api.EvalStatusPending, w.store.View().Evaluation(e.ID).Status)

	w.write(func(tx *state.Tx) { scheduler.GiveUp(tx, e, 5) })
	failed := w.store.View().Evaluation(e.ID)
	assert.Equal(t, []string{"failed", "maximum attempts reached (5)"}, []string{failed.Status, failed.StatusDescription})
	again := w.store.View().Evaluation(failed.BlockedEval)
	assert.Equal(t, []string{"blocked", "max-plan-attempts", e.ID}, []string{again.Status, again.TriggeredBy, again.PreviousEval})

	w.node(0, func(n *state.Node) { n.SchedulingEligibility = api.NodeSchedulingEligible })
	w.process(again)
	assert.Equal(t, []string{"[0] v1 pending"}, w.names())
}

func TestTheImportantEvictTheUnimportant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.write(func(tx *state.Tx) {
		c := *tx.SchedulerConfiguration()
		c.PreemptionConfig.ServiceSchedulerEnabled = true
		tx.UpsertSchedulerConfiguration(&c)
	})
	w.settle(service(1, wide, func(j *api.Job) { j.Priority = new(20) }))
	victim := w.wanted()[0]
	important := service(1, wide, func(j *api.Job) { j.ID, j.Name, j.Priority = new("hi"), new("hi"), new(80) })
	w.write(func(tx *state.Tx) { tx.UpsertJob(important, true) })
	e := w.evaluation(scheduler.TriggerJobRegister)
	e.JobID = "hi"
	w.process(e)
	assert.Equal(t, api.DesiredUpdates{Place: 1, Preemptions: 1}, w.desired())
	evicted := w.store.View().Allocation(victim.ID)
	placed := w.last.Placements[0]
	assert.Equal(t, []string{"evict", "Preempted by alloc ID " + placed.ID, placed.ID},
		[]string{evicted.DesiredStatus, evicted.DesiredDescription, evicted.PreemptedByAllocation})
	assert.Equal(t, []string{victim.ID}, placed.PreemptedAllocations)
	assert.Len(t, w.last.Evaluation.PlanAnnotations.PreemptedAllocs, 1)
	require.Len(t, w.last.Evaluations, 1)
	assert.Equal(t, []string{"preemption", "web"}, []string{w.last.Evaluations[0].TriggeredBy, w.last.Evaluations[0].JobID})
}

func TestPreviewsChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(3))
	before := w.store.View().LastIndex()
	job := service(4, env("2"))
	job.Version, job.CreateIndex, job.ModifyIndex, job.JobModifyIndex = new(uint64(1)), w.job().CreateIndex, new(before+1), new(before+1)
	plan, err := scheduler.Preview(w.store.View(), job, w.options())
	require.NoError(t, err)
	assert.Equal(t, &api.DesiredUpdates{Place: 1, Ignore: 3}, plan.DesiredUpdates()["g"], "the new one takes the turn")
	assert.Equal(t, before, w.store.View().LastIndex())

	plan, err = scheduler.Preview(w.store.View(), w.job(), w.options())
	require.NoError(t, err)
	assert.Equal(t, &api.DesiredUpdates{Ignore: 3}, plan.DesiredUpdates()["g"])
}
