package nomad

import (
	"testing"
	"time"

	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// scaledJob is a job with bounds for the count of its group.
func scaledJob(id string, count int) *api.Job {
	job := mockJob(id, count)
	job.TaskGroups[0].Scaling = &api.ScalingPolicy{Min: new(int64(1)), Max: new(int64(10))}
	return job
}

// untilDeployment waits until the latest deployment of a job has a status.
func untilDeployment(t testing.TB, c *api.Client, job, status string) {
	t.Helper()
	require.Eventually(t, func() bool {
		d, _, err := c.Jobs().LatestDeployment(job, nil)
		require.NoError(t, err)
		return d != nil && d.Status == status
	}, patience, 10*time.Millisecond)
}

func TestAJobIsScaled(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	slow := scaledJob("slow", 1)
	slow.TaskGroups[0].Update.MinHealthyTime = new(4 * time.Minute) // less than its deadline
	register(t, c, slow, scaledJob("web", 1))
	untilDeployment(t, c, "slow", api.DeploymentStatusRunning)
	_, _, err := c.Jobs().Scale("slow", "group", new(3), "too early", false, nil, nil)
	require.ErrorContains(t, err, "job scaling blocked due to active deployment")
	untilDeployment(t, c, "web", api.DeploymentStatusSuccessful)

	answer, _, err := c.Jobs().Scale("web", "group", new(3), "busy", false, map[string]any{"load": "high"}, nil)
	require.NoError(t, err)
	_, _, err = c.Jobs().Scale("web", "group", nil, "cannot tell", true, nil, nil)
	require.NoError(t, err)
	running(t, c, "web", 3)
	status, _, err := c.Jobs().ScaleStatus("web", nil)
	require.NoError(t, err)
	group := status.TaskGroups["group"]
	assert.Equal(t, 3, group.Desired)
	assert.Equal(t, 3, group.Running)
	require.Len(t, group.Events, 2, "newest first")
	assert.True(t, group.Events[0].Error)
	assert.Nil(t, group.Events[0].Count)
	assert.Equal(t, "busy", group.Events[1].Message)
	assert.Equal(t, int64(3), *group.Events[1].Count)
	assert.Equal(t, int64(1), group.Events[1].PreviousCount)
	assert.Equal(t, answer.EvalID, *group.Events[1].EvalID)
	assert.Equal(t, map[string]any{"load": "high"}, group.Events[1].Meta)
}

func TestAScalingPolicyIsKnownForAsLongAsItsJobHasIt(t *testing.T) {
	t.Parallel()
	c := connect(t, start(t, oneNode()))
	register(t, c, scaledJob("web", 1), scaledJob("other", 1))
	policyOf := func(job string) *api.ScalingPolicyListStub {
		t.Helper()
		list, _, err := c.Scaling().ListPolicies(&api.QueryOptions{Params: map[string]string{"job": job}})
		require.NoError(t, err)
		if len(list) == 0 {
			return nil
		}
		require.Len(t, list, 1)
		return list[0]
	}
	first := policyOf("web")
	require.NotNil(t, first)
	assert.Equal(t, map[string]string{"Namespace": "default", "Job": "web", "Group": "group"}, first.Target)
	changed := scaledJob("web", 2)
	changed.TaskGroups[0].Scaling.Max = new(int64(20))
	register(t, c, changed)
	second := policyOf("web")
	assert.Equal(t, first.ID, second.ID)
	assert.Equal(t, first.CreateIndex, second.CreateIndex)
	assert.Greater(t, second.ModifyIndex, first.ModifyIndex)
	whole, _, err := c.Scaling().GetPolicy(first.ID, nil)
	require.NoError(t, err)
	assert.Equal(t, int64(20), *whole.Max)

	register(t, c, mockJob("web", 2))
	assert.Nil(t, policyOf("web"))
	assert.NotNil(t, policyOf("other"))
	_, _, err = c.Jobs().Deregister("other", true, nil)
	require.NoError(t, err)
	assert.Nil(t, policyOf("other"))
}
