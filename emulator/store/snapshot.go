package store

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

// Snapshot writes some tables as they are now, in a form that Restore reads.
// It returns the index of the last change in it.
func (s *Store) Snapshot(to io.Writer, tables []string) (uint64, error) {
	txn := s.db.Txn(false)
	if _, err := writeRows(to, txn, append(slices.Clone(tables), tableMarks)); err != nil {
		return 0, fmt.Errorf("write a snapshot of the state: %w", err)
	}
	return lastIndex(txn), nil
}

// Restore replaces some tables by those of a snapshot; an error is to be
// returned from the Write, which then changes nothing. Everybody who watches is
// woken. All marks get an index above the highest of both states, so that none
// ever goes back; the rows keep theirs.
func (tx *Tx) Restore(from io.Reader, tables []string) error {
	changes, err := readSnapshot(from)
	if err != nil {
		return fmt.Errorf("read a snapshot of the state: %w", err)
	}
	names := map[string]bool{markRestored: true}
	for m := range All[mark](tx.view, tableMarks, "id") {
		names[m.Name] = true
	}
	for _, name := range append(slices.Clone(tables), tableMarks) {
		if _, err := tx.view.txn.DeleteAll(name, "id"); err != nil {
			return fmt.Errorf("restore a snapshot of the state: %w", err)
		}
	}
	if err := tx.schema.apply(tx.view.txn, changes); err != nil {
		return fmt.Errorf("restore a snapshot of the state: %w", err)
	}
	tx.index = max(tx.index, lastIndex(tx.view.txn)+1)
	for m := range All[mark](tx.view, tableMarks, "id") {
		names[m.Name] = true
	}
	tx.restored = true
	clear(tx.marked)
	tx.Mark(slices.Sorted(maps.Keys(names))...)
	return nil
}

// RestoredIndex is the index of the last Restore, when whatever is older has
// changed; 0 when there was none. It is not watched: a Restore wakes everybody.
func (v *View) RestoredIndex() uint64 { return v.Unwatched().Index(markRestored) }

func readSnapshot(from io.Reader) ([]change, error) {
	var changes []change
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return changes, nil
		}
		var some []change
		if err == nil {
			err = json.Unmarshal(line, &some)
		}
		if err != nil {
			return nil, err
		}
		changes = append(changes, some...)
	}
}
