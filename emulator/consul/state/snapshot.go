package state

import (
	"io"
	"maps"
	"slices"

	"github.com/drydock/drydock/emulator/store"
)

// snapshotTables are the tables that snapshots have: all but those of what is
// registered with the agents, who keep it themselves.
func snapshotTables() []string {
	shared, local := schema(), localTables()
	maps.DeleteFunc(shared, func(name string, _ store.Table) bool {
		_, is := local[name]
		return is
	})
	return slices.Collect(maps.Keys(shared))
}

// Snapshot writes the state as it is now, in a form that Restore reads: all but
// what is registered with the agents.
// It returns the index of the last change in it.
func (s *Store) Snapshot(to io.Writer) (uint64, error) {
	return s.store.Snapshot(to, snapshotTables())
}

// Restore replaces the state by that of a snapshot; with an error nothing
// has changed. Everybody who watches is woken. Indexes do not go back.
func (s *Store) Restore(from io.Reader) error {
	return s.store.Write(func(tx *store.Tx) error { return tx.Restore(from, snapshotTables()) })
}
