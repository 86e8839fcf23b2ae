package nomad

import (
	"context"
	"time"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// tokenGrace is how long a token that has expired is still told of.
const tokenGrace = 5 * time.Minute

// reapTokens removes the tokens that have expired, some time after.
func (r *region) reapTokens(ctx context.Context) {
	for ctx.Err() == nil {
		view := r.store.View()
		next := view.NextACLExpiry()
		if !next.IsZero() {
			next = next.Add(tokenGrace)
		}
		if next.IsZero() || next.After(time.Now()) {
			waitUntil(ctx, view, next)
			continue
		}
		err := r.store.Write(func(tx *state.Tx) error {
			tx.DeleteExpiredACLTokens()
			return nil
		})
		if err != nil {
			r.nomad.log.Error("expired tokens are not removed", "region", r.options.Name, "error", err)
			return
		}
	}
}
