package nomad

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/drydock/drydock/emulator/nomad/state"
)

const (
	defaultWait = 5 * time.Minute
	maximumWait = 10 * time.Minute
	// jitter is the part of the wait, 1/16, that at most is added to it at random,
	// so that clients do not all come back at once.
	jitter = 16
)

// block answers a blocking query: it reads until the index is higher than the
// one that the client has, or the wait is over, and says in the headers what
// was read. Read returns the answer and its index. An error with an index is an
// answer too (nothing there yet, say); one with the index 0 ends the query.
// Whoever has no index, or 0, does not wait.
func (r *request) block(read func(*state.View) (answer any, index uint64, err error)) (any, error) {
	seen, wait, err := r.blocking()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	var answer any
	var index uint64
	watching := r.region.store.Watch(ctx, func(view *state.View) bool {
		if answer, index, err = read(view); err != nil && index == 0 {
			return true
		}
		index = max(index, view.RestoredIndex())
		return seen == 0 || index > seen
	})
	if watching != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, watching // the client has gone, or the Nomad is closing
	}
	r.setIndex(index)
	return answer, err
}

// blocking reads the parameters index and wait.
func (r *request) blocking() (seen uint64, wait time.Duration, err error) {
	wait = defaultWait
	if text := r.query.Get("wait"); text != "" {
		if wait, err = time.ParseDuration(text); err != nil {
			return 0, 0, badRequest("Invalid wait time")
		}
	}
	if text := r.query.Get("index"); text != "" {
		if seen, err = strconv.ParseUint(text, 10, 64); err != nil {
			return 0, 0, badRequest("Invalid index")
		}
	}
	if wait <= 0 {
		wait = defaultWait
	}
	wait = min(wait, maximumWait)
	return seen, wait + rand.N(wait/jitter+1), nil
}

// setIndex says which state the answer is of. There is one copy of the state,
// which is always reached and never behind.
func (r *request) setIndex(index uint64) {
	r.header.Set("X-Nomad-Index", strconv.FormatUint(index, 10))
	r.header.Set("X-Nomad-KnownLeader", "true")
	r.header.Set("X-Nomad-LastContact", "0")
}
