package state

import (
	"bytes"
	"io"
)

// Snapshot writes the whole state, in a form that Restore reads. It returns the
// index of the last change in it.
func (s *Store) Snapshot(to io.Writer) (uint64, error) {
	var lines bytes.Buffer
	index, err := s.store.Snapshot(&lines, Tables())
	if err != nil {
		return 0, err
	}
	return index, frame(to, lines.Bytes())
}

// Restore replaces the whole state by that of a snapshot; with an error nothing
// has changed. Everybody who watches is woken. Indexes do not go back.
func (s *Store) Restore(from io.Reader) error {
	lines, err := unframe(from)
	if err != nil {
		return err
	}
	return s.Write(func(tx *Tx) error {
		if err := tx.Restore(bytes.NewReader(lines), Tables()); err != nil {
			return err
		}
		tx.seed()
		return tx.joinJobs()
	})
}
