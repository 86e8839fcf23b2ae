package state

import (
	"reflect"
	"time"

	"github.com/hashicorp/go-memdb"
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

func tombstoneTable() table {
	return table{reflect.TypeFor[tombstone](), indexes(
		unique("id", field("Key")),
		many("index", &memdb.UintFieldIndex{Field: "Index"}),
	)}
}

// bury remembers a deletion, and forgets some that are old.
func (tx *Tx) bury(key string) {
	tx.Insert(tableTombstones, &tombstone{Key: key, Index: tx.index, Time: tx.now})
	for {
		oldest := First[tombstone](&tx.View, tableTombstones, "index")
		if oldest == nil || tx.now.Sub(oldest.Time) < tombstoneAge {
			return
		}
		tx.Delete(tableTombstones, oldest)
		forgotten := &mark{Name: markForgotten, Index: oldest.Index}
		if err := tx.txn.Insert(tableMarks, forgotten); err != nil {
			panic(err)
		}
	}
}

// tombstoneIndex is the index of the last deletion of a key that begins with
// the prefix. It needs no watch, as the key itself had one.
func (v *View) tombstoneIndex(prefix string) uint64 {
	highest := v.quietIndex(markForgotten)
	rows, err := v.txn.Get(tableTombstones, "id_prefix", prefix)
	if err != nil {
		panic(err)
	}
	for row := rows.Next(); row != nil; row = rows.Next() {
		highest = max(highest, row.(*tombstone).Index)
	}
	return highest
}
