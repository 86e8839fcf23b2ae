package main

import (
	"time"

	"github.com/hashicorp/nomad/api"
)

// sleepingJob is a service that is healthy as soon as its tasks run.
func sleepingJob() *api.Job {
	return nomadJob("sleeping", nomadInstances, "task_states", &api.Task{
		Name: "sleep", Driver: "raw_exec", Config: map[string]any{"command": "/bin/sleep", "args": []string{"3600"}},
	})
}

// checkedJob is a service that is healthy as soon as its checks are.
func checkedJob(web string) *api.Job {
	job := nomadJob("checked", nomadInstances, "checks", &api.Task{
		Name: "web", Driver: "raw_exec", Config: map[string]any{"command": web},
	})
	group := job.TaskGroups[0]
	group.Networks = []*api.NetworkResource{{DynamicPorts: []api.Port{{Label: "http"}}}}
	group.Services = []*api.Service{{
		Name: "web", Provider: "nomad", PortLabel: "http",
		Checks: []api.ServiceCheck{{Type: "http", Path: "/", Interval: time.Second, Timeout: time.Second}},
	}}
	return job
}

// mockJob has tasks that are no processes and run on.
func mockJob(name string, count int) *api.Job {
	return nomadJob(name, count, "task_states", &api.Task{
		Name: "mock", Driver: "mock_driver", Config: map[string]any{"run_for": "1h"},
		// The real one has a process for the logs of each task that has any.
		LogConfig: &api.LogConfig{Disabled: new(true), MaxFiles: new(1), MaxFileSizeMB: new(1)},
	})
}

// nomadJob is a service of one group with the task, which takes as little as may be.
func nomadJob(name string, count int, health string, task *api.Task) *api.Job {
	task.Resources = &api.Resources{CPU: new(1), MemoryMB: new(10)}
	group := api.NewTaskGroup("group", count)
	group.EphemeralDisk = &api.EphemeralDisk{SizeMB: new(30)}
	if task.LogConfig == nil {
		task.LogConfig = &api.LogConfig{MaxFiles: new(1), MaxFileSizeMB: new(1)}
	}
	group.Tasks = []*api.Task{task}
	job := api.NewServiceJob(name, name, "global", 50).AddTaskGroup(group)
	job.Update = &api.UpdateStrategy{MaxParallel: &count, HealthCheck: &health, MinHealthyTime: new(time.Duration(0))}
	return job
}
