package emulator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs/explain"
)

const (
	// lookAgain is the time between two looks at jobs that are to become healthy;
	// readyAgain is that at the allocations that are known by then.
	lookAgain  = 100 * time.Millisecond
	readyAgain = 5 * time.Millisecond
	// placedWithin is how long an evaluation may be blocked before its job is
	// taken for one that no node can run.
	placedWithin = 5 * time.Second
	// explainWithin bounds how long is looked for a reason.
	explainWithin = 5 * time.Second
)

// waitHealthy waits until every instance of the jobs runs and passes its checks.
// It fails as soon as a task has failed for good, with a *TaskFailedError, or no
// node can take an instance, and when ctx ends, with what is not healthy then.
func (s *Stack) waitHealthy(ctx context.Context, jobs []job) error {
	if len(jobs) == 0 {
		return nil
	}
	for {
		seen, err := s.look(ctx)
		if err == nil {
			if jobs, err = seen.unhealthy(jobs); len(jobs) == 0 {
				return err
			}
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
		if !seen.awaitReady(ctx) {
			return fmt.Errorf("wait for job %q: %w: %s", *jobs[0].ID, ctx.Err(), s.explain(jobs[0]))
		}
	}
}

// awaitReady waits until it is worth to look again: all allocations that are to
// run are ready, or a while has passed. False is that the context has ended.
func (l look) awaitReady(ctx context.Context) bool {
	again, cancel := context.WithTimeout(ctx, lookAgain)
	defer cancel()
	ticks := time.NewTicker(readyAgain)
	defer ticks.Stop()
	for {
		select {
		case <-again.Done():
			return ctx.Err() == nil
		case <-ticks.C:
		}
		waits := func(a *api.AllocationListStub) bool {
			return a.DesiredStatus == api.AllocDesiredStatusRun && !l.stack.Nomad.Ready(a.ID)
		}
		if len(l.allocations) > 0 && !slices.ContainsFunc(l.allocations, waits) {
			return true
		}
	}
}

// look is what Nomad says of all jobs at one moment.
type look struct {
	stack       *Stack
	allocations []*api.AllocationListStub
	evaluations []*api.Evaluation
	deployments []*api.Deployment
}

func (s *Stack) look(ctx context.Context) (l look, err error) {
	l.stack = s
	// What is decided later is looked at first, so that nothing is missed in between.
	if l.deployments, _, err = s.client.Deployments().List(reading(ctx, api.AllNamespacesNamespace)); err != nil {
		return l, err
	}
	if l.evaluations, _, err = s.client.Evaluations().List(reading(ctx, api.AllNamespacesNamespace)); err != nil {
		return l, err
	}
	l.allocations, err = s.listAllocations(ctx)
	return l, err
}

// unhealthy are those of the jobs that are not healthy yet. The error is why one
// of them does not become healthy.
func (l look) unhealthy(jobs []job) ([]job, error) {
	var rest []job
	for _, j := range jobs {
		waiting, err := l.lacks(j)
		if err != nil {
			return jobs, fmt.Errorf("wait for job %q: %w", *j.ID, err)
		}
		if waiting != "" {
			rest = append(rest, j)
		}
	}
	return rest, nil
}

// lacks says what a job waits for to be healthy; nothing if it is. The error is
// why it will not be.
func (l look) lacks(j job) (waiting string, err error) {
	if j.waits() {
		return "", nil
	}
	if waiting, err := l.unplaced(j); err != nil || waiting != "" {
		return waiting, err
	}
	healthy := map[string]int{} // by group
	for _, a := range l.allocationsOf(j) {
		switch {
		case a.ClientStatus == api.AllocClientStatusFailed:
			return "", l.stack.taskFailed(a)
		case a.ClientStatus == api.AllocClientStatusComplete && j.isBatch(),
			a.ClientStatus == api.AllocClientStatusRunning && l.stack.Nomad.Ready(a.ID):
			healthy[a.TaskGroup]++
		default:
			waiting = "allocation " + a.Name + " is " + a.ClientStatus
		}
	}
	if waiting != "" {
		return waiting, nil
	}
	for _, group := range j.TaskGroups {
		if count := countOf(group); !j.isSystem() && healthy[*group.Name] < count {
			return fmt.Sprintf("group %q has %d of %d instances", *group.Name, healthy[*group.Name], count), nil
		}
	}
	return l.updating(j), nil
}

// allocationsOf are the instances of a job that are to run.
func (l look) allocationsOf(j job) []*api.AllocationListStub {
	var list []*api.AllocationListStub
	for _, a := range l.allocations {
		if a.JobID == *j.ID && a.Namespace == j.InNamespace() && a.DesiredStatus == api.AllocDesiredStatusRun {
			list = append(list, a)
		}
	}
	return list
}

// unplaced says what the scheduler has still to do for a job, now. The error is
// that it cannot.
func (l look) unplaced(j job) (waiting string, err error) {
	now := time.Now()
	for _, e := range l.evaluations {
		if e.JobID != *j.ID || e.Namespace != j.InNamespace() {
			continue
		}
		switch {
		case e.Status == api.EvalStatusPending && !e.WaitUntil.After(now):
			waiting = "it is not scheduled yet"
		case e.Status == api.EvalStatusBlocked && now.Sub(time.Unix(0, e.ModifyTime)) > placedWithin:
			return "", fmt.Errorf("no node can run it: %s", explain.Unplaced(e.FailedTGAllocs))
		case e.Status == api.EvalStatusBlocked:
			waiting = "it has no place: " + explain.Unplaced(e.FailedTGAllocs)
		}
	}
	return waiting, nil
}

// updating says how far the update of a job is; nothing if there is none, or if
// it waits for somebody who promotes it.
func (l look) updating(j job) string {
	for _, d := range l.deployments {
		if d.JobID != *j.ID || d.Namespace != j.InNamespace() || d.Status != api.DeploymentStatusRunning {
			continue
		}
		for name, group := range d.TaskGroups {
			placed, desired := group.PlacedAllocs, group.DesiredTotal
			if group.DesiredCanaries > 0 && !group.Promoted {
				placed, desired = len(group.PlacedCanaries), group.DesiredCanaries
			}
			if placed < desired {
				return fmt.Sprintf("group %q has %d of %d instances updated", name, placed, desired)
			}
		}
	}
	return ""
}

// explain says, as exactly as can be, what a job lacks to be healthy.
func (s *Stack) explain(j job) string {
	ctx, cancel := context.WithTimeout(context.Background(), explainWithin)
	defer cancel()
	seen, err := s.look(ctx)
	if err != nil {
		return err.Error()
	}
	waiting, err := seen.lacks(j)
	if err != nil {
		return err.Error()
	}
	for _, a := range seen.allocationsOf(j) {
		if !s.Nomad.Ready(a.ID) {
			return "allocation " + a.Name + ": " + s.cluster().Unhealthy(ctx, a)
		}
	}
	return waiting
}
