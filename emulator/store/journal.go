package store

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"

	"github.com/hashicorp/go-memdb"
)

// compactFrom is how long a journal may grow, in bytes and beyond twice what is
// live, before it is written anew.
const compactFrom = 4 << 20

// change is a row that was written, or deleted, in a table.
type change struct {
	Table   string          `json:"t"`
	Row     json.RawMessage `json:"r"`
	Deleted bool            `json:"d,omitempty"`
}

// journal is a file of one line per write: the changes that it made, as a JSON
// list. A line that a crash has cut short was not acknowledged, and is dropped.
type journal struct {
	name   string
	schema Schema
	file   *os.File
	size   int64
	live   int64 // size after it was last written anew
}

// openJournal brings the store to where the journal has it, and goes on from there.
func openJournal(name string, s *Store) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return nil, err
	}
	old, err := os.Open(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		err = replay(old, s)
		if err := errors.Join(err, old.Close()); err != nil {
			return nil, err
		}
	}
	j := &journal{name: name, schema: s.schema}
	if err := j.rewrite(s.db.Txn(false)); err != nil {
		return nil, err
	}
	return j, nil
}

func replay(from io.Reader, s *Store) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // without its end, a line is not whole
		}
		if err != nil {
			return err
		}
		var changes []change
		if err := json.Unmarshal(line, &changes); err != nil {
			return fmt.Errorf("a line of the journal cannot be read: %w", err)
		}
		txn := s.db.Txn(true)
		if err := s.schema.apply(txn, changes); err != nil {
			txn.Abort()
			return err
		}
		txn.Commit()
	}
}

// apply does again what the changes say.
func (s Schema) apply(txn *memdb.Txn, changes []change) error {
	for _, c := range changes {
		t, ok := s.table(c.Table)
		if !ok {
			return fmt.Errorf("there is no table %q", c.Table)
		}
		row := reflect.New(t.row).Interface()
		if err := json.Unmarshal(c.Row, row); err != nil {
			return fmt.Errorf("read a row of table %q: %w", c.Table, err)
		}
		write := txn.Insert
		if c.Deleted {
			write = txn.Delete
		}
		if err := write(c.Table, row); err != nil {
			return fmt.Errorf("write a row of table %q: %w", c.Table, err)
		}
	}
	return nil
}

// append writes the changes and returns when they are on the disk; with an error
// they are not. Before that it writes the journal anew, with what the store has
// without them, when most of it has no effect any more.
func (j *journal) append(before *memdb.Txn, changes memdb.Changes) error {
	if j.size > compactFrom+2*j.live {
		if err := j.rewrite(before); err != nil {
			return err
		}
	}
	line, err := encode(changes)
	if err != nil {
		return err
	}
	if _, err = j.file.WriteAt(line, j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(err, j.file.Truncate(j.size)) // what follows must not be joined to half a line
	}
	j.size += int64(len(line))
	return nil
}

// encode is a line of the journal.
func encode(changes memdb.Changes) (line []byte, err error) {
	line = append(line, '[')
	for i, c := range changes {
		if i > 0 {
			line = append(line, ',')
		}
		row := c.After
		if c.Deleted() {
			row = c.Before
		}
		if line, err = appendChange(line, c.Table, row, c.Deleted()); err != nil {
			return nil, err
		}
	}
	return append(line, "]\n"...), nil
}

// appendChange writes a change as json.Marshal would, which goes through a row
// that is JSON already once more.
func appendChange(line []byte, table string, row any, deleted bool) ([]byte, error) {
	text, err := json.Marshal(row)
	if err != nil {
		return nil, err
	}
	line = strconv.AppendQuote(append(line, `{"t":`...), table)
	line = append(append(line, `,"r":`...), text...)
	if deleted {
		line = append(line, `,"d":true`...)
	}
	return append(line, '}'), nil
}

// rewrite replaces the journal by one that holds just the rows there are.
func (j *journal) rewrite(txn *memdb.Txn) error {
	next, err := os.CreateTemp(filepath.Dir(j.name), filepath.Base(j.name)+".*")
	if err != nil {
		return err
	}
	size, err := writeRows(next, txn, j.schema.names())
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(next.Name(), j.name)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(j.name))
	}
	if err != nil {
		return errors.Join(err, next.Close(), os.Remove(next.Name()))
	}
	old := j.file
	j.file, j.size, j.live = next, size, size
	if old != nil {
		return old.Close()
	}
	return nil
}

// syncFolder makes a renaming in the folder last.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (j *journal) close() error {
	if err := j.file.Close(); !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// writeRows writes all rows of some tables, a line each, in the journal's form.
func writeRows(to io.Writer, txn *memdb.Txn, tables []string) (size int64, err error) {
	out := bufio.NewWriter(to)
	var line []byte
	for _, name := range tables {
		rows, err := txn.Get(name, "id")
		if err != nil {
			return size, err
		}
		for row := rows.Next(); row != nil; row = rows.Next() {
			if line, err = appendChange(append(line[:0], '['), name, row, false); err != nil {
				return size, err
			}
			n, err := out.Write(append(line, "]\n"...))
			size += int64(n)
			if err != nil {
				return size, err
			}
		}
	}
	return size, out.Flush()
}
