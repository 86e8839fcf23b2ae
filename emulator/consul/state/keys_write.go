package state

import "fmt"

// SetKey writes the flags and the value of an entry; a session that holds it
// keeps it. What is as it was keeps its index.
func (tx *Tx) SetKey(k Key) *Key {
	old, _ := tx.Key(k.Key)
	k.LockIndex, k.Session = 0, ""
	if old != nil {
		k.Session = old.Session
	}
	return tx.putKey(k, old)
}

// CompareAndSetKey is SetKey for an entry whose ModifyIndex is the given one, or
// which is not there when that is 0. It tells whether it has written.
func (tx *Tx) CompareAndSetKey(k Key, index uint64) (*Key, bool) {
	if old, _ := tx.Key(k.Key); !unchangedSince(old, index) {
		return nil, false
	}
	return tx.SetKey(k), true
}

func unchangedSince(old *Key, index uint64) bool {
	if old == nil {
		return index == 0
	}
	return index != 0 && old.ModifyIndex == index
}

// LockKey is SetKey by the session k.Session, which holds the entry from then
// on. It tells whether it has, or had already: not when another session holds
// it. The error is a *LockDelayError or a *NoSessionError.
func (tx *Tx) LockKey(k Key) (*Key, bool, error) {
	if tx.lockDelayed(k.Key, tx.Now()) {
		return nil, false, &LockDelayError{k.Key}
	}
	if tx.Session(k.Session) == nil {
		return nil, false, &NoSessionError{k.Session}
	}
	old, _ := tx.Key(k.Key)
	switch {
	case old == nil:
		k.LockIndex = 1
	case old.Session == k.Session:
		k.LockIndex = old.LockIndex
	case old.Session == "":
		k.LockIndex = old.LockIndex + 1
	default:
		return nil, false, nil
	}
	return tx.putKey(k, old), true, nil
}

// UnlockKey is SetKey by the session k.Session, which holds the entry no more.
// It tells whether it did hold it. The error is a *NoSessionError when no
// session is named.
func (tx *Tx) UnlockKey(k Key) (*Key, bool, error) {
	if k.Session == "" {
		return nil, false, &NoSessionError{}
	}
	old, _ := tx.Key(k.Key)
	if old == nil || old.Session != k.Session {
		return nil, false, nil
	}
	k.Session, k.LockIndex = "", old.LockIndex
	return tx.putKey(k, old), true, nil
}

func (tx *Tx) putKey(k Key, old *Key) *Key {
	if len(k.Value) == 0 {
		k.Value = nil // as it is after a restart, too
	}
	k.CreateIndex, k.ModifyIndex = tx.ChangeIndex(), tx.ChangeIndex()
	if old != nil {
		if k.same(old) {
			return old
		}
		k.CreateIndex = old.CreateIndex
	}
	tx.Insert(TableKeys, &k)
	return &k
}

// DeleteKey removes an entry. It does nothing when there is none.
func (tx *Tx) DeleteKey(key string) {
	if old, _ := tx.Key(key); old != nil {
		tx.Delete(TableKeys, old)
		tx.bury(key)
	}
}

// CompareAndDeleteKey is DeleteKey for an entry whose ModifyIndex is the given
// one. It tells whether the entry is gone.
func (tx *Tx) CompareAndDeleteKey(key string, index uint64) bool {
	old, _ := tx.Key(key)
	if old != nil && old.ModifyIndex != index {
		return false
	}
	tx.DeleteKey(key)
	return true
}

// DeleteKeys removes all entries whose keys begin with a prefix.
func (tx *Tx) DeleteKeys(prefix string) {
	below, _ := tx.Keys(prefix)
	for _, entry := range below {
		tx.Delete(TableKeys, entry)
	}
	if len(below) > 0 && prefix != "" {
		tx.bury(prefix) // who asks for less finds nothing left there
	}
}

// LockDelayError says that a key cannot be locked yet: the session that held
// it has ended without releasing it, and its holder may not know.
type LockDelayError struct{ Key string }

func (e *LockDelayError) Error() string {
	return fmt.Sprintf("failed to lock key %q due to lock delay", e.Key)
}
