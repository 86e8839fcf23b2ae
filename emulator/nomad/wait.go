package nomad

import (
	"context"
	"time"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// waitUntil returns when something that was read through the view changes, at
// the time unless that is zero, or when the context ends.
func waitUntil(ctx context.Context, view *state.View, at time.Time) {
	if !at.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	_ = view.Wait(ctx) // why it ended, the caller sees for itself
}

// tableIndex is the index of a table's last change, for lists that are told as
// if they had been written to from the start.
func tableIndex(view *state.View, table string) uint64 { return max(1, view.Index(table)) }
