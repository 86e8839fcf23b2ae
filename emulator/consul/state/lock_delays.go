package state

import (
	"time"

	"github.com/drydock/drydock/emulator/store"
)

const (
	tableLockDelays = "lock_delays"

	// maximumLockDelay is the longest that a key stays locked after its session.
	maximumLockDelay = time.Minute
)

// lockDelay is until when nobody may lock a key.
type lockDelay struct {
	Key   string
	Until time.Time
}

func lockDelayTable() store.Table {
	return store.Rows[lockDelay](store.Unique("id", store.Field("Key")))
}

// lockDelayed tells whether a key cannot be locked yet.
func (v *View) lockDelayed(key string, now time.Time) bool {
	delay := store.First[lockDelay](v, tableLockDelays, "id", key)
	return delay != nil && now.Before(delay.Until)
}

// delayLock keeps a key from being locked for a while, and forgets the delays
// that are over.
func (tx *Tx) delayLock(key string, delay time.Duration) {
	for _, old := range store.Collect[lockDelay](tx, tableLockDelays, "id") {
		if !tx.Now().Before(old.Until) {
			tx.Delete(tableLockDelays, old)
		}
	}
	if delay > 0 {
		until := tx.Now().Add(min(delay, maximumLockDelay))
		tx.Insert(tableLockDelays, &lockDelay{Key: key, Until: until})
	}
}
