package consul

import (
	"context"
	"errors"

	"github.com/drydock/drydock/emulator/consul/state"
)

// blockOnHash answers what an agent has itself: it reads until the answer's
// hash is not the one that the client has, or the wait is over. An error ends it.
func (r *request) blockOnHash(read func(*state.View) (answer any, hash string, err error)) (any, error) {
	_, wait, err := r.blocking()
	if err != nil {
		return nil, err
	}
	seen := r.query.Get("hash")
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	var answer any
	var hash string
	watching := r.agent.dc.store.Watch(ctx, func(view *state.View) bool {
		answer, hash, err = read(view)
		return err != nil || seen == "" || hash != seen
	})
	if watching != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, watching // the client has gone, or the Consul is closing
	}
	if hash != "" {
		r.header.Set("X-Consul-ContentHash", hash)
	}
	return answer, err
}
