package state

import "time"

// Tx is one change of the state, all or nothing. What it has written shows in
// what it reads.
type Tx struct {
	View
	index uint64
	now   time.Time
}

// ChangeIndex is the index that this change gives to what it writes.
func (tx *Tx) ChangeIndex() uint64 { return tx.index }

// Now is the time of the change.
func (tx *Tx) Now() time.Time { return tx.now }

// Insert adds a row, or replaces the one with its id. The caller has set the
// row's own indexes; Insert marks the table.
func (tx *Tx) Insert(table string, row any) {
	if err := tx.txn.Insert(table, row); err != nil {
		panic(err) // a table that the schema does not have, or a row without an id
	}
	tx.Mark(table)
}

// Delete removes a row that is in the table.
func (tx *Tx) Delete(table string, row any) {
	if err := tx.txn.Delete(table, row); err != nil {
		panic(err) // it is not there: the caller has not looked
	}
	tx.Mark(table)
}

// Mark gives names the index of this change, for those that ask for less than
// a whole table.
func (tx *Tx) Mark(names ...string) {
	for _, name := range append(names, markLast) {
		if err := tx.txn.Insert(tableMarks, &mark{Name: name, Index: tx.index}); err != nil {
			panic(err)
		}
	}
}

// Unmark forgets a mark of something that is gone.
func (tx *Tx) Unmark(name string) {
	if m := First[mark](&tx.View, tableMarks, "id", name); m != nil {
		if err := tx.txn.Delete(tableMarks, m); err != nil {
			panic(err)
		}
	}
}
