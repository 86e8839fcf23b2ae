package nomad

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// ended is a region in which a job of each kind has had an allocation that has ended.
func ended(t *testing.T) *region {
	t.Helper()
	s, err := state.New()
	require.NoError(t, err)
	require.NoError(t, s.Seed())
	require.NoError(t, s.Write(func(tx *state.Tx) error {
		tx.UpsertNode(&state.Node{Node: api.Node{ID: "gone", Status: api.NodeStatusDown, StatusUpdatedAt: tx.Now().Unix()}})
		tx.UpsertNode(&state.Node{Node: api.Node{ID: "ready", Status: api.NodeStatusReady, StatusUpdatedAt: tx.Now().Unix()}})
		for _, kind := range []string{api.JobTypeService, api.JobTypeBatch} {
			for _, stopped := range []bool{true, false} {
				name := kind
				if stopped {
					name = "stopped-" + kind
				}
				job := mockJob(name, 1)
				job.Type = &kind
				jobs.Canonicalize(job)
				job.Stop, job.SubmitTime = &stopped, new(tx.Now().UnixNano())
				tx.UpsertJob(job, true)
				job = tx.Job(api.DefaultNamespace, name)
				tx.UpsertEvaluation(&api.Evaluation{
					ID: "eval-" + name, Namespace: api.DefaultNamespace, JobID: name, Type: kind, Status: api.EvalStatusComplete,
					ModifyTime: tx.Now().UnixNano(),
				})
				tx.UpsertDeployment(&api.Deployment{
					ID: "deployment-" + name, Namespace: api.DefaultNamespace, JobID: name, Status: api.DeploymentStatusSuccessful,
					ModifyTime: tx.Now().UnixNano(),
				})
				tx.UpsertAllocation(&state.Allocation{Allocation: api.Allocation{
					ID: "alloc-" + name, Namespace: api.DefaultNamespace, JobID: name, Job: job, TaskGroup: "group", EvalID: "eval-" + name,
					NodeID: "ready", DesiredStatus: api.AllocDesiredStatusStop, ClientStatus: api.AllocClientStatusComplete,
					AllocatedResources: &api.AllocatedResources{},
				}})
			}
		}
		return nil
	}))
	return &region{store: s}
}

// left are the IDs of what a region still has, by what it is.
func left(r *region) map[string][]string {
	view, names := r.store.View(), map[string][]string{}
	for job := range view.Jobs() {
		names["jobs"] = append(names["jobs"], *job.ID)
	}
	for e := range view.Evaluations() {
		names["evaluations"] = append(names["evaluations"], e.ID)
	}
	for a := range view.Allocations() {
		names["allocations"] = append(names["allocations"], a.ID)
	}
	for d := range view.Deployments() {
		names["deployments"] = append(names["deployments"], d.ID)
	}
	for n := range view.Nodes() {
		names["nodes"] = append(names["nodes"], n.ID)
	}
	return names
}

func TestWhatHasEndedIsForgottenInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := ended(t)
		everything := left(r)
		collect := func(after time.Duration) map[string][]string {
			time.Sleep(after)
			require.NoError(t, r.collect(false))
			return left(r)
		}
		assert.Equal(t, everything, collect(gcEvaluations-time.Minute))
		now := collect(2 * time.Minute)
		assert.NotContains(t, now["evaluations"], "eval-service")
		assert.NotContains(t, now["allocations"], "alloc-service")
		assert.Contains(t, now["allocations"], "alloc-batch", "it says that the job has run")
		assert.NotContains(t, now["deployments"], "deployment-service")
		assert.Contains(t, now["jobs"], "stopped-batch")
		now = collect(gcJobs)
		assert.NotContains(t, now["jobs"], "stopped-batch")
		assert.NotContains(t, now["allocations"], "alloc-stopped-batch")
		assert.Contains(t, now["nodes"], "gone")
		now = collect(gcNodes)
		assert.Equal(t, []string{"ready"}, now["nodes"])
	})
}

func TestWhatHasEndedIsForgottenOnDemand(t *testing.T) {
	t.Parallel()
	r := ended(t)
	require.NoError(t, r.store.Write(func(tx *state.Tx) error {
		job := tx.Job(api.DefaultNamespace, "stopped-service")
		tx.UpsertAllocation(&state.Allocation{Allocation: api.Allocation{
			ID: "runs", Namespace: api.DefaultNamespace, JobID: "stopped-service", Job: job, TaskGroup: "group", EvalID: "eval-stopped-service",
			NodeID: "gone", DesiredStatus: api.AllocDesiredStatusStop, ClientStatus: api.AllocClientStatusRunning,
			AllocatedResources: &api.AllocatedResources{},
		}})
		return nil
	}))
	require.NoError(t, r.collect(true))
	now := left(r)
	assert.Contains(t, now["jobs"], "stopped-service", "an allocation of it still runs")
	assert.Contains(t, now["allocations"], "runs")
	assert.NotContains(t, now["jobs"], "stopped-batch")
	assert.NotContains(t, now["evaluations"], "eval-service")
	assert.Contains(t, now["nodes"], "ready")
}

func TestGarbageIsCollectedByWhoMay(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	_, _, err := c.Jobs().Register(mockJob("web", 1), nil)
	require.NoError(t, err)
	running(t, c, "web", 1)
	_, _, err = c.Jobs().Deregister("web", false, nil)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		require.NoError(t, c.System().GarbageCollect())
		list, _, err := c.Jobs().List(nil)
		require.NoError(t, err)
		return len(list) == 0
	}, patience, 10*time.Millisecond)
	allocations, _, err := c.Allocations().List(nil)
	require.NoError(t, err)
	assert.Empty(t, allocations)

	guarded := connect(t, start(t, Options{ACL: true}))
	assert.ErrorContains(t, guarded.System().GarbageCollect(), "Permission denied")
	assert.ErrorContains(t, guarded.System().ReconcileSummaries(), "Permission denied")
}

func TestSummariesAreCountedAnew(t *testing.T) {
	t.Parallel()
	n := start(t, Options{Regions: []Region{{Nodes: []Node{{Name: "a"}}}}})
	c := connect(t, n)
	_, _, err := c.Jobs().Register(mockJob("web", 2), nil)
	require.NoError(t, err)
	running(t, c, "web", 2)
	require.NoError(t, c.System().ReconcileSummaries())
	summary, _, err := c.Jobs().Summary("web", nil)
	require.NoError(t, err)
	assert.Equal(t, 2, summary.Summary["group"].Running)
}
