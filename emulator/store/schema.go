package store

import (
	"fmt"
	"reflect"

	"github.com/hashicorp/go-memdb"
)

// tableMarks holds the index of the last change by table, or by a part of one.
const tableMarks = "marks"

// markLast is the mark that every change sets.
const markLast = "last"

type mark struct {
	Name  string
	Index uint64
}

// Schema describes the tables of a store, by name.
type Schema map[string]Table

// Table describes one table: the type of its rows, which have to survive being
// written as JSON and read again, and its indexes, one of them "id".
type Table struct {
	row     reflect.Type
	indexes map[string]*memdb.IndexSchema
}

// Index is a way to find rows.
type Index struct{ schema *memdb.IndexSchema }

// Rows describes a table whose rows are *T.
func Rows[T any](indexes ...Index) Table {
	t := Table{row: reflect.TypeFor[T](), indexes: map[string]*memdb.IndexSchema{}}
	for _, index := range indexes {
		t.indexes[index.schema.Name] = index.schema
	}
	return t
}

// Unique is an index that leads to one row.
func Unique(name string, by memdb.Indexer) Index {
	return Index{&memdb.IndexSchema{Name: name, Unique: true, Indexer: by}}
}

// Many is an index that leads to any number of rows; those without a value are not in it.
func Many(name string, by memdb.Indexer) Index {
	return Index{&memdb.IndexSchema{Name: name, AllowMissing: true, Indexer: by}}
}

// Field indexes a text field as it is.
func Field(name string) memdb.Indexer { return &memdb.StringFieldIndex{Field: name} }

// Folded indexes a text field without regard to upper and lower case.
func Folded(name string) memdb.Indexer {
	return &memdb.StringFieldIndex{Field: name, Lowercase: true}
}

// Both indexes several fields together.
func Both(parts ...memdb.Indexer) memdb.Indexer { return &memdb.CompoundIndex{Indexes: parts} }

// By indexes what the function says of a row: texts, which are looked for
// together or, with "_prefix" after the index's name, with the last of them cut
// short. No text at all is no value. Texts have no zero byte.
func By[T any](values func(row *T) []string) memdb.Indexer { return by[T]{values} }

type by[T any] struct{ values func(row *T) []string }

// FromObject implements memdb.SingleIndexer.
func (b by[T]) FromObject(row any) (bool, []byte, error) {
	values := b.values(row.(*T))
	if len(values) == 0 {
		return false, nil, nil
	}
	var key []byte
	for _, value := range values {
		key = append(append(key, value...), 0)
	}
	return true, key, nil
}

// FromArgs implements memdb.Indexer.
func (b by[T]) FromArgs(args ...any) ([]byte, error) {
	var key []byte
	for _, arg := range args {
		value, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("look for a row: the value %#v is no text", arg)
		}
		key = append(append(key, value...), 0)
	}
	return key, nil
}

// PrefixFromArgs implements memdb.PrefixIndexer.
func (b by[T]) PrefixFromArgs(args ...any) ([]byte, error) {
	key, err := b.FromArgs(args...)
	if len(key) > 0 {
		key = key[:len(key)-1]
	}
	return key, err
}

// Each indexes by each of the texts that the function finds in a row, which may
// be none. The index they are for has to be Many.
func Each[T any](values func(row *T) []string) memdb.Indexer { return eachOf[T]{values} }

type eachOf[T any] struct{ values func(row *T) []string }

// FromObject implements memdb.MultiIndexer.
func (e eachOf[T]) FromObject(row any) (bool, [][]byte, error) {
	values := e.values(row.(*T))
	keys := make([][]byte, len(values))
	for i, value := range values {
		keys[i] = append([]byte(value), 0)
	}
	return len(keys) > 0, keys, nil
}

// FromArgs implements memdb.Indexer.
func (e eachOf[T]) FromArgs(args ...any) ([]byte, error) { return by[T]{}.FromArgs(args...) }

func (s Schema) table(name string) (Table, bool) {
	if name == tableMarks {
		return Rows[mark](Unique("id", Field("Name"))), true
	}
	t, ok := s[name]
	return t, ok
}

func (s Schema) database() *memdb.DBSchema {
	all := &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{}}
	for _, name := range s.names() {
		t, _ := s.table(name)
		all.Tables[name] = &memdb.TableSchema{Name: name, Indexes: t.indexes}
	}
	return all
}

// names are those of all tables, that of the marks too.
func (s Schema) names() []string {
	names := []string{tableMarks}
	for name := range s {
		names = append(names, name)
	}
	return names
}
