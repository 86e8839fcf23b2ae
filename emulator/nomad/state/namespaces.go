package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableNamespaces has the namespaces.
const TableNamespaces = "namespaces"

func namespaceTables() store.Schema {
	return store.Schema{TableNamespaces: store.Rows[api.Namespace](
		store.Unique("id", store.By(func(n *api.Namespace) []string { return []string{n.Name} })))}
}

// Namespace finds a namespace by its name; nil when there is none.
func (v *View) Namespace(name string) *api.Namespace {
	return store.First[api.Namespace](v.View, TableNamespaces, "id", name)
}

// Namespaces are those whose name begins with the prefix, by name.
func (v *View) Namespaces(prefix string) iter.Seq[*api.Namespace] {
	return store.All[api.Namespace](v.View, TableNamespaces, "id_prefix", prefix)
}

// UpsertNamespace writes a namespace, which becomes the row.
func (tx *Tx) UpsertNamespace(n *api.Namespace) {
	n.ModifyIndex = tx.ChangeIndex()
	if old := tx.Namespace(n.Name); old != nil {
		n.CreateIndex = old.CreateIndex
	} else {
		n.CreateIndex = n.ModifyIndex
	}
	tx.Insert(TableNamespaces, n)
}

// DeleteNamespace removes a namespace.
func (tx *Tx) DeleteNamespace(n *api.Namespace) { tx.Delete(TableNamespaces, n) }

// NamespaceHash tells whether a namespace has changed.
func NamespaceHash(n *api.Namespace) []byte {
	return hashOf(n.Name, n.Description, n.Quota, n.Capabilities, n.Meta)
}
