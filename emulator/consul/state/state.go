// Package state is what one Consul datacenter knows: an in-memory database of
// tables whose rows carry the index of their last change, with snapshots that
// never block a writer and watches that wake exactly those who read what
// changed. The emulated agents of package consul read and write it; with a
// journal it survives a restart.
//
// A row, once it is in the store, is never changed: whoever wants to change one
// inserts a changed copy.
package state

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/go-memdb"
)

// Store is the state of one datacenter. Its methods may be called from any goroutine.
type Store struct {
	db      *memdb.MemDB
	journal *journal // nil keeps nothing over a restart
	now     func() time.Time
}

// New makes an empty store that is kept in memory alone.
func New() (*Store, error) {
	db, err := memdb.NewMemDB(schema())
	if err != nil {
		return nil, fmt.Errorf("make the state store: %w", err)
	}
	return &Store{db: db, now: time.Now}, nil
}

// Open makes a store that is kept in a file over restarts: every write is on
// the disk before Write returns. The caller closes it.
func Open(file string) (*Store, error) {
	s, err := New()
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
	txn := s.db.Txn(true) // nobody writes meanwhile
	defer txn.Abort()
	return s.journal.close()
}

// Write changes the state, all of it or, when change returns an error, nothing.
// One Write runs at a time. The error is change's own.
func (s *Store) Write(change func(*Tx) error) error {
	txn := s.db.Txn(true)
	defer txn.Abort()
	txn.TrackChanges()
	tx := &Tx{View: View{txn: txn}, index: lastIndex(txn) + 1, now: s.now()}
	if err := change(tx); err != nil {
		return err
	}
	changes := txn.Changes()
	if len(changes) == 0 {
		return nil
	}
	if s.journal != nil {
		if err := s.journal.append(s.db.Txn(false), changes); err != nil {
			return fmt.Errorf("write the state's journal: %w", err)
		}
	}
	txn.Commit()
	return nil
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
