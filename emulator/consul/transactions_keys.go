package consul

import (
	"fmt"

	"github.com/hashicorp/consul/api"

	"github.com/drydock/drydock/emulator/consul/acl"
	"github.com/drydock/drydock/emulator/consul/state"
)

// keyVerb is what an operation on keys does.
type keyVerb struct {
	reads bool       // it changes nothing
	needs acl.Access // of the key; what is read is left out of the answer instead, where that will do
	tree  bool       // it is about all keys that begin with the one it names
	do    func(*state.Tx, *api.KVTxnOp) ([]*state.Key, error)
}

// keyVerbOf finds a verb; nil when there is none of that name.
func keyVerbOf(verb api.KVOp) *keyVerb {
	switch verb {
	case api.KVSet:
		return &keyVerb{false, acl.Write, false, setKeyOperation}
	case api.KVCAS:
		return &keyVerb{false, acl.Write, false, compareAndSetOperation}
	case api.KVLock:
		return &keyVerb{false, acl.Write, false, lockOperation}
	case api.KVUnlock:
		return &keyVerb{false, acl.Write, false, unlockOperation}
	case api.KVDelete:
		return &keyVerb{false, acl.Write, false, deleteKeyOperation}
	case api.KVDeleteCAS:
		return &keyVerb{false, acl.Write, false, compareAndDeleteOperation}
	case api.KVDeleteTree:
		return &keyVerb{false, acl.Write, true, deleteTreeOperation}
	case api.KVGet:
		return &keyVerb{true, 0, false, getKeyOperation}
	case api.KVGetOrEmpty:
		return &keyVerb{true, 0, false, getOrEmptyOperation}
	case api.KVGetTree:
		return &keyVerb{true, 0, true, getTreeOperation}
	case api.KVCheckIndex:
		return &keyVerb{true, acl.Read, false, checkIndexOperation}
	case api.KVCheckSession:
		return &keyVerb{true, acl.Read, false, checkSessionOperation}
	case api.KVCheckNotExists:
		return &keyVerb{true, acl.Write, false, checkNotExistsOperation}
	default:
		return nil
	}
}

func keyOperation(op *api.KVTxnOp) operation {
	verb := keyVerbOf(op.Verb)
	return operation{
		reads: verb == nil || verb.reads,
		check: func(r *request) error { return verb.check(r, op) },
		do: func(tx *state.Tx) ([]transactionResult, error) {
			entries, err := verb.do(tx, op)
			var results []transactionResult
			for _, entry := range entries {
				results = append(results, transactionResult{KV: entry})
			}
			return results, err
		},
	}
}

func (v *keyVerb) check(r *request, op *api.KVTxnOp) error {
	if op.Key == "" && op.Verb != api.KVDeleteTree {
		return badRequest("Must provide key")
	}
	if v == nil {
		return fmt.Errorf("unknown KV operation: %s", op.Verb)
	}
	switch {
	case v.needs == 0:
		return nil
	case v.tree:
		return r.needAllBelow(v.needs, op.Key)
	default:
		return r.need(v.needs, acl.Key, op.Key)
	}
}

// entryOf is the entry that an operation writes.
func entryOf(op *api.KVTxnOp) state.Key {
	return state.Key{Key: op.Key, Flags: op.Flags, Value: op.Value, Session: op.Session}
}

// withoutValue is how an entry is answered by an operation that does not read
// it: who has written the value knows it.
func withoutValue(entry *state.Key) []*state.Key {
	short := *entry
	short.Value = nil
	return []*state.Key{&short}
}

func setKeyOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	return withoutValue(tx.SetKey(entryOf(op))), nil
}

func compareAndSetOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, written := tx.CompareAndSetKey(entryOf(op), op.Index)
	if !written {
		return nil, fmt.Errorf("failed to set key %q, index is stale", op.Key)
	}
	return withoutValue(entry), nil
}

func lockOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, locked, err := tx.LockKey(entryOf(op))
	switch {
	case err != nil:
		return nil, err
	case !locked:
		return nil, fmt.Errorf("failed to lock key %q, lock is already held", op.Key)
	default:
		return withoutValue(entry), nil
	}
}

func unlockOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, unlocked, err := tx.UnlockKey(entryOf(op))
	switch {
	case err != nil:
		return nil, err
	case !unlocked:
		return nil, fmt.Errorf("failed to unlock key %q, lock isn't held, or is held by another session", op.Key)
	default:
		return withoutValue(entry), nil
	}
}

func deleteKeyOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	tx.DeleteKey(op.Key)
	return nil, nil
}

func compareAndDeleteOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	if !tx.CompareAndDeleteKey(op.Key, op.Index) {
		return nil, fmt.Errorf("failed to delete key %q, index is stale", op.Key)
	}
	return nil, nil
}

func deleteTreeOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	tx.DeleteKeys(op.Key)
	return nil, nil
}

func getKeyOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, _ := tx.Key(op.Key)
	if entry == nil {
		return nil, fmt.Errorf("key %q doesn't exist", op.Key)
	}
	return []*state.Key{entry}, nil
}

func getOrEmptyOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, _ := tx.Key(op.Key)
	if entry == nil {
		entry = &state.Key{Key: op.Key}
	}
	return []*state.Key{entry}, nil
}

func getTreeOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entries, _ := tx.Keys(op.Key)
	return entries, nil
}

func checkIndexOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, _ := tx.Key(op.Key)
	switch {
	case entry == nil:
		return nil, fmt.Errorf("failed to check index, key %q doesn't exist", op.Key)
	case entry.ModifyIndex != op.Index:
		return nil, fmt.Errorf("failed index check for key %q, current modify index %d != %d",
			op.Key, entry.ModifyIndex, op.Index)
	default:
		return withoutValue(entry), nil
	}
}

func checkSessionOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	entry, _ := tx.Key(op.Key)
	switch {
	case entry == nil:
		return nil, fmt.Errorf("failed to check session, key %q doesn't exist", op.Key)
	case entry.Session != op.Session:
		return nil, fmt.Errorf("failed session check for key %q, current session %q != %q",
			op.Key, entry.Session, op.Session)
	default:
		return withoutValue(entry), nil
	}
}

func checkNotExistsOperation(tx *state.Tx, op *api.KVTxnOp) ([]*state.Key, error) {
	if entry, _ := tx.Key(op.Key); entry != nil {
		return nil, fmt.Errorf("key %q exists", op.Key)
	}
	return nil, nil
}
