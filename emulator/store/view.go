package store

import (
	"context"
	"iter"

	"github.com/hashicorp/go-memdb"
)

// View is a consistent look at the state. It remembers what was read through
// it, so that Wait can tell when that has changed. One goroutine uses a view.
type View struct {
	txn     *memdb.Txn
	watches memdb.WatchSet // nil in a write
}

// Reader is a View, or what embeds one.
type Reader interface{ reader() *View }

func (v *View) reader() *View { return v }

// Wait returns when something that was read through the view has changed
// since, or with the context's error.
func (v *View) Wait(ctx context.Context) error {
	return v.watches.WatchCtx(ctx)
}

// Unwatched is the same look at the state, but what is read through it does not
// make Wait return.
func (v *View) Unwatched() *View { return &View{txn: v.txn} }

// First finds the first row of a table that an index of it leads to; nil when
// there is none.
func First[T any](in Reader, table, index string, args ...any) *T {
	v := in.reader()
	changed, row, err := v.txn.FirstWatch(table, index, args...)
	if err != nil {
		panic(err) // a table, index or argument that the schema does not have
	}
	v.watch(changed)
	if row == nil {
		return nil
	}
	return row.(*T)
}

// All are the rows of a table that an index of it leads to, in the index's
// order. An index's name with "_prefix" after it leads to those whose value
// begins with the argument.
func All[T any](in Reader, table, index string, args ...any) iter.Seq[*T] {
	v := in.reader()
	rows, err := v.txn.Get(table, index, args...)
	if err != nil {
		panic(err) // a table, index or argument that the schema does not have
	}
	v.watch(rows.WatchCh())
	return each[T](rows)
}

// Backward is All in the reverse order. It is not watched: read something else
// through the view that changes with it.
func Backward[T any](in Reader, table, index string, args ...any) iter.Seq[*T] {
	rows, err := in.reader().txn.GetReverse(table, index, args...)
	if err != nil {
		panic(err) // a table, index or argument that the schema does not have
	}
	return each[T](rows)
}

func each[T any](rows memdb.ResultIterator) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		for row := rows.Next(); row != nil; row = rows.Next() {
			if !yield(row.(*T)) {
				return
			}
		}
	}
}

// Collect is All as a slice, never nil, as lists are [] and not null in JSON.
func Collect[T any](in Reader, table, index string, args ...any) []*T {
	list := []*T{}
	for row := range All[T](in, table, index, args...) {
		list = append(list, row)
	}
	return list
}

func (v *View) watch(changed <-chan struct{}) {
	if v.watches != nil {
		v.watches.Add(changed)
	}
}

// Index is the highest index that any of the marks has: of a table the index
// of its last change, of other marks that of the last Tx.Mark. Nothing
// marked yet is 0.
func (v *View) Index(marks ...string) uint64 {
	var highest uint64
	for _, name := range marks {
		if m := First[mark](v, tableMarks, "id", name); m != nil {
			highest = max(highest, m.Index)
		}
	}
	return highest
}

// LastIndex is the index of the last change of anything.
func (v *View) LastIndex() uint64 { return lastIndex(v.txn) }

// lastIndex is read without a watch: it changes with every write.
func lastIndex(txn *memdb.Txn) uint64 {
	row, err := txn.First(tableMarks, "id", markLast)
	if err != nil {
		panic(err)
	}
	if row == nil {
		return 0
	}
	return row.(*mark).Index
}
