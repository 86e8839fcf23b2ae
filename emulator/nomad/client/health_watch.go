package client

import (
	"fmt"
	"time"

	"github.com/hashicorp/nomad/api"
)

// idleExamination is the time between looks at an allocation that nothing
// happens to.
const idleExamination = time.Hour

// Defaults of a group that says nothing of them.
const (
	defaultMinHealthy      = 10 * time.Second
	defaultHealthyDeadline = 5 * time.Minute
)

// How the health of an allocation is determined.
const (
	byChecks     = "checks"
	byTaskStates = "task_states"
	byOperator   = "manual"
)

// health works out whether an allocation becomes healthy, for its deployment or
// for the drain that it is the successor of. It is the alloc runner's goroutine
// that uses it.
type health struct {
	alloc    *allocRunner
	deployed bool // by a deployment, whose people want to know why
	watched  bool
	by       string
	minimum  time.Duration
	limit    time.Duration
	deadline time.Time
	untold   bool      // the tasks are to say why it is not healthy
	since    time.Time // all has been well; zero while it is not
}

func newHealth(a *allocRunner) health {
	alloc, group := a.latest(), a.group()
	h := health{alloc: a, deployed: alloc.DeploymentID != "", by: byChecks, minimum: defaultMinHealthy, limit: defaultHealthyDeadline}
	jobType := *alloc.Job.Type
	known := alloc.DeploymentStatus != nil && alloc.DeploymentStatus.Healthy != nil
	h.watched = !known && (h.deployed || jobType == api.JobTypeService) &&
		alloc.DesiredStatus == api.AllocDesiredStatusRun
	switch {
	case h.deployed && group.Update != nil:
		h.take(group.Update.HealthCheck, group.Update.MinHealthyTime, group.Update.HealthyDeadline)
	case group.Migrate != nil:
		h.take(group.Migrate.HealthCheck, group.Migrate.MinHealthyTime, group.Migrate.HealthyDeadline)
	}
	h.watched = h.watched && h.by != byOperator
	h.deadline = time.Now().Add(h.limit)
	return h
}

func (h *health) take(by *string, minimum, limit *time.Duration) {
	if by != nil && *by != "" {
		h.by = *by
	}
	if minimum != nil {
		h.minimum = *minimum
	}
	if limit != nil && *limit > 0 {
		h.limit = *limit
	}
}

// examine looks at the allocation, and says when to look again, and upon what.
func (h *health) examine() (next time.Duration, checks <-chan struct{}) {
	if h.untold {
		h.tellWhenDead()
	}
	if !h.watched {
		return idleExamination, nil
	}
	now := time.Now()
	passing, checks := h.checks()
	started, running, dead := h.alloc.taskHealth()
	switch {
	case dead:
		h.settle(false)
		h.untold = true
		h.tellWhenDead()
		return idleExamination, nil
	case !running || !passing:
		h.since = time.Time{}
	case h.since.IsZero() || started.After(h.since):
		h.since = latest(started, h.sinceChecks(now))
	}
	switch {
	case !h.since.IsZero() && now.Sub(h.since) >= h.minimum:
		h.settle(true)
		return idleExamination, nil
	case !now.Before(h.deadline):
		h.settle(false)
		h.tell(h.late(running, passing))
		return idleExamination, nil
	}
	next = h.deadline.Sub(now)
	if !h.since.IsZero() {
		next = min(next, h.since.Add(h.minimum).Sub(now))
	}
	return next, checks
}

// sinceChecks is when checks began to pass that the health depends on.
func (h *health) sinceChecks(now time.Time) time.Time {
	if h.by == byChecks && h.alloc.servicesNow() != nil {
		return now
	}
	return time.Time{}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (h *health) checks() (passing bool, changed <-chan struct{}) {
	services := h.alloc.servicesNow()
	if h.by != byChecks || services == nil {
		return true, nil
	}
	return services.Healthy()
}

// late is what a deadline finds amiss of tasks that run; empty leaves it to each
// task.
func (h *health) late(running, passing bool) string {
	switch {
	case !running:
		return ""
	case !passing:
		return "Services not healthy by deadline"
	}
	return fmt.Sprintf("Task not running for min_healthy_time of %v by healthy_deadline of %v", h.minimum, h.limit)
}

// tellWhenDead has the tasks say why the allocation does not become healthy once
// all are dead, as they are soon without the one that is.
func (h *health) tellWhenDead() {
	a := h.alloc
	a.mu.Lock()
	dead := a.allLocked(func(t *taskRunner) bool { return t.stage == poststop || t.state.State == taskDead })
	a.mu.Unlock()
	if dead {
		h.untold = false
		h.tell("")
	}
}

// tell has the tasks of a deployment say why the allocation does not become
// healthy: for a reason that they share, or for what each is.
func (h *health) tell(reason string) {
	if !h.deployed {
		return
	}
	a := h.alloc
	a.mu.Lock()
	quiet := a.stopped || a.halted
	reasons := make([]string, len(a.tasks))
	for i, t := range a.tasks {
		switch {
		case reason != "":
			reasons[i] = reason
		case t.state.State == taskDead && t.state.Failed:
			reasons[i] = "Unhealthy because of failed task"
		case t.state.State == taskDead && t.stage != prestart && t.stage != poststart:
			reasons[i] = "Unhealthy because of dead task"
		case t.state.State != taskRunning:
			reasons[i] = fmt.Sprintf("Task not running by healthy_deadline of %v", h.limit)
		}
	}
	a.mu.Unlock()
	if quiet {
		return
	}
	for i, t := range a.tasks {
		if reasons[i] != "" {
			t.emit(withMessage(eventUnhealthy, reasons[i]))
		}
	}
}

// settle records the result, which stays.
func (h *health) settle(healthy bool) {
	h.watched = false
	a := h.alloc
	a.mu.Lock()
	status := &api.AllocDeploymentStatus{}
	if a.alloc.DeploymentStatus != nil {
		*status = *a.alloc.DeploymentStatus
	}
	status.Healthy, status.Timestamp = &healthy, time.Now().UTC()
	a.deployment = status
	a.mu.Unlock()
	a.changed()
}

// end records that an allocation which has ended does not become healthy.
func (h *health) end() {
	if h.examine(); h.watched {
		h.settle(false)
	}
}
