package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableVariables has the variables.
const TableVariables = "variables"

// Variable is a variable, whose items are encrypted with a root key.
type Variable struct {
	api.VariableMetadata
	KeyID string
	Data  []byte // the items as JSON, encrypted
}

func variableTables() store.Schema {
	return store.Schema{TableVariables: store.Rows[Variable](
		store.Unique("id", store.By(func(v *Variable) []string { return []string{v.Namespace, v.Path} })),
		store.Many("key", store.By(func(v *Variable) []string { return []string{v.KeyID} })),
		store.Many("locked", store.By(func(v *Variable) []string {
			if v.Lock == nil {
				return nil
			}
			return []string{v.Namespace, v.Path}
		})))}
}

// Variable finds a variable by its path; nil when there is none.
func (v *View) Variable(namespace, path string) *Variable {
	return store.First[Variable](v.View, TableVariables, "id", namespace, path)
}

// Variables are all variables of all namespaces, by namespace and path.
func (v *View) Variables() iter.Seq[*Variable] {
	return store.All[Variable](v.View, TableVariables, "id")
}

// VariablesOf are those of a namespace whose path begins with the prefix, by path.
func (v *View) VariablesOf(namespace, prefix string) iter.Seq[*Variable] {
	return store.All[Variable](v.View, TableVariables, "id_prefix", namespace, prefix)
}

// VariablesWithKey are those that are encrypted with a root key.
func (v *View) VariablesWithKey(key string) iter.Seq[*Variable] {
	return store.All[Variable](v.View, TableVariables, "key", key)
}

// LockedVariables are those that somebody has locked.
func (v *View) LockedVariables() iter.Seq[*Variable] {
	return store.All[Variable](v.View, TableVariables, "locked_prefix", "")
}

// UpsertVariable writes a variable, which becomes the row. The indexes and
// times are set here.
func (tx *Tx) UpsertVariable(v *Variable) {
	index, now := tx.ChangeIndex(), tx.Now().UnixNano()
	v.CreateIndex, v.CreateTime, v.ModifyIndex, v.ModifyTime = index, now, index, now
	if old := tx.Variable(v.Namespace, v.Path); old != nil {
		v.CreateIndex, v.CreateTime = old.CreateIndex, old.CreateTime
	}
	tx.Insert(TableVariables, v)
}

// ReleaseVariable takes the lock from a variable, and returns it without.
func (tx *Tx) ReleaseVariable(v *Variable) *Variable {
	next := *v
	next.Lock, next.ModifyIndex = nil, tx.ChangeIndex()
	tx.Insert(TableVariables, &next)
	return &next
}

// ReencryptVariable replaces what a variable is encrypted with; for clients it stays the same.
func (tx *Tx) ReencryptVariable(v *Variable, key string, data []byte) {
	next := *v
	next.KeyID, next.Data = key, data
	tx.Insert(TableVariables, &next)
}

// DeleteVariable removes a variable.
func (tx *Tx) DeleteVariable(v *Variable) { tx.Delete(TableVariables, v) }
