package real

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs"
)

// Status is where a stack is, and how its jobs are.
type Status struct {
	*Stack
	Jobs []JobStatus `json:"jobs"`
}

// JobStatus is how a job is.
type JobStatus struct {
	Name    string `json:"name"`
	Part    string `json:"part,omitempty"` // of the platform; empty for a role
	Status  string `json:"status"`
	Wanted  int    `json:"wanted"`  // instances
	Running int    `json:"running"` // of them
	Healthy int    `json:"healthy"` // of those, by the checks when they were deployed
}

// Status asks Nomad how the jobs are.
func (s *Stack) Status(ctx context.Context) (*Status, error) {
	const answerWait = 10 * time.Second
	ctx, cancel := context.WithTimeout(ctx, answerWait)
	defer cancel()
	if !s.Running() {
		return nil, fmt.Errorf("the real stack in %s was killed: its consul or its nomad does not run", s.Dir)
	}
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	list, err := stopper{client}.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask Nomad for its jobs: %w", err)
	}
	status := &Status{Stack: s}
	for _, job := range list {
		one, err := jobStatus(ctx, client, job)
		if err != nil {
			return nil, fmt.Errorf("ask Nomad how job %s is: %w", job.ID, err)
		}
		status.Jobs = append(status.Jobs, one)
	}
	slices.SortFunc(status.Jobs, func(a, b JobStatus) int { return strings.Compare(a.Name, b.Name) })
	return status, nil
}

func jobStatus(ctx context.Context, client *api.Client, job *api.JobListStub) (JobStatus, error) {
	reading := (&api.QueryOptions{Namespace: job.Namespace}).WithContext(ctx)
	one := JobStatus{Name: job.ID, Part: job.Meta[jobs.MetaPart], Status: job.Status}
	scale, _, err := client.Jobs().ScaleStatus(job.ID, reading)
	if err != nil {
		return one, err
	}
	for _, group := range scale.TaskGroups {
		one.Wanted += group.Desired
		one.Running += group.Running
		one.Healthy += group.Healthy
	}
	return one, nil
}
