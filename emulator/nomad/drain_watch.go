package nomad

import (
	"context"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/nomad/drain"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// watchDrains has the draining nodes go on: it decides whenever something has
// changed that one of them depends on, or a deadline is there.
func (r *region) watchDrains(ctx context.Context) {
	for {
		view := r.store.View()
		due, err := r.decideDrains(view)
		if err != nil {
			r.nomad.log.Error("a drain cannot go on", "error", err)
		}
		if changeOr(ctx, view, due) != nil {
			return
		}
	}
}

// decideDrains decides about each draining node, writes what is decided, and
// returns when time alone makes another decision necessary; zero for never.
func (r *region) decideDrains(view *state.View) (due time.Time, err error) {
	for _, node := range slices.Collect(view.Nodes()) {
		decision := drain.Decide(view, node, time.Now())
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
