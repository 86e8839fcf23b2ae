package jobs_test

import (
	"testing"

	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/hashicorp/nomad/api"
	"github.com/stretchr/testify/assert"
)

func TestPreserveCountsAndResources(t *testing.T) {
	t.Parallel()
	const group, task = "TaskGroups/0/", "TaskGroups/0/Tasks/0/"
	before := canonical(t, changes{group + "Count": 3, task + "Resources": map[string]any{"CPU": 200, "MemoryMB": 150}})
	other := map[string]any{"Name": "b", "Count": 2, "Tasks": []any{map[string]any{"Name": "t", "Driver": "mock_driver"}}}
	job := canonical(t, changes{
		group + "Count": 1, task + "Resources": map[string]any{"CPU": 100}, "TaskGroups/1": other,
		"TaskGroups/0/Tasks/1": map[string]any{"Name": "second", "Driver": "mock_driver"},
	})
	jobs.CountsFrom(job, before)
	assert.Equal(t, 3, *job.TaskGroups[0].Count)
	assert.Equal(t, 2, *job.TaskGroups[1].Count)
	assert.Equal(t, 100, *job.TaskGroups[0].Tasks[0].Resources.CPU)
	jobs.ResourcesFrom(job, before)
	assert.Equal(t, 200, *job.TaskGroups[0].Tasks[0].Resources.CPU)
	assert.Equal(t, 150, *job.TaskGroups[0].Tasks[0].Resources.MemoryMB)
	assert.Equal(t, 100, *job.TaskGroups[0].Tasks[1].Resources.CPU)
}

func TestSamePolicy(t *testing.T) {
	t.Parallel()
	policy := func(set map[string]any) *api.ScalingPolicy {
		return canonical(t, changes{"TaskGroups/0/Scaling": set}).TaskGroups[0].Scaling
	}
	one := policy(map[string]any{"Max": 3, "Policy": map[string]any{"a": "b"}})
	assert.Equal(t, map[string]string{"Namespace": "default", "Job": "web", "Group": "group"}, one.Target)
	two := policy(map[string]any{"Max": 3, "Policy": map[string]any{"a": "b"}})
	two.ID, two.ModifyIndex = "stored", 7
	assert.True(t, jobs.SamePolicy(one, two))
	assert.False(t, jobs.SamePolicy(one, policy(map[string]any{"Max": 4, "Policy": map[string]any{"a": "b"}})))
	assert.False(t, jobs.SamePolicy(one, policy(map[string]any{"Max": 3})))
}
