package deploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/jobs/explain"
)

const (
	// lookAgain is the time between two looks at a job.
	lookAgain = 250 * time.Millisecond
	// tellAfter is how long a job has to wait for something to be told of it.
	tellAfter = time.Second
	// placedWithin is how long an evaluation may be blocked before its job is
	// taken for one that no node can run.
	placedWithin = 10 * time.Second
	// answeredWithin is how long Nomad may be away, as while it chooses a leader.
	answeredWithin = 30 * time.Second
	// healthyWithin is how long instances that no deployment watches may take,
	// where the job does not say.
	healthyWithin = 5 * time.Minute
)

// watch waits for a version of a job.
type watch struct {
	d          *deployment
	u          *unit
	version    uint64
	unchanged  bool   // it was there before
	retried    bool   // it was, and had failed
	evaluation string // of its registration

	told    string    // what the job was said to wait for last
	waiting string    // what it waits for now
	since   time.Time // since when it does
	lost    string    // the instance that has failed, with nothing in its place
	blocked time.Time // since when it has no place; zero if it has
	settles time.Time // since when nothing but its instances is waited for; zero if something is
}

// seen is what Nomad says of a job at one moment.
type seen struct {
	job         *api.Job
	deployment  *api.Deployment // of the version that is waited for; nil if there is none
	evaluations []*api.Evaluation
	allocations []*api.AllocationListStub
}

// wait waits until the version is healthy. The error says why it will not be,
// or, when the context ends, what it waits for then.
func (w *watch) wait(ctx context.Context) error {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	answered := time.Now()
	for {
		s, err := w.look(ctx)
		if err == nil {
			answered = time.Now()
			state, detail, err := w.judge(ctx, s)
			if err != nil {
				return err
			}
			if state != Waiting {
				w.d.tell(w.u, state, w.version, detail)
				return nil
			}
			w.waitsFor(detail)
		} else if ctx.Err() == nil && time.Since(answered) > answeredWithin {
			return fmt.Errorf("ask Nomad: %w", err)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return fmt.Errorf("%w while it waits for this: %s", context.Cause(ctx), w.waiting)
		}
	}
}

// waitsFor tells what the job waits for, once, and unless it passes quickly.
func (w *watch) waitsFor(detail string) {
	if detail != w.waiting {
		w.waiting, w.since = detail, time.Now()
	}
	if detail != w.told && time.Since(w.since) >= tellAfter {
		w.told = detail
		w.d.tell(w.u, Waiting, w.version, detail)
	}
}

// look asks Nomad. What is decided later is looked at first, so that nothing is
// missed in between.
func (w *watch) look(ctx context.Context) (s seen, err error) {
	inJobs := w.d.options.Nomad.Jobs()
	deployments, _, err := inJobs.Deployments(w.u.id, false, w.u.reading(ctx))
	if err != nil {
		return s, err
	}
	for _, d := range deployments {
		if d.JobVersion == w.version && (s.deployment == nil || d.CreateIndex > s.deployment.CreateIndex) {
			s.deployment = d
		}
	}
	if s.evaluations, _, err = inJobs.Evaluations(w.u.id, w.u.reading(ctx)); err != nil {
		return s, err
	}
	if s.job, _, err = inJobs.Info(w.u.id, w.u.reading(ctx)); err != nil {
		return s, err
	}
	if s.deployment != nil && s.deployment.JobCreateIndex != *s.job.CreateIndex {
		s.deployment = nil // of a job that had the name before
	}
	s.allocations, _, err = inJobs.Allocations(w.u.id, false, w.u.reading(ctx))
	return s, err
}

