package store

import "time"

// Tx is one change of the state, all or nothing.
type Tx struct {
	view     *View
	schema   Schema
	index    uint64
	now      time.Time
	marked   map[string]bool // by this change
	cause    string
	restored bool
}

// About says, to those who observe commits, what the change is about.
func (tx *Tx) About(cause string) { tx.cause = cause }

// Reader is the state with what this change has written so far.
func (tx *Tx) Reader() *View { return tx.view }

// ChangeIndex is the index that this change gives to what it writes.
func (tx *Tx) ChangeIndex() uint64 { return tx.index }

// Now is the time of the change.
func (tx *Tx) Now() time.Time { return tx.now }

// Insert adds a row, or replaces the one with its id. The caller has set the
// row's own indexes; Insert marks the table.
func (tx *Tx) Insert(table string, row any) {
	if err := tx.view.txn.Insert(table, row); err != nil {
		panic(err) // a table that the schema does not have, or a row without an id
	}
	tx.Mark(table)
}

// Delete removes a row that is in the table.
func (tx *Tx) Delete(table string, row any) {
	if err := tx.view.txn.Delete(table, row); err != nil {
		panic(err) // it is not there: the caller has not looked
	}
	tx.Mark(table)
}

// Mark gives names the index of this change, for those that ask for less than
// a whole table.
func (tx *Tx) Mark(names ...string) {
	for _, name := range append(names, markLast) {
		if tx.marked[name] {
			continue
		}
		tx.marked[name] = true
		if err := tx.view.txn.Insert(tableMarks, &mark{Name: name, Index: tx.index}); err != nil {
			panic(err)
		}
	}
}

// MarkAt gives a name an index of the past, that of a change which was made before.
func (tx *Tx) MarkAt(name string, index uint64) {
	if err := tx.view.txn.Insert(tableMarks, &mark{Name: name, Index: index}); err != nil {
		panic(err)
	}
}

// Unmark forgets a mark of something that is gone.
func (tx *Tx) Unmark(name string) {
	delete(tx.marked, name)
	if m := First[mark](tx.view, tableMarks, "id", name); m != nil {
		if err := tx.view.txn.Delete(tableMarks, m); err != nil {
			panic(err)
		}
	}
}
