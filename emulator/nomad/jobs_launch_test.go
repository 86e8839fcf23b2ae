package nomad

import (
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everySecond is when a job is launched that is to be launched in a test.
func everySecond(prohibitOverlap bool) *api.PeriodicConfig {
	return &api.PeriodicConfig{Specs: []string{"* * * * * * *"}, ProhibitOverlap: &prohibitOverlap}
}

// children are the jobs that a job launched, by name.
func children(t testing.TB, c *api.Client, parent string) []*api.JobListStub {
	t.Helper()
	list, _, err := c.Jobs().PrefixList(parent + "/")
	require.NoError(t, err)
	return list
}

// runFor is how long the instances of a job run.
func runFor(job *api.Job, duration string) *api.Job {
	job.TaskGroups[0].Tasks[0].SetConfig("run_for", duration)
	return job
}

func TestAJobIsDispatched(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	register(t, c, batchJob("parent", nil, &api.ParameterizedJobConfig{
		Payload: "optional", MetaRequired: []string{"a"}, MetaOptional: []string{"b"},
	}))
	_, _, err := c.Jobs().Dispatch("parent", nil, nil, "", nil)
	require.ErrorContains(t, err, "Dispatch did not provide required meta keys: [a]")

	answer, _, err := c.Jobs().Dispatch("parent", map[string]string{"a": "1"}, []byte("input"), "", nil)
	require.NoError(t, err)
	assert.Regexp(t, `^parent/dispatch-\d+-[0-9a-f]{8}$`, answer.DispatchedJobID)
	child, _, err := c.Jobs().Info(answer.DispatchedJobID, nil)
	require.NoError(t, err)
	assert.True(t, child.Dispatched)
	assert.Equal(t, "parent", *child.ParentID)
	assert.Equal(t, map[string]string{"a": "1"}, child.Meta)
	require.Eventually(t, func() bool {
		summary, _, err := c.Jobs().Summary("parent", nil)
		require.NoError(t, err)
		return summary.Children.Dead == 1
	}, patience, 10*time.Millisecond)
}

func TestADispatchWithTheSameTokenIsTheSame(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	register(t, c, batchJob("parent", nil, &api.ParameterizedJobConfig{}))
	dispatch := func(token string) *api.JobDispatchResponse {
		t.Helper()
		answer, _, err := c.Jobs().Dispatch("parent", nil, nil, "", &api.WriteOptions{IdempotencyToken: token})
		require.NoError(t, err)
		return answer
	}
	first, again, other := dispatch("once"), dispatch("once"), dispatch("twice")
	assert.Equal(t, first.DispatchedJobID, again.DispatchedJobID)
	assert.NotEqual(t, first.DispatchedJobID, other.DispatchedJobID)
	assert.Len(t, children(t, c, "parent"), 2)
}

func TestAPeriodicJobIsLaunchedAtItsTimes(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	register(t, c, batchJob("tick", everySecond(false), nil))
	require.Eventually(t, func() bool { return len(children(t, c, "tick")) >= 2 }, patience, 10*time.Millisecond)
	for _, child := range children(t, c, "tick") {
		assert.True(t, strings.HasPrefix(child.ID, "tick/periodic-"), child.ID)
		assert.Equal(t, "tick", child.ParentID)
	}
	_, _, err := c.Jobs().Deregister("tick", false, nil)
	require.NoError(t, err)
	stopped := len(children(t, c, "tick"))
	tock := batchJob("tock", everySecond(false), nil)
	register(t, c, tock)
	require.Eventually(t, func() bool { return len(children(t, c, "tock")) >= 2 }, patience, 10*time.Millisecond)
	assert.Len(t, children(t, c, "tick"), stopped, "stopped before the others were launched")
}

func TestAPeriodicJobDoesNotOverlapItself(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	register(t, c, runFor(batchJob("slow", everySecond(true), nil), "1h"))
	require.Eventually(t, func() bool { return len(children(t, c, "slow")) == 1 }, patience, 10*time.Millisecond)
	register(t, c, batchJob("tick", everySecond(false), nil))
	require.Eventually(t, func() bool { return len(children(t, c, "tick")) >= 2 }, patience, 10*time.Millisecond)
	slow := children(t, c, "slow")
	require.Len(t, slow, 1)
	_, _, err := c.Jobs().Deregister(slow[0].ID, false, nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(children(t, c, "slow")) == 2 }, patience, 10*time.Millisecond)
}

func TestAPeriodicJobIsForced(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	disabled := &api.PeriodicConfig{Specs: []string{"@yearly"}, Enabled: new(false)}
	register(t, c, batchJob("yearly", &api.PeriodicConfig{Specs: []string{"@yearly"}}, nil), batchJob("disabled", disabled, nil))
	eval, _, err := c.Jobs().PeriodicForce("yearly", nil)
	require.NoError(t, err)
	launched := children(t, c, "yearly")
	require.Len(t, launched, 1)
	got, _, err := c.Evaluations().Info(eval, nil)
	require.NoError(t, err)
	assert.Equal(t, launched[0].ID, got.JobID)
	assert.Equal(t, "periodic-job", got.TriggeredBy)
	_, _, err = c.Jobs().PeriodicForce("disabled", nil)
	require.ErrorContains(t, err, `can't force run non-tracked job "disabled" (default)`)
}
