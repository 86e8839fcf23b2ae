package nomad

import (
	"context"
	"slices"
	"time"

	"github.com/drydock/drydock/emulator/nomad/drain"
	"github.com/drydock/drydock/emulator/nomad/state"
)

// drainBatch is how long changes are gathered before drains go on, as by the real
// servers: whoever watches a drain sees it begin.
const drainBatch = time.Second

// watchDrains has the draining nodes go on: it decides when something has changed
// that one of them depends on, or a deadline is there.
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
		if overdue := !due.IsZero() && !time.Now().Before(due); overdue {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(drainBatch):
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
			if len(decision.Leave) > 0 {
				tx.About(causeDesiredStatus)
			}
			decision.Apply(tx)
			return nil
		}); err != nil {
			return due, err
		}
	}
	return due, nil
}
