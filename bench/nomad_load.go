package main

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

const (
	nomadWait = 5 * time.Minute // for what is asked of an agent
	manyJobs  = 10              // that the many allocations are of
	manyName  = "many-"         // what the names of those jobs begin with
)

// deploy registers a job, and returns how long it took until its deployment was
// successful. The job is stopped again.
func (n *nomad) deploy(ctx context.Context, job *api.Job) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, nomadWait)
	defer cancel()
	began := time.Now()
	if err := n.register(ctx, job); err != nil {
		return 0, err
	}
	query := &api.QueryOptions{}
	for {
		deployment, meta, err := n.client.Jobs().LatestDeployment(*job.ID, query.WithContext(ctx))
		switch {
		case err != nil:
			return 0, fmt.Errorf("wait for the deployment of %s: %w", *job.ID, err)
		case deployment == nil:
		case deployment.Status == api.DeploymentStatusSuccessful:
			took := time.Since(began)
			return took, n.stop(ctx, *job.ID)
		case deployment.Status != api.DeploymentStatusRunning:
			return 0, fmt.Errorf("the deployment of %s is %s: %s", *job.ID, deployment.Status, deployment.StatusDescription)
		}
		query.WaitIndex = meta.LastIndex
	}
}

func (n *nomad) register(ctx context.Context, job *api.Job) error {
	if _, _, err := n.client.Jobs().Register(job, (&api.WriteOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("register %s: %w", *job.ID, err)
	}
	return nil
}

// stop stops a job, and waits for the end of its tasks.
func (n *nomad) stop(ctx context.Context, job string) error {
	if _, _, err := n.client.Jobs().Deregister(job, false, (&api.WriteOptions{}).WithContext(ctx)); err != nil {
		return fmt.Errorf("stop %s: %w", job, err)
	}
	return n.until(ctx, func() (bool, error) {
		allocations, _, err := n.client.Jobs().Allocations(job, true, (&api.QueryOptions{}).WithContext(ctx))
		for _, a := range allocations {
			if a.ClientStatus == api.AllocClientStatusRunning || a.ClientStatus == api.AllocClientStatusPending {
				return false, err
			}
		}
		return true, err
	})
}

// until asks again and again.
func (n *nomad) until(ctx context.Context, done func() (bool, error)) error {
	ticker := time.NewTicker(nomadPoll)
	defer ticker.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// placeMany registers jobs of so many allocations, and returns how long it took
// until all of them were placed, and until all of them ran.
func (n *nomad) placeMany(ctx context.Context, count int) (placed, running time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, nomadWait)
	defer cancel()
	began := time.Now()
	for i := range manyJobs {
		if err := n.register(ctx, mockJob(fmt.Sprint(manyName, i), count/manyJobs)); err != nil {
			return 0, 0, err
		}
	}
	err = n.until(ctx, func() (bool, error) {
		there, ran, err := n.counts(ctx)
		if there == count && placed == 0 {
			placed = time.Since(began)
		}
		return ran == count, err
	})
	if err != nil {
		return 0, 0, fmt.Errorf("place %d allocations: %w", count, err)
	}
	return placed, time.Since(began), nil
}

// counts are how many allocations of the many are placed, and how many of those run.
func (n *nomad) counts(ctx context.Context) (placed, running int, err error) {
	jobs, _, err := n.client.Jobs().List((&api.QueryOptions{Prefix: manyName}).WithContext(ctx))
	for _, job := range jobs {
		for _, group := range job.JobSummary.Summary {
			placed += group.Starting + group.Running
			running += group.Running
		}
	}
	return placed, running, err
}
