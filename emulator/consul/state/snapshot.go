package state

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
)

// markRestored has the index of the last Restore: what is older has changed then.
const markRestored = "restored"

// snapshotTables are the tables that snapshots have: all but those of what is
// registered with the agents, who keep it themselves.
func snapshotTables() map[string]table {
	shared, local := tables(), localTables()
	maps.DeleteFunc(shared, func(name string, _ table) bool { return local[name].row != nil })
	return shared
}

// Snapshot writes the state as it is now, in a form that Restore reads: all but
// what is registered with the agents.
// It returns the index of the last change in it.
func (s *Store) Snapshot(to io.Writer) (uint64, error) {
	txn := s.db.Txn(false)
	if _, err := writeRows(to, txn, snapshotTables()); err != nil {
		return 0, fmt.Errorf("write a snapshot of the state: %w", err)
	}
	return lastIndex(txn), nil
}

// Restore replaces the state by that of a snapshot; with an error nothing
// has changed. Everybody who watches is woken. All marks get an index above the
// highest of both states, so that none ever goes back.
func (s *Store) Restore(from io.Reader) error {
	var changes []change
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		var some []change
		if err == nil {
			err = json.Unmarshal(line, &some)
		}
		if err != nil {
			return fmt.Errorf("read a snapshot of the state: %w", err)
		}
		changes = append(changes, some...)
	}
	return s.Write(func(tx *Tx) error {
		names := map[string]bool{markRestored: true}
		for m := range All[mark](&tx.View, tableMarks, "id") {
			names[m.Name] = true
		}
		for name := range snapshotTables() {
			if _, err := tx.txn.DeleteAll(name, "id"); err != nil {
				return fmt.Errorf("restore a snapshot of the state: %w", err)
			}
		}
		if err := apply(tx.txn, changes); err != nil {
			return fmt.Errorf("restore a snapshot of the state: %w", err)
		}
		tx.index = max(tx.index, lastIndex(tx.txn)+1)
		for _, m := range Collect[mark](&tx.View, tableMarks, "id") {
			names[m.Name] = true
		}
		tx.Mark(slices.Collect(maps.Keys(names))...)
		return nil
	})
}
