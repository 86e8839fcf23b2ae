// Package state is what one Consul datacenter knows, on store.Store: the
// catalog, keys, sessions, access control and all else. The emulated agents of
// package consul read and write it.
//
// A row, once it is in the store, is never changed: whoever wants to change one
// inserts a changed copy.
package state

import (
	"context"
	"maps"

	"github.com/drydock/drydock/emulator/store"
)

// Store is the state of one datacenter. Its methods may be called from any goroutine.
type Store struct{ store *store.Store }

// View is a consistent look at the state. One goroutine uses a view.
type View struct{ *store.View }

// Tx is one change of the state, all or nothing. What it has written shows in
// what it reads.
type Tx struct {
	View
	*store.Tx
}

// New makes an empty state that is kept in memory alone.
func New() (*Store, error) {
	s, err := store.New(schema())
	if err != nil {
		return nil, err
	}
	return &Store{s}, nil
}

// Open makes a state that is kept in a file over restarts: every write is on
// the disk before Write returns. The caller closes it.
func Open(file string) (*Store, error) {
	s, err := store.Open(file, schema())
	if err != nil {
		return nil, err
	}
	return &Store{s}, nil
}

// Close ends the writing. Reading goes on. It may be called twice.
func (s *Store) Close() error { return s.store.Close() }

// Write changes the state, all of it or, when change returns an error, nothing.
// One Write runs at a time. The error is change's own.
func (s *Store) Write(change func(*Tx) error) error {
	return s.store.Write(func(tx *store.Tx) error { return change(&Tx{View{tx.Reader()}, tx}) })
}

// View is the state as it is now; what is written later does not show in it.
func (s *Store) View() *View { return &View{s.store.View()} }

// Watch calls read with a view, and again with a new one whenever something
// that it has read changes, until it says that it is done or the context ends,
// which is then the error.
func (s *Store) Watch(ctx context.Context, read func(*View) (done bool)) error {
	return s.store.Watch(ctx, func(v *store.View) bool { return read(&View{v}) })
}

// Unwatched is the same look at the state, but what is read through it does not
// make Wait return.
func (v *View) Unwatched() *View { return &View{v.View.Unwatched()} }

// schema is that of all tables. A file per kind of row adds its own.
func schema() store.Schema {
	all := store.Schema{}
	for _, some := range []store.Schema{
		aclTables(),
		authorityTables(),
		checkTables(),
		configEntryTables(),
		coordinateTables(),
		keyTables(),
		localTables(),
		nodeTables(),
		operatorTables(),
		queryTables(),
		serviceTables(),
		sessionTables(),
	} {
		maps.Copy(all, some)
	}
	return all
}
