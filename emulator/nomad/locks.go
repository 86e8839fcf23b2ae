package nomad

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// lockPatience is how many times its TTL a lock is held that is not renewed.
const lockPatience = 2

// locks knows until when the locks of variables are held. It is kept in memory:
// after a restart all are held as if they were just renewed.
type locks struct {
	mu   sync.Mutex
	held map[string]time.Time // by the lock's ID
}

// renew has a lock held for another while.
func (l *locks) renew(lock *api.VariableLock) {
	ttl, _, err := lockTimes(lock)
	if err != nil {
		return // it was checked before it was stored
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held == nil {
		l.held = map[string]time.Time{}
	}
	l.held[lock.ID] = time.Now().Add(lockPatience * ttl)
}

// count is how many locks are held.
func (l *locks) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}

// lost tells whether a lock is not held any more, though it may be some time
// until others get it.
func (l *locks) lost(lock *api.VariableLock) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	until, known := l.held[lock.ID]
	return known && !until.After(time.Now())
}

// due are the variables whose locks are to be released: those that were lost
// and whose delay is over. Next is when there will be more; zero is never.
func (l *locks) due(view *state.View, now time.Time) (due []*state.Variable, next time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := map[string]time.Time{}
	for v := range view.LockedVariables() {
		ttl, delay, err := lockTimes(v.Lock)
		if err != nil {
			continue // it was checked before it was stored
		}
		until, known := l.held[v.Lock.ID]
		if !known {
			until = now.Add(lockPatience * ttl)
		}
		held[v.Lock.ID] = until
		release := until.Add(delay)
		switch {
		case !release.After(now):
			due = append(due, v)
		case next.IsZero() || release.Before(next):
			next = release
		}
	}
	l.held = held
	return due, next
}

// releaseLocks gives back the locks that were lost.
func (r *region) releaseLocks(ctx context.Context) {
	for ctx.Err() == nil {
		view := r.store.View()
		due, next := r.locks.due(view, time.Now())
		if len(due) == 0 {
			waitUntil(ctx, view, next)
			continue
		}
		err := r.store.Write(func(tx *state.Tx) error {
			for _, v := range due {
				if now := tx.Variable(v.Namespace, v.Path); now != nil && now.Lock != nil && now.Lock.ID == v.Lock.ID {
					tx.ReleaseVariable(now)
				}
			}
			return nil
		})
		if err != nil {
			r.nomad.log.Error("locks that were lost are not released", "region", r.options.Name, "error", err)
			return
		}
	}
}

// lockTimes are those of a lock.
func lockTimes(lock *api.VariableLock) (ttl, delay time.Duration, err error) {
	if ttl, err = time.ParseDuration(lock.TTL); err == nil {
		delay, err = time.ParseDuration(lock.LockDelay)
	}
	return ttl, delay, err
}
