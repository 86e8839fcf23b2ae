package nomad

import (
	"strings"
	"testing"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestARegistrationIsEnforcedToChangeWhatTheCallerKnows(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{})).Jobs()
	refused := func(index uint64, text string) {
		t.Helper()
		_, _, err := c.EnforceRegister(mockJob("web", 1), index, nil)
		require.ErrorContains(t, err, text)
	}
	refused(7, "Enforcing job modify index 7: job does not exist")
	answer, _, err := c.EnforceRegister(mockJob("web", 1), 0, nil)
	require.NoError(t, err)
	refused(0, "Enforcing job modify index 0: job already exists")
	refused(1, "Enforcing job modify index 1: job exists with conflicting job modify index")
	again, _, err := c.EnforceRegister(mockJob("web", 1), answer.JobModifyIndex, nil)
	require.NoError(t, err)
	assert.NotEmpty(t, again.EvalID)
}

func TestOnlyAChangedJobHasANewVersion(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{})).Jobs()
	versionAfter := func(job *api.Job) uint64 {
		t.Helper()
		_, _, err := c.Register(job, nil)
		require.NoError(t, err)
		got, _, err := c.Info("web", nil)
		require.NoError(t, err)
		return *got.Version
	}
	assert.Equal(t, uint64(0), versionAfter(mockJob("web", 1)))
	assert.Equal(t, uint64(0), versionAfter(mockJob("web", 1)))
	assert.Equal(t, uint64(1), versionAfter(mockJob("web", 2)))
	_, _, err := c.Deregister("web", false, nil)
	require.NoError(t, err)
	assert.Equal(t, uint64(3), versionAfter(mockJob("web", 2)), "to be stopped is a version of its own")
}

func TestCountsAndResourcesArePreserved(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{})).Jobs()
	_, _, err := c.Register(mockJob("web", 3), nil)
	require.NoError(t, err)
	changed := mockJob("web", 1)
	changed.TaskGroups[0].Tasks[0].Resources.MemoryMB = new(77)
	changed.AddTaskGroup(mockJob("web", 2).TaskGroups[0])
	changed.TaskGroups[1].Name = new("other")
	_, _, err = c.RegisterOpts(changed, &api.RegisterOptions{PreserveCounts: true, PreserveResources: true}, nil)
	require.NoError(t, err)
	got, _, err := c.Info("web", nil)
	require.NoError(t, err)
	assert.Equal(t, 3, *got.TaskGroups[0].Count)
	assert.Equal(t, 10, *got.TaskGroups[0].Tasks[0].Resources.MemoryMB)
	assert.Equal(t, 2, *got.TaskGroups[1].Count)
}

func TestTheSourceOfAVersionIsKept(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, Options{})).Jobs()
	submit := func(job *api.Job, source *api.JobSubmission) string {
		t.Helper()
		answer, _, err := c.RegisterOpts(job, &api.RegisterOptions{Submission: source}, nil)
		require.NoError(t, err)
		return answer.Warnings
	}
	sourceOf := func(version int) string {
		t.Helper()
		got, _, err := c.Submission("web", version, nil)
		require.NoError(t, err)
		return got.Source
	}
	submit(mockJob("web", 1), &api.JobSubmission{Source: "first", Format: "hcl2", VariableFlags: map[string]string{"a": "b"}})
	submit(mockJob("web", 2), &api.JobSubmission{Source: "second", Format: "json"})
	submit(mockJob("web", 3), nil)
	assert.Equal(t, "first", sourceOf(0))
	assert.Equal(t, "second", sourceOf(1))
	assert.Equal(t, "first", sourceOf(2), "without a source of its own")

	warning := submit(mockJob("long", 1), &api.JobSubmission{Source: strings.Repeat("x", 2_000_000), Format: "hcl2"})
	assert.Contains(t, warning, "job source size of 2.0 MB exceeds maximum of 1.0 MB and will be discarded")
	_, _, err := c.Submission("long", 0, nil)
	require.ErrorContains(t, err, "job source not found")

	_, _, err = c.Deregister("web", true, nil)
	require.NoError(t, err)
	_, _, err = c.Submission("web", 0, nil)
	require.ErrorContains(t, err, "job source not found")
}

func TestRegistrationsCanBeRejected(t *testing.T) {
	t.Parallel()
	n, root := startACL(t)
	_, _, err := root.Operator().SchedulerSetConfiguration(&api.SchedulerConfiguration{RejectJobRegistration: true, SchedulerAlgorithm: api.SchedulerAlgorithmBinpack}, nil)
	require.NoError(t, err)
	submitter := withToken(t, n, holding(t, root, `namespace "default" { policy = "write" }`))
	_, _, err = submitter.Jobs().Register(mockJob("web", 1), nil)
	require.ErrorContains(t, err, "403 (Job registration, dispatch, and scale are disabled by the scheduler configuration)")
	_, _, err = root.Jobs().Register(mockJob("web", 1), nil)
	require.NoError(t, err, "whoever may do everything may do this")
}