// judge says how far the job is, or why it will not become healthy.
func (w *watch) judge(ctx context.Context, s seen) (State, string, error) {
	if s.job.Stop != nil && *s.job.Stop {
		return "", "", errStopped
	}
	if s.job.IsPeriodic() || s.job.IsParameterized() {
		return w.done(), "it waits for its time", nil
	}
	if waiting, err := w.unplaced(s); err != nil || waiting != "" {
		return Waiting, waiting, err
	}
	if w.unchanged && !w.retried && slices.ContainsFunc(s.allocations, hasFailed) {
		return Waiting, "another try", w.retry(ctx, s)
	}
	if d := s.deployment; d != nil && !(w.unchanged && d.Status == api.DeploymentStatusFailed) {
		switch d.Status {
		case api.DeploymentStatusSuccessful:
		case api.DeploymentStatusFailed:
			return "", "", w.failed(ctx, d)
		case api.DeploymentStatusCancelled:
			if *s.job.Version == w.version {
				return "", "", fmt.Errorf("deployment %s was cancelled: %s", short(d.ID), d.StatusDescription)
			}
			w.version, w.unchanged = *s.job.Version, false
			return Waiting, fmt.Sprintf("version %d, which came after", w.version), nil
		default:
			return w.deploying(ctx, s)
		}
	}
	return w.settled(ctx, s)
}

// done is the state of a job that is as it is to be.
func (w *watch) done() State {
	if w.unchanged && !w.retried {
		return Unchanged
	}
	return Healthy
}

// unplaced says what the scheduler has still to do, now. The error is that it cannot.
func (w *watch) unplaced(s seen) (waiting string, err error) {
	now := time.Now()
	for _, e := range s.evaluations {
		switch {
		case e.Status == api.EvalStatusPending && e.WaitUntil.Before(now):
			return "it is not scheduled yet", nil
		case e.ID == w.evaluation && e.Status == api.EvalStatusFailed:
			return "", fmt.Errorf("evaluation %s failed: %s", short(e.ID), e.StatusDescription)
		case e.Status != api.EvalStatusBlocked:
			continue
		}
		if w.blocked.IsZero() {
			w.blocked = now
		}
		why := explain.Unplaced(e.FailedTGAllocs)
		if now.Sub(w.blocked) > placedWithin {
			return "", fmt.Errorf("no node can run it: evaluation %s is blocked: %s; Nomad places it as soon as one can", short(e.ID), why)
		}
		return "a place: " + why, nil
	}
	w.blocked = time.Time{}
	return "", nil
}

// deploying says how far a deployment is that goes on.
func (w *watch) deploying(ctx context.Context, s seen) (State, string, error) {
	d := s.deployment
	text := ""
	for _, name := range sortedGroups(d) {
		group := d.TaskGroups[name]
		desired := group.DesiredTotal
		if group.DesiredCanaries > 0 && !group.Promoted {
			desired = group.DesiredCanaries
		}
		if group.HealthyAllocs < desired {
			text = fmt.Sprintf("%d of %d instances healthy", group.HealthyAllocs, desired)
			break
		}
	}
	switch {
	case text == "" && promotable(d):
		return Promotable, fmt.Sprintf("its canaries are healthy; `nomad deployment promote %s` has them take over", short(d.ID)), nil
	case d.Status == api.DeploymentStatusPaused:
		text = fmt.Sprintf("deployment %s is paused; `nomad deployment resume %s` has it go on", short(d.ID), short(d.ID))
	case text == "":
		text = d.StatusDescription
	}
	if err := w.failedAgain(ctx, s); err != nil {
		return "", "", err
	}
	for _, a := range w.ours(s) {
		if !isHealthy(a) {
			return Waiting, text + "; allocation " + a.Name + ": " + w.d.cluster.Unhealthy(ctx, a), nil
		}
	}
	return Waiting, text, nil
}

// promotable tells whether somebody has to promote the canaries of a deployment.
func promotable(d *api.Deployment) bool {
	for _, group := range d.TaskGroups {
		if group.DesiredCanaries > 0 && !group.Promoted {
			return true
		}
	}
	return false
}

