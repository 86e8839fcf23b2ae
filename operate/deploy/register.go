package deploy

import (
	"context"
	"errors"
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

// register registers a job, unless it is there as its file says. Who does so at
// the same time has what is registered then looked at anew.
func (d *deployment) register(ctx context.Context, u *unit) (*watch, error) {
	w := &watch{d: d, u: u}
	for {
		before := u.index
		same, err := d.isSame(ctx, u)
		if err != nil {
			return nil, err
		}
		if same {
			w.version, w.unchanged = *u.known.Version, true
			return w, nil
		}
		warnings, err := w.register(ctx)
		if err == nil {
			d.tell(u, Registered, w.version, warnings)
			return w, nil
		}
		if failed := u.lookUp(ctx, d.options.Nomad); failed != nil || u.index == before {
			return nil, err
		}
	}
}

// isSame tells whether Nomad has the job as its file says.
func (d *deployment) isSame(ctx context.Context, u *unit) (bool, error) {
	if u.known == nil {
		return false, nil
	}
	c, err := d.plan(ctx, u)
	if err != nil {
		return false, fmt.Errorf("plan: %w", err)
	}
	return c.Kind == ChangeNone, nil
}

// register registers the job, unless another has changed it meanwhile.
func (w *watch) register(ctx context.Context) (warnings string, err error) {
	u, inNomad := w.u, w.d.options.Nomad
	answer, _, err := inNomad.Jobs().RegisterOpts(u.Job.Job, &api.RegisterOptions{
		EnforceIndex: true, ModifyIndex: u.index, Submission: u.Submission(),
	}, u.writing(ctx))
	if err != nil {
		return "", fmt.Errorf("register: %w", err)
	}
	if err := u.lookUp(ctx, inNomad); err != nil {
		return "", err
	}
	if u.known == nil {
		return "", errStopped
	}
	w.version, w.evaluation = *u.known.Version, answer.EvalID
	return oneLine(answer.Warnings), nil
}

var errStopped = errors.New("somebody has stopped it")

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
	if !slices.ContainsFunc(s.allocations, isAlive) {
		if err = w.startAnew(ctx); err != nil {
			return err
		}
	}
	w.evaluation, _, err = w.d.options.Nomad.Jobs().EvaluateWithOpts(w.u.id, api.EvalOptions{ForceReschedule: true}, w.u.writing(ctx))
	if err != nil {
		return fmt.Errorf("try again: %w", err)
	}
	w.d.tell(w.u, Registered, w.version, "tried again, as it had failed")
	return nil
}

// startAnew stops the job and registers it again.
func (w *watch) startAnew(ctx context.Context) error {
	if _, _, err := w.d.options.Nomad.Jobs().Deregister(w.u.id, false, w.u.writing(ctx)); err != nil {
		return fmt.Errorf("stop what has failed: %w", err)
	}
	if err := w.u.lookUp(ctx, w.d.options.Nomad); err != nil {
		return err
	}
	w.unchanged = false
	_, err := w.register(ctx)
	return err
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
