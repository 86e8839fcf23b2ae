package deployments_test

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"

	"github.com/drydock/drydock/emulator/nomad/deployments"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

func TestEachHealthIsTheSchedulersBusinessOnce(t *testing.T) {
	t.Parallel()
	r := newRegion(t, options{})
	r.place(0, false)
	assert.True(t, r.decide().Empty())
	r.report(0, true)
	assert.True(t, r.decide().Evaluate)
	assert.True(t, r.decide().Empty())
	r.place(1, false)
	r.report(1, true)
	assert.True(t, r.decide().Evaluate)
}

func TestAllHealthyCanariesArePromotedWhereThatIsWanted(t *testing.T) {
	t.Parallel()
	for name, automatic := range map[string]bool{"automatic": true, "by hand": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, options{canaries: 2, autoPromote: automatic})
			r.place(0, true)
			r.place(1, true)
			r.report(0, true)
			assert.False(t, r.decide().Promote)
			r.report(1, true)
			assert.Equal(t, automatic, r.decide().Promote)
			assert.Equal(t, automatic, r.group().Promoted)
			assert.Equal(t, automatic, !r.store.View().Allocation("a0").DeploymentStatus.Canary)
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		options  options
		late     bool // the progress deadline is over
		failed   string
		reverted bool
	}{
		{name: "unhealthy for good", failed: "Failed due to unhealthy allocations"},
		{name: "unhealthy without time", options: options{attempts: true, noDeadline: true}, failed: "Failed due to unhealthy allocations"},
		{name: "unhealthy, to be replaced", options: options{attempts: true}},
		{name: "late", options: options{attempts: true}, late: true, failed: "Failed due to progress deadline"},
		{name: "reverted", options: options{revert: true}, failed: "Failed due to unhealthy allocations - rolling back to job version 0", reverted: true},
		{name: "reverted late", options: options{revert: true, attempts: true}, late: true, failed: "Failed due to progress deadline - rolling back to job version 0", reverted: true},
		{name: "nothing stable", options: options{revert: true, unstable: true}, failed: "Failed due to unhealthy allocations - no stable job version to auto revert to"},
		{name: "the same again", options: options{revert: true, sameSpec: true},
			failed: "Failed due to unhealthy allocations - not rolling back to stable job version 0 as current job has same specification"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, test.options)
			r.place(0, false)
			r.report(0, false)
			if test.late {
				r.now = r.group().RequireProgressBy.Add(time.Second)
			}
			x := r.decide()
			assert.Equal(t, test.failed, x.Failed)
			assert.True(t, x.Evaluate)
			job := r.store.View().Job("default", "web")
			if test.failed == "" {
				assert.Equal(t, scheduler.DeploymentRunning, r.deployment().StatusDescription)
				assert.True(t, r.store.View().Allocation("a0").DesiredTransition.ShouldReschedule())
				assert.True(t, r.decide().Empty(), "it is marked once")
				return
			}
			assert.Equal(t, test.failed, r.deployment().StatusDescription)
			assert.Equal(t, api.DeploymentStatusFailed, r.deployment().Status)
			assert.Equal(t, test.reverted, *job.Version == 2)
			assert.Equal(t, test.reverted || test.options.sameSpec, job.TaskGroups[0].Tasks[0].Env["V"] == "1")
		})
	}
}

func TestTheDeadlineIsForThoseWhoCanProgress(t *testing.T) {
	t.Parallel()
	r := newRegion(t, options{canaries: 1})
	r.place(0, true)
	r.decide()
	assert.Equal(t, r.group().RequireProgressBy, r.decide().Due)
	r.report(0, true)
	r.decide()
	assert.Zero(t, r.decide().Due, "it waits for its promotion")

	r.write(func(tx *state.Tx) {
		_, err := deployments.Promote(tx, tx.Deployment("d"), nil)
		assert.NoError(t, err)
	})
	assert.Equal(t, r.group().RequireProgressBy, r.decide().Due)
}

func TestAPausedDeploymentDecidesNothing(t *testing.T) {
	t.Parallel()
	r := newRegion(t, options{})
	r.place(0, false)
	r.write(func(tx *state.Tx) {
		e, err := deployments.Pause(tx, tx.Deployment("d"), true)
		assert.NoError(t, err)
		assert.Nil(t, e)
	})
	assert.Equal(t, "Deployment is paused", r.deployment().StatusDescription)
	r.report(0, false)
	assert.True(t, r.decide().Empty())
	r.write(func(tx *state.Tx) {
		e, err := deployments.Pause(tx, tx.Deployment("d"), false)
		assert.NoError(t, err)
		assert.Equal(t, "deployment-watcher", e.TriggeredBy)
	})
	assert.NotEmpty(t, r.decide().Failed)
}
