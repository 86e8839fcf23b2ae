package state

import (
	"iter"

	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/store"
)

// TableNodePools has the node pools.
const TableNodePools = "node_pools"

func nodePoolTables() store.Schema {
	return store.Schema{TableNodePools: store.Rows[api.NodePool](
		store.Unique("id", store.By(func(p *api.NodePool) []string { return []string{p.Name} })))}
}

// NodePool finds a node pool by its name; nil when there is none.
func (v *View) NodePool(name string) *api.NodePool {
	return store.First[api.NodePool](v.View, TableNodePools, "id", name)
}

// NodePools are those whose name begins with the prefix, by name.
func (v *View) NodePools(prefix string) iter.Seq[*api.NodePool] {
	return store.All[api.NodePool](v.View, TableNodePools, "id_prefix", prefix)
}

// UpsertNodePool writes a node pool, which becomes the row.
func (tx *Tx) UpsertNodePool(p *api.NodePool) {
	p.ModifyIndex = tx.ChangeIndex()
	if old := tx.NodePool(p.Name); old != nil {
		p.CreateIndex = old.CreateIndex
	} else {
		p.CreateIndex = p.ModifyIndex
	}
	tx.Insert(TableNodePools, p)
}

// DeleteNodePool removes a node pool.
func (tx *Tx) DeleteNodePool(p *api.NodePool) { tx.Delete(TableNodePools, p) }

// NodePoolHash tells whether a node pool has changed; nil for those that are built in.
func NodePoolHash(p *api.NodePool) []byte {
	if BuiltInNodePool(p.Name) {
		return nil
	}
	return hashOf(p.Name, p.Description, p.Meta, p.NodeIdentityTTL)
}

// BuiltInNodePool tells whether a node pool of that name is always there.
func BuiltInNodePool(name string) bool {
	return name == api.NodePoolAll || name == api.NodePoolDefault
}
