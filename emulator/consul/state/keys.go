package state

import "reflect"

// TableKeys is the table of the key-value store.
const TableKeys = "keys"

// Key is an entry of the key-value store.
type Key struct {
	LockIndex   uint64 // how often a session has acquired it
	Key         string
	Flags       uint64
	Value       []byte
	Session     string `json:",omitempty"` // that holds it
	CreateIndex uint64
	ModifyIndex uint64
}

func keyTables() map[string]table {
	return map[string]table{
		TableKeys: {reflect.TypeFor[Key](), indexes(
			unique("id", field("Key")),
			many("session", field("Session")),
		)},
	}
}
