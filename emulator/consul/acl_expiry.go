package consul

import (
	"context"
	"time"

	"github.com/drydock/drydock/emulator/consul/state"
)

// reapTokens removes the tokens that expire, when they do, until the context ends.
func (d *datacenter) reapTokens(ctx context.Context) {
	for ctx.Err() == nil {
		view := d.store.View()
		next, ok := view.NextExpiry()
		if ok && !next.After(time.Now()) {
			if err := d.store.Write(func(tx *state.Tx) error {
				tx.DeleteExpiredTokens()
				return nil
			}); err != nil {
				d.consul.log.Error("expired tokens are not removed", "datacenter", d.name, "error", err)
				return
			}
			continue
		}
		waitUntil(ctx, view, next, ok)
	}
}

// waitUntil returns when something that was read through the view changes, at
// the time if there is one, or when the context ends.
func waitUntil(ctx context.Context, view *state.View, at time.Time, limited bool) {
	if limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	_ = view.Wait(ctx) // why it ended, the caller sees for itself
}
