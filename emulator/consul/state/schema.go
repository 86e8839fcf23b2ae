package state

import (
	"maps"
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

// table describes one table: the type of its rows, which have to survive being
// written as JSON and read again, and its indexes, one of them "id".
type table struct {
	row     reflect.Type
	indexes map[string]*memdb.IndexSchema
}

// tables are all tables by name. A file per kind of row adds its own.
func tables() map[string]table {
	all := map[string]table{
		tableMarks: {reflect.TypeFor[mark](), indexes(unique("id", field("Name")))},
	}
	for _, some := range []map[string]table{
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

func schema() *memdb.DBSchema {
	s := &memdb.DBSchema{Tables: map[string]*memdb.TableSchema{}}
	for name, t := range tables() {
		s.Tables[name] = &memdb.TableSchema{Name: name, Indexes: t.indexes}
	}
	return s
}

func indexes(list ...*memdb.IndexSchema) map[string]*memdb.IndexSchema {
	byName := map[string]*memdb.IndexSchema{}
	for _, index := range list {
		byName[index.Name] = index
	}
	return byName
}

// unique is an index that leads to one row.
func unique(name string, by memdb.Indexer) *memdb.IndexSchema {
	return &memdb.IndexSchema{Name: name, Unique: true, Indexer: by}
}

// many is an index that leads to any number of rows; those without a value are not in it.
func many(name string, by memdb.Indexer) *memdb.IndexSchema {
	return &memdb.IndexSchema{Name: name, AllowMissing: true, Indexer: by}
}

// field indexes a text field as it is.
func field(name string) memdb.Indexer { return &memdb.StringFieldIndex{Field: name} }

// folded indexes a text field without regard to upper and lower case, as
// Consul names nodes and services.
func folded(name string) memdb.Indexer {
	return &memdb.StringFieldIndex{Field: name, Lowercase: true}
}

// both indexes several fields together.
func both(parts ...memdb.Indexer) memdb.Indexer { return &memdb.CompoundIndex{Indexes: parts} }
