package nomad

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/acl"
	"github.com/drydock/drydock/emulator/nomad/jobs"
	"github.com/drydock/drydock/emulator/nomad/scheduler"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// forced is the answer to launching a periodic job at once.
type forced struct {
	EvalID          string
	EvalCreateIndex uint64
	Index           uint64
}

// forcePeriodic launches a periodic job now, whenever it would be launched.
func (r *request) forcePeriodic() (any, error) {
	namespace, id := r.namespace(), r.PathValue("id")
	if err := r.needIn(namespace, acl.DispatchJob, acl.SubmitJob); err != nil {
		return nil, err
	}
	var answer forced
	err := r.write(func(tx *state.Tx) error {
		tx.About("JobRegistered")
		job := tx.Job(namespace, id)
		switch {
		case job == nil:
			return fail(http.StatusInternalServerError, "job not found")
		case !job.IsPeriodic():
			return fail(http.StatusInternalServerError, "can't force launch non-periodic job")
		case !launches(job):
			return fail(http.StatusInternalServerError, "force launch for job %q failed: can't force run non-tracked job %q (%s)", id, id, namespace)
		}
		e := launchPeriodic(tx, job, tx.Now())
		answer = forced{EvalID: e.ID, EvalCreateIndex: tx.ChangeIndex(), Index: tx.ChangeIndex()}
		return nil
	})
	return answer, err
}

// launches tells whether a periodic job is launched at its times.
func launches(job *api.Job) bool {
	return job.IsPeriodic() && *job.Periodic.Enabled && !*job.Stop && !job.IsParameterized()
}

// launchPeriodic launches a periodic job for a time.
func launchPeriodic(tx *state.Tx, job *api.Job, at time.Time) *api.Evaluation {
	tx.RecordLaunch(job, at)
	return launch(tx, jobs.Launch(job, at, tx.Now()), scheduler.TriggerPeriodicJob)
}

// launchPeriodics launches the periodic jobs at their times, until the context ends.
func (r *region) launchPeriodics(ctx context.Context) {
	for ctx.Err() == nil {
		view := r.store.View()
		next := time.Time{}
		for job := range view.PeriodicJobs() {
			due := r.dueAt(view, job)
			if due.IsZero() {
				continue
			}
			if next.IsZero() || due.Before(next) {
				next = due
			}
		}
		if !next.IsZero() && !next.After(time.Now()) {
			r.launchDue(time.Now())
			continue
		}
		waitUntil(ctx, view, next)
	}
}

// dueAt is when a job is launched next: the first of its times after its latest
// launch, or after it was registered. Zero is never.
func (r *region) dueAt(view *state.View, job *api.Job) time.Time {
	if !launches(job) {
		return time.Time{}
	}
	due, err := jobs.Next(job.Periodic, view.LatestLaunch(job))
	if err != nil {
		r.nomad.log.Error("a periodic job has no next time", "job", *job.ID, "error", err)
		return time.Time{}
	}
	return due
}

// launchDue launches the jobs whose time has come. A job that prohibits overlap
// passes over a time at which an earlier launch of it still runs.
func (r *region) launchDue(now time.Time) {
	err := r.store.Write(func(tx *state.Tx) error {
		tx.About("JobRegistered")
		for _, job := range slices.Collect(tx.PeriodicJobs()) {
			due := r.dueAt(&tx.View, job)
			if due.IsZero() || due.After(now) {
				continue
			}
			if missed, err := jobs.Next(job.Periodic, due); err == nil && !missed.IsZero() && !missed.After(now) {
				due = now // once for all times that have passed
			}
			if *job.Periodic.ProhibitOverlap && overlaps(tx, job) {
				tx.RecordLaunch(job, due)
				continue
			}
			launchPeriodic(tx, job, due)
		}
		return nil
	})
	if err != nil {
		r.nomad.log.Error("periodic jobs cannot be launched", "error", err)
	}
}

// overlaps tells whether a launch of the job has not ended yet.
func overlaps(tx *state.Tx, job *api.Job) bool {
	for child := range tx.JobChildren(*job.Namespace, *job.ID) {
		if child.Periodic == nil && *child.Status != state.JobDead && !child.Dispatched {
			return true
		}
	}
	return false
}
