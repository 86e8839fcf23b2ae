// Package state is what the servers of one Nomad region know: jobs,
// evaluations, allocations, deployments, nodes and all else, on store.Store.
// The emulated region of package nomad reads and writes it, and so does its
// scheduler.
//
// Rows are those of the official client's types where that has them. A row,
// once it is in the store, is never changed, nor is what it points to: whoever
// wants to change one inserts a changed copy.
package state

import (
	"context"
	"maps"
	"slices"

	"github.com/drydock/drydock/emulator/store"
)

// Store is the state of one region. Its methods may be called from any goroutine.
type Store struct{ store *store.Store }

// View is a consistent look at the state. One goroutine uses a view.
type View struct{ *store.View }

// Tx is one change of the state, all or nothing. What it has written shows in
// what it reads, but for the statuses of jobs, which follow at its end.
type Tx struct {
	View
	*store.Tx
	touched map[jobName]bool // jobs whose status may be another
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
	opened := &Store{s}
	if err := opened.Write(func(tx *Tx) error { return tx.joinJobs() }); err != nil {
		return nil, err
	}
	return opened, nil
}

// Close ends the writing. Reading goes on. It may be called twice.
func (s *Store) Close() error { return s.store.Close() }

// Write changes the state, all of it or, when change returns an error, nothing.
// One Write runs at a time. The error is change's own.
func (s *Store) Write(change func(*Tx) error) error {
	return s.store.Write(func(storeTx *store.Tx) error {
		tx := &Tx{View{storeTx.Reader()}, storeTx, map[jobName]bool{}}
		if err := change(tx); err != nil {
			return err
		}
		tx.refreshJobStatuses()
		return nil
	})
}

// View is the state as it is now; what is written later does not show in it.
func (s *Store) View() *View { return &View{s.store.View()} }

// Watch calls read with a view, and again with a new one whenever something
// that it has read changes, until it says that it is done or the context ends,
// which is then the error.
func (s *Store) Watch(ctx context.Context, read func(*View) (done bool)) error {
	return s.store.Watch(ctx, func(v *store.View) bool { return read(&View{v}) })
}

// Observe has each later commit told to the function, in their order and before
// the next one begins. It must not write, and is set before anybody does.
func (s *Store) Observe(observer func(store.Commit)) { s.store.Observe(observer) }

// schema is that of all tables. A file per kind of row adds its own.
func schema() store.Schema {
	all := store.Schema{}
	for _, some := range []store.Schema{
		aclLoginTables(),
		aclPolicyTables(),
		aclRoleTables(),
		aclTokenTables(),
		allocationTables(),
		configurationTables(),
		deploymentTables(),
		evaluationTables(),
		hostVolumeTables(),
		jobTables(),
		launchTables(),
		namespaceTables(),
		nodeTables(),
		nodePoolTables(),
		rootKeyTables(),
		scalingTables(),
		serviceTables(),
		submissionTables(),
		usageTables(),
		variableTables(),
	} {
		maps.Copy(all, some)
	}
	return all
}

// Tables are the names of all tables, in their order.
func Tables() []string { return slices.Sorted(maps.Keys(schema())) }
