package client

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// shownLines is how many of a failed task's last lines an error shows.
const shownLines = 10

// TaskFailedError says that a task has failed for good, so that its job cannot become healthy.
type TaskFailedError struct {
	JobID      string
	Allocation string // its name, <job>.<group>[<index>]
	Task       string
	Event      Event    // what ended it
	Lines      []string // the last that it printed
}

func (e *TaskFailedError) Error() string {
	text := fmt.Sprintf("allocation %s: task %q: %s: %s", e.Allocation, e.Task, e.Event.Type, e.Event.Message)
	if len(e.Lines) > 0 {
		text += "\n    " + strings.Join(e.Lines, "\n    ")
	}
	return text
}

// WaitHealthy waits until every group of the job has its count of healthy allocations. It fails as soon as a task of it has
// failed for good, with a *TaskFailedError, and when ctx ends, with what is not healthy then.
func (n *Nomad) WaitHealthy(ctx context.Context, jobID string) error {
	for {
		changes := n.changes()
		waiting, failed, err := n.examine(jobID)
		switch {
		case err != nil:
			return fmt.Errorf("wait for job %q: %w", jobID, err)
		case failed != nil:
			return fmt.Errorf("wait for job %q: %w", jobID, failed.explain())
		case waiting == "":
			return nil
		}
		select {
		case <-changes:
		case <-ctx.Done():
			if waiting, _, _ = n.examine(jobID); waiting == "" {
				waiting = "it has changed meanwhile"
			}
			return fmt.Errorf("wait for job %q: %w: %s", jobID, ctx.Err(), waiting)
		}
	}
}

// examine returns what a job still waits for, empty when it is healthy, or a task that has failed.
func (n *Nomad) examine(jobID string) (waiting string, failed *task, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r := n.jobs[jobID]
	switch {
	case n.closed:
		return "", nil, ErrClosed
	case r == nil || r.fingerprint == "":
		return "", nil, fmt.Errorf("it is not registered: register it first")
	}
	for _, a := range r.allocations {
		if t := a.failedLocked(); t != nil {
			return "", t, nil
		}
		if waiting == "" {
			waiting = a.unhealthyLocked()
		}
	}
	return waiting, nil, nil
}

// explain makes the error of a task that has failed.
func (t *task) explain() *TaskFailedError {
	t.alloc.n.mu.Lock()
	event := t.event
	t.alloc.n.mu.Unlock()
	return &TaskFailedError{
		JobID: *t.alloc.job.ID, Allocation: t.alloc.name, Task: t.spec.Name, Event: event, Lines: t.tail(shownLines),
	}
}

func anyFailed(allocations []*allocation) bool {
	for _, a := range allocations {
		if a.failedLocked() != nil {
			return true
		}
	}
	return false
}

func (a *allocation) failedLocked() *task {
	for _, t := range a.tasks {
		if t.failed {
			return t
		}
	}
	return nil
}

func (a *allocation) healthyLocked() bool { return a.unhealthyLocked() == "" }

// unhealthyLocked says what an allocation lacks to be healthy; nothing if it is.
func (a *allocation) unhealthyLocked() string {
	if *a.job.Type == api.JobTypeBatch && a.statusLocked() == api.AllocClientStatusComplete {
		return ""
	}
	if a.stopped != "" {
		return fmt.Sprintf("allocation %s stops: %s", a.name, a.stopped)
	}
	for _, t := range a.tasks {
		if t.state != taskRunning {
			return fmt.Sprintf("allocation %s: task %q is %s: %s: %s", a.name, t.spec.Name, t.state, t.event.Type, t.event.Message)
		}
	}
	for _, s := range a.services {
		for _, c := range s.checks {
			if !c.passing {
				return fmt.Sprintf("allocation %s: service %q: check %q fails: %s", a.name, s.entry.Name, c.name, c.output)
			}
		}
	}
	return ""
}
