// Package store is the memory of an emulated cluster: an in-memory database of
// tables whose rows carry the index of their last change, with snapshots that
// never block a writer, watches that wake exactly those who read what changed,
// and a journal with which it survives a restart. The states of the emulated
// programs are made on it.
//
// A row, once it is in the store, is never changed: whoever wants to change one
// inserts a changed copy.
package store

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/go-memdb"
)

// Store is a database. Its methods may be called from any goroutine.
type Store struct {
	schema  Schema
	db      *memdb.MemDB
	journal *journal // nil keeps nothing over a restart
	now     func() time.Time

	writing  sync.Mutex // held from a change to the last observer's return
	observer func(Commit)
}

// Commit is what one Write has changed.
type Commit struct {
	Index   uint64
	Cause   string // what the writer says that it is about; may be empty
	Changes []Change
	// Restored says that it was a Restore: Changes are how the state is another.
	Restored bool
}

// Change is one row that was written or deleted; of a row that was written
// several times in one Write there is one change.
type Change struct {
	Table         string
	Before, After any // pointers to the row; nil where there is none
}

// New makes an empty store that is kept in memory alone.
func New(schema Schema) (*Store, error) {
	db, err := memdb.NewMemDB(schema.database())
	if err != nil {
		return nil, fmt.Errorf("make the state store: %w", err)
	}
	return &Store{schema: schema, db: db, now: time.Now}, nil
}

// Open makes a store that is kept in a file over restarts: every write is on
// the disk before Write returns. The caller closes it.
func Open(file string, schema Schema) (*Store, error) {
	s, err := New(schema)
	if err != nil {
		return nil, err
	}
	if s.journal, err = openJournal(file, s); err != nil {
		return nil, fmt.Errorf("open the state in %s: %w", file, err)
	}
	return s, nil
}

// Close ends the writing of the journal. Reading goes on. It may be called twice.
func (s *Store) Close() error {
	if s.journal == nil {
		return nil
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	return s.journal.close()
}

// Observe has each later commit told to the function, in their order and before
// the next one begins. It must not write, and is set before anybody does.
func (s *Store) Observe(observer func(Commit)) { s.observer = observer }

// UseClock has changes be made at the times that the function tells. It is called
// before anybody writes.
func (s *Store) UseClock(now func() time.Time) { s.now = now }

// Write changes the state, all of it or, when change returns an error, nothing.
// One Write runs at a time. The error is change's own.
func (s *Store) Write(change func(*Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	txn := s.db.Txn(true)
	defer txn.Abort()
	if s.journal != nil || s.observer != nil {
		txn.TrackChanges()
	}
	tx := &Tx{view: &View{txn: txn}, schema: s.schema, index: lastIndex(txn) + 1, now: s.now(), marked: map[string]bool{}}
	if err := change(tx); err != nil {
		return err
	}
	changes := txn.Changes()
	if s.journal != nil && len(changes) > 0 {
		if err := s.journal.append(s.db.Txn(false), changes); err != nil {
			return fmt.Errorf("write the state's journal: %w", err)
		}
	}
	txn.Commit()
	if s.observer != nil {
		s.observer(commitOf(tx, changes))
	}
	return nil
}

func commitOf(tx *Tx, changes memdb.Changes) Commit {
	c := Commit{Index: tx.index, Cause: tx.cause, Restored: tx.restored}
	for _, change := range changes {
		if change.Table != tableMarks {
			c.Changes = append(c.Changes, Change{Table: change.Table, Before: change.Before, After: change.After})
		}
	}
	return c
}

// View is the state as it is now; what is written later does not show in it.
func (s *Store) View() *View {
	return &View{txn: s.db.Txn(false), watches: memdb.NewWatchSet()}
}

// Watch calls read with a view, and again with a new one whenever something
// that it has read changes, until it says that it is done or the context ends,
// which is then the error.
func (s *Store) Watch(ctx context.Context, read func(*View) (done bool)) error {
	for {
		view := s.View()
		if read(view) {
			return nil
		}
		if err := view.Wait(ctx); err != nil {
			return err
		}
	}
}
