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

func reschedule(p api.ReschedulePolicy) func(*api.Job) {
	return func(j *api.Job) { j.TaskGroups[0].ReschedulePolicy = &p }
}

func constant(delay time.Duration) api.ReschedulePolicy {
	return api.ReschedulePolicy{Delay: &delay, DelayFunction: new("constant"), MaxDelay: new(time.Hour), Unlimited: new(true), Attempts: new(0), Interval: new(time.Duration(0))}
}

func TestFailedAllocationsAreReplacedAfterTheirDelay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(1, reschedule(constant(5*time.Second))))
	failed := w.wanted()[0]
	w.end(failed, api.AllocClientStatusFailed)
	w.evaluate(scheduler.TriggerAllocationFailure)
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, RescheduleLater: 1}, w.desired())
	require.Len(t, w.last.Evaluations, 1)
	next := w.last.Evaluations[0]
	assert.Equal(t, w.now.Add(5*time.Second), next.WaitUntil)
	assert.Equal(t, []string{"alloc-reschedule", "pending", "created for delayed rescheduling", w.last.Evaluation.ID},
		[]string{next.TriggeredBy, next.Status, next.StatusDescription, next.PreviousEval})

	w.evaluate(scheduler.TriggerNodeUpdate)
	assert.Empty(t, w.last.Evaluations, "it is waited for already")

	w.now = next.WaitUntil
	w.due()
	assert.Equal(t, api.DesiredUpdates{Place: 1, Stop: 1}, w.desired())
	old, successor := w.store.View().Allocation(failed.ID), w.wanted()[0]
	assert.Equal(t, successor.ID, old.NextAllocation)
	assert.Equal(t, api.AllocDesiredStatusStop, old.DesiredStatus)
	assert.Equal(t, old.Name, successor.Name)
	assert.NotEqual(t, old.NodeID, successor.NodeID)
	require.Len(t, successor.RescheduleTracker.Events, 1)
	assert.Equal(t, &api.RescheduleEvent{RescheduleTime: w.now.UnixNano(), PrevAllocID: old.ID, PrevNodeID: old.NodeID}, successor.RescheduleTracker.Events[0])
	assert.Empty(t, successor.DeploymentID, "the deployment is over")
}

func TestFailuresOfAboutTheSameTimeShareAnEvaluation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(3, reschedule(constant(30*time.Second))))
	for _, a := range w.wanted() {
		w.end(a, api.AllocClientStatusFailed)
		w.now = w.now.Add(4 * time.Second)
	}
	w.evaluate(scheduler.TriggerAllocationFailure)
	assert.Len(t, w.last.Evaluations, 2)
	assert.Equal(t, uint64(3), w.desired().RescheduleLater)
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.register(newJob(api.JobTypeBatch, 1, reschedule(api.ReschedulePolicy{
		Attempts: new(2), Interval: new(time.Hour), Delay: new(5 * time.Second), DelayFunction: new("constant"),
		MaxDelay: new(time.Duration(0)), Unlimited: new(false),
	})))
	for range 3 {
		w.run()
		w.end(w.wanted()[0], api.AllocClientStatusFailed)
		w.evaluate(scheduler.TriggerAllocationFailure)
		w.now = w.now.Add(5 * time.Second)
		w.due()
	}
	assert.Len(t, w.allocations(), 3)
	assert.Equal(t, []string{"[0] v0 failed"}, w.names())

	last := w.wanted()[0]
	w.update(last, func(a *state.Allocation) { a.DesiredTransition.ForceReschedule = new(true) })
	w.evaluate(scheduler.TriggerJobRegister)
	assert.Equal(t, []string{"[0] v0 pending"}, w.names(), "unless it is forced")
}

func TestDelaysGrowAndStartAnew(t *testing.T) {
	t.Parallel()
	second := time.Second
	for name, expected := range map[string][]time.Duration{
		"constant":    {5 * second, 5 * second, 5 * second, 5 * second, 5 * second, 5 * second},
		"exponential": {5 * second, 10 * second, 20 * second, 40 * second, 60 * second, 60 * second},
		"fibonacci":   {5 * second, 5 * second, 10 * second, 15 * second, 25 * second, 40 * second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := constant(5 * second)
			policy.DelayFunction, policy.MaxDelay = &name, new(60*second)
			w := newWorld(t, 3)
			w.settle(service(1, reschedule(policy)))
			fail := func() time.Duration {
				w.run()
				w.end(w.wanted()[0], api.AllocClientStatusFailed)
				at, may := scheduler.RescheduleAt(w.wanted()[0])
				require.True(t, may)
				w.evaluate(scheduler.TriggerAllocationFailure)
				delay := at.Sub(w.now)
				w.now = at
				w.due()
				return delay
			}
			for i, delay := range expected {
				assert.Equal(t, delay, fail(), "attempt %d", i)
			}
			w.now = w.now.Add(time.Hour)
			assert.Equal(t, 5*second, fail(), "after it has run for long")
		})
	}
}

func TestInADeploymentReplacingWaitsForItsWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	w.settle(service(2, reschedule(constant(5*time.Second))))
	w.register(service(2, reschedule(constant(5*time.Second)), env("2")))
	w.healthy(w.wanted()[0], false)
	w.end(w.wanted()[0], api.AllocClientStatusFailed)
	w.now = w.now.Add(time.Minute)
	w.evaluate(scheduler.TriggerAllocationFailure)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2}, w.desired())

	w.update(w.wanted()[0], func(a *state.Allocation) { a.DesiredTransition.Reschedule = new(true) })
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 1, Place: 1, Stop: 1}, w.desired())
	assert.Equal(t, w.deployment().ID, w.wanted()[0].DeploymentID)

	w.end(w.wanted()[0], api.AllocClientStatusFailed)
	w.update(w.wanted()[0], func(a *state.Allocation) { a.DesiredTransition.Reschedule = new(true) })
	w.setDeployment(api.DeploymentStatusFailed)
	w.now = w.now.Add(time.Minute)
	w.evaluate(scheduler.TriggerDeployment)
	assert.Equal(t, api.DesiredUpdates{Ignore: 2}, w.desired(), "one that has failed replaces no more")
}
