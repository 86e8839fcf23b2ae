package state

import (
	"slices"

	"github.com/drydock/drydock/emulator/store"
)

// TableKeys is the table of the key-value store.
const TableKeys = "keys"

// Key is an entry of the key-value store.
type Key struct {
	LockIndex   uint64 // how often a session has acquired it
	Key         string
	Flags       uint64
	Value       []byte // nil when empty
	Session     string `json:",omitempty"` // that holds it
	CreateIndex uint64
	ModifyIndex uint64
}

func keyTables() store.Schema {
	return store.Schema{
		TableKeys: store.Rows[Key](
			store.Unique("id", store.Field("Key")),
			store.Many("session", store.Field("Session")),
		),
		tableTombstones: tombstoneTable(),
		tableLockDelays: lockDelayTable(),
	}
}

// Key finds an entry, nil when there is none, and the index of its last change.
// For a key that is not there that is the index of the last change of any key,
// which does not wake who waits for this one.
func (v *View) Key(key string) (*Key, uint64) {
	entry := store.First[Key](v, TableKeys, "id", key)
	if entry == nil {
		return nil, v.anyKeyIndex()
	}
	return entry, max(entry.ModifyIndex, v.RestoredIndex())
}

// Keys are the entries whose keys begin with a prefix, in order, never nil, and
// the index of the last change among them, deletions too. Where there are none
// it is that of the last change of any key.
func (v *View) Keys(prefix string) ([]*Key, uint64) {
	list := store.Collect[Key](v, TableKeys, "id_prefix", prefix)
	if len(list) == 0 || prefix == "" {
		return list, v.anyKeyIndex()
	}
	index := max(v.tombstoneIndex(prefix), v.RestoredIndex())
	for _, entry := range list {
		index = max(index, entry.ModifyIndex)
	}
	return list, index
}

// anyKeyIndex is the index of the last change of any key: 1 before the first,
// as who has an index waits for a higher one.
func (v *View) anyKeyIndex() uint64 { return max(v.quietIndex(TableKeys), 1) }

// same tells whether two versions of an entry differ in nothing but their indexes.
func (k *Key) same(other *Key) bool {
	return k.Flags == other.Flags && k.Session == other.Session &&
		k.LockIndex == other.LockIndex && slices.Equal(k.Value, other.Value)
}

// quietIndex is the index of a mark, without a watch on it: the reader waits
// for something else and only wants to know where it stands.
func (v *View) quietIndex(name string) uint64 { return v.Unwatched().Index(name) }
