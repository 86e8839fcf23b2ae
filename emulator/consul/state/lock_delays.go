package state

import (
	"reflect"
	"time"
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

func lockDelayTable() table {
	return table{reflect.TypeFor[lockDelay](), indexes(unique("id", field("Key")))}
}

// lockDelayed tells whether a key cannot be locked yet.
func (v *View) lockDelayed(key string, now time.Time) bool {
	delay := First[lockDelay](v, tableLockDelays, "id", key)
	return delay != nil && now.Before(delay.Until)
}

// delayLock keeps a key from being locked for a while, and forgets the delays
// that are over.
func (tx *Tx) delayLock(key string, delay time.Duration) {
	for _, old := range Collect[lockDelay](&tx.View, tableLockDelays, "id") {
		if !tx.now.Before(old.Until) {
			tx.Delete(tableLockDelays, old)
		}
	}
	if delay > 0 {
		until := tx.now.Add(min(delay, maximumLockDelay))
		tx.Insert(tableLockDelays, &lockDelay{Key: key, Until: until})
	}
}
