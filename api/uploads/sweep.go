package uploads

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/drydock/drydock/cloud"
	"github.com/drydock/drydock/contract"
)

// slot is how long all instances announce a lost object under one event id,
// so that the bus keeps one announcement of them all.
const slot = 10 * time.Minute

// sweeper finds the objects that arrived and that nobody finished, because
// their notification or a worker was lost, and announces them again.
type sweeper struct {
	*Service

	// settled is up to when everything signed by an owner is finished for
	// good: no later sweep looks at it.
	settled map[string]time.Time

	found atomic.Int64 // announced in this sweep

	mu        sync.Mutex        // over what the objects looked at side by side have in common
	announced map[string]string // the event's id by the object's key, for those unfinished in the last sweep
}

func newSweeper(s *Service) *sweeper {
	return &sweeper{Service: s, settled: map[string]time.Time{}, announced: map[string]string{}}
}

// run sweeps at once and then regularly, until the context ends.
func (w *sweeper) run(ctx context.Context) {
	ticker := time.NewTicker(w.options.SweepEvery)
	defer ticker.Stop()
	for {
		if err := w.sweep(ctx); err != nil && ctx.Err() == nil {
			w.options.Logger.ErrorContext(ctx, "sweep uploads", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweep goes over the bucket once. An owner whose sweep failed is swept from
// the same point again; the others are not held up.
func (w *sweeper) sweep(ctx context.Context) error {
	w.found.Store(0)
	defer func() {
		if found := w.found.Load(); found > 0 {
			w.options.Logger.WarnContext(ctx, "announced uploads that nobody had finished", "uploads", found)
		}
	}()
	var failures []error
	settled := map[string]time.Time{}
	last := w.announced
	w.announced = map[string]string{}
	for folder, err := range w.options.Objects.Folders(ctx, contract.Incoming) {
		if err != nil {
			w.announced = last
			return errors.Join(append(failures, err)...)
		}
		owner := strings.TrimSuffix(strings.TrimPrefix(folder, contract.Incoming), "/")
		if !contract.ValidOwner(owner) {
			continue // put there by somebody else
		}
		until, err := w.sweepOwner(ctx, owner, last)
		if err != nil {
			failures = append(failures, fmt.Errorf("owner %s: %w", owner, err))
			until = w.settled[owner]
		}
		settled[owner] = until
	}
	w.settled = settled
	return errors.Join(failures...)
}

// sweepOwner looks at what an owner signed since the last sweep's mark, newest
// first, and returns the next mark.
func (w *sweeper) sweepOwner(ctx context.Context, owner string, last map[string]string) (time.Time, error) {
	now, mark := w.now(), w.settled[owner]
	next := now.Add(-w.options.Expiry - late) // what was signed later may still arrive
	group, looking := errgroup.WithContext(ctx)
	group.SetLimit(readsAtOnce)
	for object, err := range w.options.Objects.List(looking, contract.Incoming+owner+"/", "") {
		if err != nil {
			group.Go(func() error { return err })
			break
		}
		_, id, _, ok := contract.ParseIncomingKey(object.Key)
		if !ok {
			continue
		}
		made, _ := contract.UploadTime(id)
		if made.Before(mark) {
			break
		}
		group.Go(func() error {
			done, err := w.settle(looking, object, owner, id, now, last[object.Key])
			w.mu.Lock()
			defer w.mu.Unlock()
			if !done && made.Before(next) {
				next = made
			}
			return err
		})
	}
	return next, group.Wait()
}

// settle tells whether no more work follows for an object, and announces it
// where nobody seems to be at work on it.
func (w *sweeper) settle(ctx context.Context, object cloud.ObjectInfo, owner, id string, now time.Time, announced string) (bool, error) {
	patience := now.Add(-w.options.SweepGrace)
	if object.Modified.After(patience) {
		return false, nil
	}
	doc, _, err := w.record(ctx, owner, id)
	switch {
	case errors.Is(err, cloud.ErrNotFound):
	case err != nil:
		return false, err
	case doc.Status == contract.StatusDeleted:
		return true, w.clear(ctx, owner, id)
	case doc.Status.Final() && doc.ETag == object.ETag:
		return true, nil
	case doc.Updated.After(patience):
		return false, nil
	}
	return false, w.announce(ctx, object, now, announced)
}

// announce publishes what the store's own notification would have said, once
// per slot.
func (w *sweeper) announce(ctx context.Context, object cloud.ObjectInfo, now time.Time, announced string) error {
	event := fmt.Sprintf("sweep/%s/%s/%d", object.Key, object.ETag, now.Unix()/int64(slot/time.Second))
	if event != announced {
		if err := w.options.Bus.Publish(ctx, contract.TopicObjectsCreated, cloud.Event{
			ID:      event,
			Source:  "/drydock/uploads",
			Type:    "dev.drydock.objects.created",
			Subject: object.Key,
			Data: contract.ObjectsCreated(contract.Object{
				Bucket: w.options.Objects.Bucket(), Key: object.Key, Size: object.Size, ETag: object.ETag,
			}),
		}); err != nil {
			return err
		}
		w.metrics.republished.Inc()
		w.found.Add(1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.announced[object.Key] = event
	return nil
}
