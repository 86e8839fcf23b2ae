package deploy

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/nomad/api"
)

// deploy has Nomad run a job as its file says, and waits, unless it is not to,
// until it is healthy.
func (d *deployment) deploy(ctx context.Context, u *unit, wait bool) error {
	w, err := d.register(ctx, u)
	switch {
	case err != nil:
	case wait:
		err = w.wait(ctx)
	case w.unchanged:
		d.tell(u, Unchanged, w.version, "")
	}
	if err != nil {
		d.tell(u, Failed, versionOf(u.known), err.Error())
		return &JobError{Job: u.id, Err: err}
	}
	return nil
}

// register registers a job, unless it is there as its file says.
func (d *deployment) register(ctx context.Context, u *unit) (*watch, error) {
	w := &watch{d: d, u: u}
	if u.known != nil {
		c, err := d.plan(ctx, u)
		if err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		if c.Kind == ChangeNone {
			w.version, w.unchanged = *u.known.Version, true
			return w, nil
		}
	}
	warnings, err := w.register(ctx)
	if err != nil {
		return nil, err
	}
	d.tell(u, Registered, w.version, warnings)
	return w, nil
}

func (w *watch) register(ctx context.Context) (warnings string, err error) {
	inJobs := w.d.options.Nomad.Jobs()
	answer, _, err := inJobs.RegisterOpts(w.u.Job.Job, &api.RegisterOptions{Submission: w.u.Submission()}, w.u.writing(ctx))
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	if w.u.known, _, err = inJobs.Info(w.u.id, w.u.reading(ctx)); err != nil {
		return "", fmt.Errorf("read what was registered: %w", err)
	}
	w.version, w.evaluation = *w.u.known.Version, answer.EvalID
	return oneLine(answer.Warnings), nil
}

// oneLine is what Nomad warns of, without how many warnings it has.
func oneLine(warnings string) string {
	_, list, _ := strings.Cut(warnings, "\n")
	return strings.TrimPrefix(strings.Join(strings.Fields(list), " "), "* ")
}

// retry gives an unchanged job that has failed another chance, as what it needs
// may be there by now. One of which nothing runs is stopped first: Nomad starts
// nothing anew for a deployment that has failed.
func (w *watch) retry(ctx context.Context, s seen) (err error) {
	w.retried = true
	inJobs := w.d.options.Nomad.Jobs()
	if !slices.ContainsFunc(s.allocations, isAlive) {
		if _, _, err = inJobs.Deregister(w.u.id, false, w.u.writing(ctx)); err == nil {
			_, err = w.register(ctx)
			w.unchanged = false
		}
	}
	if err == nil {
		w.evaluation, _, err = inJobs.EvaluateWithOpts(w.u.id, api.EvalOptions{ForceReschedule: true}, w.u.writing(ctx))
	}
	if err != nil {
		return fmt.Errorf("try again: %w", err)
	}
	w.d.tell(w.u, Registered, w.version, "tried again, as it had failed")
	return nil
}

// hasFailed tells whether an allocation has failed, and nothing has come in its place.
func hasFailed(a *api.AllocationListStub) bool {
	return a.DesiredStatus == api.AllocDesiredStatusRun && a.ClientStatus == api.AllocClientStatusFailed
}

// isAlive tells whether an allocation runs, or is about to.
func isAlive(a *api.AllocationListStub) bool {
	return a.ClientStatus == api.AllocClientStatusRunning || a.ClientStatus == api.AllocClientStatusPending
}

func versionOf(job *api.Job) uint64 {
	if job == nil || job.Version == nil {
		return 0
	}
	return *job.Version
}
