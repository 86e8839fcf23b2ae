package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/drydock/drydock/cloud"
)

// Watch implements cloud.Records.
func (r *Records) Watch(ctx context.Context, prefix string) iter.Seq2[cloud.Change, error] {
	return func(yield func(cloud.Change, error) bool) {
		// After a restart of the server the client's watcher notices only by the
		// heartbeats it misses, half a minute later; the connection knows at once.
		reconnected := r.nc.StatusChanged(nats.CONNECTED, nats.CLOSED)
		defer r.nc.RemoveStatusListener(reconnected)
		var seen uint64 // the last revision that was yielded
		for goOn := true; goOn && ctx.Err() == nil; {
			var options []jetstream.WatchOpt
			if seen > 0 {
				options = append(options, jetstream.ResumeFromRevision(seen+1))
			}
			watcher, err := r.watch(ctx, prefix, options...)
			switch {
			case ctx.Err() != nil:
				return
			case errors.Is(err, nats.ErrConnectionClosed), errors.Is(err, cloud.ErrInvalid):
				yield(cloud.Change{}, err)
				return
			case err != nil: // the server is away: the next status tells when it is back
				goOn = wait(ctx, reconnected)
			default:
				goOn = follow(ctx, watcher, reconnected, func(entry jetstream.KeyValueEntry) bool {
					seen = entry.Revision()
					return yield(cloud.Change{
						Record:  cloud.Record{Key: decodeKey(entry.Key()), Value: entry.Value(), Revision: seen},
						Deleted: entry.Operation() != jetstream.KeyValuePut,
					}, nil)
				})
			}
		}
	}
}

// retryWatch is how long a failed watch waits for a sign of the server before it tries again.
const retryWatch = time.Second

// wait returns true when it is time to try again, false when the context ended.
func wait(ctx context.Context, reconnected <-chan nats.Status) bool {
	select {
	case <-reconnected:
	case <-time.After(retryWatch):
	case <-ctx.Done():
		return false
	}
	return true
}

// follow hands on a watcher's entries until the connection changes, which
// returns true, or until nobody wants more.
func follow(ctx context.Context, watcher *watcher, reconnected <-chan nats.Status, take func(jetstream.KeyValueEntry) bool) bool {
	defer watcher.stop()
	for {
		select {
		case entry, open := <-watcher.Updates():
			if !open {
				return true
			}
			if entry != nil && !take(entry) { // nil: all that was there has been seen
				return false
			}
		case <-reconnected:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

// watcher is what the client calls one, with an end that leaves nothing.
type watcher struct {
	jetstream.KeyWatcher
	end context.CancelFunc
}

// stop takes what the client has read and nobody wants: it would wait for ever
// to hand that over.
func (w *watcher) stop() {
	w.end()
	for {
		select {
		case _, open := <-w.Updates():
			if !open {
				return
			}
		case <-time.After(closeWait): // it ended before it began, and closes nothing
			return
		}
	}
}

// watch begins to watch. The caller stops the watcher.
func (r *Records) watch(ctx context.Context, prefix string, options ...jetstream.WatchOpt) (*watcher, error) {
	keys, err := below(prefix)
	if err != nil {
		return nil, err
	}
	watching, end := context.WithCancel(ctx) // as a watcher lives no longer than its context
	w := &watcher{end: end}
	err = r.call(ctx, func(ctx context.Context) (err error) {
		begun := context.AfterFunc(ctx, end)
		if w.KeyWatcher, err = r.kv.Watch(watching, keys, options...); err == nil && !begun() {
			err = ctx.Err()
		}
		return err
	})
	if err != nil {
		end()
		return nil, fmt.Errorf("watch records %s: %w", prefix, err)
	}
	return w, nil
}