// settled says whether the instances that there are to be are healthy now, when
// no deployment goes on.
func (w *watch) settled(ctx context.Context, s seen) (State, string, error) {
	waiting := w.unsettled(ctx, s)
	if waiting == "" {
		return w.done(), "", nil
	}
	if err := w.failedAgain(ctx, s); err != nil {
		return "", "", err
	}
	if w.settles.IsZero() {
		w.settles = time.Now()
	}
	if within := healthyDeadline(s.job); time.Since(w.settles) > within {
		return "", "", fmt.Errorf("it is not healthy after %s: %s", within, waiting)
	}
	return Waiting, waiting, nil
}

// failedAgain is the failure of an instance that came in the place of one that
// had failed, too, or that nothing comes in the place of.
func (w *watch) failedAgain(ctx context.Context, s seen) error {
	for _, a := range s.allocations {
		if a.JobVersion != w.version || a.ClientStatus != api.AllocClientStatusFailed {
			continue
		}
		again := a.RescheduleTracker != nil && len(a.RescheduleTracker.Events) > 0 && a.CreateTime > w.d.began.UnixNano()
		last := hasFailed(a) && a.NextAllocation == "" && a.FollowupEvalID == "" && !w.fails(s.deployment)
		if again || last && w.lost == a.ID {
			return fmt.Errorf("allocation %s on node %s failed: %s\n  %s", a.Name, a.NodeName, w.d.cluster.Failed(ctx, a), running(s, w.version))
		}
		if last {
			w.lost = a.ID // unless there is something in its place when it is looked at again
		}
	}
	return nil
}

// fails tells whether a deployment that goes on fails by itself as soon as an
// instance does.
func (w *watch) fails(d *api.Deployment) bool {
	if d == nil || d.Status != api.DeploymentStatusRunning {
		return false
	}
	for _, group := range d.TaskGroups {
		if group.ProgressDeadline != 0 {
			return false
		}
	}
	return true
}

// unsettled says what keeps the instances from being healthy; empty if all are.
func (w *watch) unsettled(ctx context.Context, s seen) string {
	batch := *s.job.Type == api.JobTypeBatch || *s.job.Type == api.JobTypeSysbatch
	healthy := map[string]int{}
	for _, a := range w.ours(s) {
		switch {
		case batch && a.ClientStatus == api.AllocClientStatusComplete:
		case a.ClientStatus != api.AllocClientStatusRunning, a.DeploymentStatus != nil && !isHealthy(a):
			return "allocation " + a.Name + ": " + w.d.cluster.Unhealthy(ctx, a)
		default:
			if check := w.d.cluster.FailingCheck(ctx, a.ID); check != "" {
				return "allocation " + a.Name + ": " + check
			}
		}
		healthy[a.TaskGroup]++
	}
	if *s.job.Type == api.JobTypeSystem || *s.job.Type == api.JobTypeSysbatch {
		return ""
	}
	for _, group := range s.job.TaskGroups {
		if count := countOf(group); healthy[*group.Name] < count {
			return fmt.Sprintf("%d of %d instances of group %q", healthy[*group.Name], count, *group.Name)
		}
	}
	return ""
}

// ours are the instances of the version that are to run.
func (w *watch) ours(s seen) []*api.AllocationListStub {
	return slices.DeleteFunc(slices.Clone(s.allocations), func(a *api.AllocationListStub) bool {
		return a.JobVersion != w.version || a.DesiredStatus != api.AllocDesiredStatusRun
	})
}

// isHealthy tells whether an instance was found healthy.
func isHealthy(a *api.AllocationListStub) bool {
	return a.DeploymentStatus != nil && a.DeploymentStatus.Healthy != nil && *a.DeploymentStatus.Healthy
}

// healthyDeadline is how long the instances of a job may take to be healthy.
func healthyDeadline(job *api.Job) time.Duration {
	longest := time.Duration(0)
	for _, group := range job.TaskGroups {
		if group.Update != nil && group.Update.HealthyDeadline != nil {
			longest = max(longest, *group.Update.HealthyDeadline)
		}
	}
	if longest == 0 {
		return healthyWithin
	}
	return longest
}

// short is an ID as people write it.
func short(id string) string { return id[:min(len(id), 8)] }
