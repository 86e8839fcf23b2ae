package nomad

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func plan(t testing.TB, c *api.Client, job *api.Job) *api.JobPlanResponse {
	t.Helper()
	answer, _, err := c.Jobs().Plan(job, true, nil)
	require.NoError(t, err)
	return answer
}

func TestThePlanOfANewJob(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	answer := plan(t, c, mockJob("web", 2))
	assert.Zero(t, answer.JobModifyIndex)
	assert.Equal(t, "Added", answer.Diff.Type)
	assert.Equal(t, map[string]uint64{"create": 2}, answer.Diff.TaskGroups[0].Updates)
	assert.Equal(t, uint64(2), answer.Annotations.DesiredTGUpdates["group"].Place)
	assert.Empty(t, answer.FailedTGAllocs)
	_, _, err := c.Jobs().Info("web", nil)
	require.ErrorContains(t, err, "job not found", "a plan changes nothing")
}

func TestThePlanOfAChange(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	register(t, c, mockJob("web", 2))
	running(t, c, "web", 2)
	changed := mockJob("web", 2)
	changed.TaskGroups[0].Tasks[0].Env = map[string]string{"A": "b"}
	answer := plan(t, c, changed)
	assert.NotZero(t, answer.JobModifyIndex)
	task := answer.Diff.TaskGroups[0].Tasks[0]
	assert.Equal(t, "Edited", answer.Diff.Type)
	assert.Equal(t, []string{"forces create/destroy update"}, task.Annotations)
	assert.Equal(t, "Env[A]", task.Fields[0].Name)
	assert.Equal(t, map[string]uint64{"create/destroy update": 2}, answer.Diff.TaskGroups[0].Updates)

	same := plan(t, c, mockJob("web", 2))
	assert.Equal(t, "None", same.Diff.Type)
	assert.Equal(t, uint64(2), same.Annotations.DesiredTGUpdates["group"].Ignore)
}

func TestThePlanTellsWhatCannotBePlaced(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	job := mockJob("web", 2)
	job.Datacenters = []string{"nowhere"}
	answer := plan(t, c, job)
	require.Contains(t, answer.FailedTGAllocs, "group")
	assert.Equal(t, 1, answer.FailedTGAllocs["group"].CoalescedFailures)
	assert.Len(t, answer.CreatedEvals, 1)
}

func TestThePlanOfAPeriodicJobTellsItsNextLaunch(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	answer := plan(t, c, batchJob("daily", &api.PeriodicConfig{Specs: []string{"@daily"}}, nil))
	assert.WithinRange(t, answer.NextPeriodicLaunch, time.Now(), time.Now().Add(24*time.Hour))
	assert.Zero(t, answer.NextPeriodicLaunch.UTC().Truncate(24*time.Hour).Sub(answer.NextPeriodicLaunch.UTC()))
}
