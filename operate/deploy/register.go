package deploy

import (
	"context"
	"fmt"

	"github.com/hashicorp/nomad/api"
)

// deploy has Nomad run a job as its file says, and waits, unless it is not to,
// until it is healthy.
func (d *deployment) deploy(ctx context.Context, u *unit, wait bool) error {
	w, err := d.register(ctx, u)
	if err == nil && wait {
		err = w.wait(ctx)
	}
	if err != nil {
		d.tell(u, Failed, versionOf(u.known), err.Error())
		return &JobError{Job: u.id, Err: err}
	}
	return nil
}

// register registers a job; one that is the same Nomad leaves as it is.
func (d *deployment) register(ctx context.Context, u *unit) (*watch, error) {
	before := u.known
	answer, _, err := d.options.Nomad.Jobs().RegisterOpts(u.Job.Job, &api.RegisterOptions{Submission: u.Submission()}, u.writing(ctx))
	if err != nil {
		return nil, fmt.Errorf("register: %w", err)
	}
	if u.known, _, err = d.options.Nomad.Jobs().Info(u.id, u.reading(ctx)); err != nil {
		return nil, fmt.Errorf("read what was registered: %w", err)
	}
	w := &watch{d: d, u: u, version: *u.known.Version, evaluation: answer.EvalID}
	w.unchanged = before != nil && *before.Version == w.version
	if !w.unchanged {
		d.tell(u, Registered, w.version, answer.Warnings)
	}
	return w, nil
}

func versionOf(job *api.Job) uint64 {
	if job == nil || job.Version == nil {
		return 0
	}
	return *job.Version
}
