package nomad

import (
	"slices"
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// patience bounds what tests wait for, on a machine that is busy.
const patience = time.Minute

// oneNode is a Nomad that can place something.
func oneNode() Options { return Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}} }

// mockJob is a service of so many instances that run until they are stopped.
func mockJob(id string, count int) *api.Job {
	task := api.NewTask("task", "mock_driver").SetConfig("run_for", "1h").
		Require(&api.Resources{CPU: new(10), MemoryMB: new(10)})
	group := api.NewTaskGroup("group", count).AddTask(task)
	group.EphemeralDisk = &api.EphemeralDisk{SizeMB: new(300)}
	group.Update = &api.UpdateStrategy{MinHealthyTime: new(10 * time.Millisecond), MaxParallel: &count, HealthCheck: new("task_states")}
	return api.NewServiceJob(id, id, "global", 50).AddDatacenter("*").AddTaskGroup(group)
}

// running waits until so many allocations of a job run.
func running(t testing.TB, c *api.Client, job string, count int) []*api.AllocationListStub {
	t.Helper()
	var found []*api.AllocationListStub
	require.Eventually(t, func() bool {
		list, _, err := c.Jobs().Allocations(job, false, nil)
		require.NoError(t, err)
		found = nil
		for _, a := range list {
			if a.ClientStatus == api.AllocClientStatusRunning {
				found = append(found, a)
			}
		}
		return len(found) == count
	}, patience, 10*time.Millisecond)
	return found
}

func TestAJobRunsAndStops(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}, {Name: "b"}, {Name: "c"}}}}})
	c := connect(t, n)
	answer, meta, err := c.Jobs().Register(mockJob("web", 3), nil)
	require.NoError(t, err)
	assert.NotEmpty(t, answer.EvalID)
	assert.NotZero(t, meta.LastIndex)
	running(t, c, "web", 3)
	require.Eventually(t, func() bool {
		job, _, err := c.Jobs().Info("web", nil)
		require.NoError(t, err)
		return *job.Status == "running"
	}, patience, 10*time.Millisecond)
	_, _, err = c.Jobs().Deregister("web", false, nil)
	require.NoError(t, err)
	running(t, c, "web", 0)
	require.Eventually(t, func() bool {
		job, _, err := c.Jobs().Info("web", nil)
		require.NoError(t, err)
		return *job.Status == "dead"
	}, patience, 10*time.Millisecond)
}

func TestAJobThatWaitsForANodeRunsThere(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	nodes, _, err := c.Nodes().List(nil)
	require.NoError(t, err)
	_, err = c.Nodes().ToggleEligibility(nodes[0].ID, false, nil)
	require.NoError(t, err)
	_, _, err = c.Jobs().Register(mockJob("web", 1), nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		list, _, err := c.Jobs().Evaluations("web", nil)
		require.NoError(t, err)
		return slices.ContainsFunc(list, func(e *api.Evaluation) bool { return e.Status == api.EvalStatusBlocked })
	}, patience, 10*time.Millisecond)
	_, err = c.Nodes().ToggleEligibility(nodes[0].ID, true, nil)
	require.NoError(t, err)
	running(t, c, "web", 1)
}
