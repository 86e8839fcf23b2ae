package state

import (
	"time"

	"github.com/hashicorp/go-memdb"

	"github.com/drydock/drydock/emulator/store"
)

const (
	tableTombstones = "tombstones"

	// markForgotten has the index of the last tombstone that was dropped.
	markForgotten = "tombstones.forgotten"

	// tombstoneAge is how long tombstones are kept at least. Who asks less often
	// than this may be told of a change that was not.
	tombstoneAge = 15 * time.Minute
)

// tombstone remembers that a key, or all keys that begin with it, were
// deleted: the index of what is left around them would go back otherwise.
type tombstone struct {
	Key   string
	Index uint64
	Time  time.Time
}

func tombstoneTable() store.Table {
	return store.Rows[tombstone](
		store.Unique("id", store.Field("Key")),
		store.Many("index", &memdb.UintFieldIndex{Field: "Index"}),
	)
}

// bury remembers a deletion, and forgets some that are old.
func (tx *Tx) bury(key string) {
	tx.Insert(tableTombstones, &tombstone{Key: key, Index: tx.ChangeIndex(), Time: tx.Now()})
	for {
		oldest := store.First[tombstone](tx, tableTombstones, "index")
		if oldest == nil || tx.Now().Sub(oldest.Time) < tombstoneAge {
			return
		}
		tx.Delete(tableTombstones, oldest)
		tx.MarkAt(markForgotten, oldest.Index)
	}
}

// tombstoneIndex is the index of the last deletion of a key that begins with
// the prefix. It needs no watch, as the key itself had one.
func (v *View) tombstoneIndex(prefix string) uint64 {
	highest := v.quietIndex(markForgotten)
	for row := range store.All[tombstone](v.Unwatched(), tableTombstones, "id_prefix", prefix) {
		highest = max(highest, row.Index)
	}
	return highest
}
