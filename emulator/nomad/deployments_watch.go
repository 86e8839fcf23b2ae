package nomad

import (
	"context"
	"slices"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/deployments"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// watchDeployments has the running deployments go on: it decides whenever
// something has changed that one of them depends on, or a deadline is there.
func (r *region) watchDeployments(ctx context.Context) {
	for {
		view := r.store.View()
		due, err := r.decideDeployments(view)
		if err != nil {
			r.nomad.log.Error("a deployment cannot go on", "error", err)
		}
		if changeOr(ctx, view, due) != nil {
			return
		}
	}
}

// changeOr returns when something has changed that was read through the view
// or, unless it is zero, at the time. The error is the context's.
func changeOr(ctx context.Context, view *state.View, due time.Time) error {
	waiting := ctx
	if !due.IsZero() {
		var cancel context.CancelFunc
		waiting, cancel = context.WithDeadline(ctx, due)
		defer cancel()
	}
	_ = view.Wait(waiting) // its error is that of one of the contexts
	return ctx.Err()
}

// decideDeployments decides about each deployment, writes what is decided, and
// returns when time alone makes another decision necessary; zero for never.
func (r *region) decideDeployments(view *state.View) (due time.Time, err error) {
	active := slices.Collect(func(yield func(*api.Deployment) bool) {
		for d := range view.Deployments() {
			if state.DeploymentActive(d) && !yield(d) {
				return
			}
		}
	})
	for _, d := range active {
		decision := deployments.Decide(view, d, time.Now())
		if !decision.Due.IsZero() && (due.IsZero() || decision.Due.Before(due)) {
			due = decision.Due
		}
		if decision.Empty() {
			continue
		}
		if err := r.store.Write(func(tx *state.Tx) error {
			decision.Apply(tx)
			return nil
		}); err != nil {
			return due, err
		}
	}
	return due, nil
}
