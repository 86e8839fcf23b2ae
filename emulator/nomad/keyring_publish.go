package nomad

import (
	"context"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// publishKeys puts keys to use that were published before, at their time. The
// first key is made right away where there are nodes: their tasks will want it.
func (r *region) publishKeys(ctx context.Context) {
	if len(r.options.Nodes) > 0 {
		if _, err := r.keys.Active(); err != nil {
			r.nomad.log.Error("a root key is not made", "region", r.options.Name, "error", err)
		}
	}
	for ctx.Err() == nil {
		view := r.store.View()
		next := nextPublished(view)
		if next == nil || time.Unix(0, next.PublishTime).After(time.Now()) {
			var at time.Time
			if next != nil {
				at = time.Unix(0, next.PublishTime)
			}
			waitUntil(ctx, view, at)
			continue
		}
		err := r.store.Write(func(tx *state.Tx) error {
			active := *next
			active.State = api.RootKeyStateActive
			tx.UpsertRootKey(&active)
			return nil
		})
		if err != nil {
			r.nomad.log.Error("a published key is not put to use", "region", r.options.Name, "key", next.KeyID, "error", err)
			return
		}
	}
}

// nextPublished is the key whose time comes first; nil when there is none.
func nextPublished(view *state.View) *state.RootKey {
	var next *state.RootKey
	for key := range view.RootKeys() {
		if key.State == api.RootKeyStatePrepublished && (next == nil || key.PublishTime < next.PublishTime) {
			next = key
		}
	}
	return next
}
